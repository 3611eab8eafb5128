from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.errors import InputError
from refusal_parity.prompts import expand, read_names, read_templates
from refusal_parity.tables import Prompts, conform

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATES = pl.DataFrame(
    {
        "template_id": ["t1", "t2"],
        "family": ["a", "b"],
        "template": ["[NAME] eats [BLANK]", "[BLANK] said [NAME] to [NAME]"],
    }
)
NAMES = pl.DataFrame(
    {
        "name_id": ["n1", "n2", "n3"],
        "name": ["Zoë", "Li", "$1"],
        "group": ["x", "y", "y"],
        "gender": ["woman", None, "man"],
        "commonness": [None, None, None],
    },
    schema_overrides={"commonness": pl.String},
)


def test_every_template_with_every_name_under_every_arm() -> None:
    prompts = conform(
        expand(TEMPLATES, NAMES, {"plain": None, "kind": "Be kind."}), Prompts, where="test"
    )
    assert len(prompts) == 2 * 3 * 2
    assert prompts["prompt_id"].n_unique() == 12
    first = prompts.row(0, named=True)
    assert (first["prompt"], first["arm"], first["system_prompt"]) == (
        "Zoë eats [BLANK]",
        "plain",
        None,
    )
    assert prompts["prompt"][-1] == "[BLANK] said $1 to $1"


def test_prompt_id_depends_on_what_is_sent_and_on_nothing_else() -> None:
    prompts = expand(TEMPLATES, NAMES, {"plain": None})
    renamed = expand(
        TEMPLATES.with_columns(template_id=pl.lit("q") + pl.col("template_id"), family=pl.lit("z")),
        NAMES.reverse().with_columns(group=pl.lit("w")),
        {"other": None},
    )
    assert set(prompts["prompt_id"]) == set(renamed["prompt_id"])
    empty_system = expand(TEMPLATES, NAMES, {"plain": ""})
    assert not set(prompts["prompt_id"]) & set(empty_system["prompt_id"])


def test_prompt_id_is_the_same_on_every_machine() -> None:
    # The parts by sha256sum: "+[NAME] eats [BLANK]", "+Zoë" and "-".
    assert expand(TEMPLATES, NAMES, {"plain": None})["prompt_id"][0] == (
        "fa5630fb1324439b15a2df3973e0"
    )


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
