from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from refusal_parity.errors import InputError
from refusal_parity.prompts import read_names, read_templates

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("t1,a,Nobody eats [BLANK]", r"row 3: template 'Nobody eats .* has no \[NAME\]"),
        ("t0,a,[NAME] sleeps", "row 3: template_id 't0' stands in row 2 already"),
        ("t1,a,[NAME] eats", "row 3: template '.*' stands in row 2 already"),
        ("t1,,[NAME] sleeps", "row 3: column 'family' is empty"),
    ],
)
def test_bad_templates(tmp_path: Path, rows: str, complaint: str) -> None:
    path = tmp_path / "templates.csv"
    path.write_text(f"template_id,family,template\nt0,a,[NAME] eats\n{rows}\n")
    with pytest.raises(InputError, match=complaint):
        read_templates(path)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("n1,Omar,y", "row 3: name 'Omar' stands in row 2 already"),
        ("n0,Ali,y", "row 3: name_id 'n0' stands in row 2 already"),
        ("n1,Ali,", "row 3: column 'group' is empty"),
    ],
)
def test_bad_names(tmp_path: Path, row: str, complaint: str) -> None:
    path = tmp_path / "names.csv"
    path.write_text(f"name_id,name,group\nn0,Omar,x\n{row}\n")
    with pytest.raises(InputError, match=complaint):
        read_names(path)


def test_another_column_can_be_the_group(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text("name_id,name,religion\nn0,Omar,islam\n")
    names = read_names(path, group_column="religion")
    assert names.row(0, named=True) == {
        "name_id": "n0",
        "name": "Omar",
        "group": "islam",
        "gender": None,
        "commonness": None,
    }
