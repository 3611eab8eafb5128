from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from refusal_parity.config import load_config
from refusal_parity.errors import InputError
from refusal_parity.study import check_inputs

if TYPE_CHECKING:
    from pathlib import Path


def test_planning_a_study_waits_for_no_slow_import(root: Path) -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, refusal_parity.study; print(*sys.modules)"],
        env=os.environ | {"PYTHONPATH": str(root / "workflow/lib")},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert "polars" in loaded
    assert not {"dataframely", "matplotlib", "pyarrow", "sklearn", "statsmodels"} & set(loaded)


@pytest.mark.parametrize(
    ("reference", "remedy"),
    [
        ("Greek", "Write it as there: greek (U+0047 here, U+0067 there)."),
        ("me\u0301tis", "Write it as there: m\u00e9tis (U+0065 U+0301 here, U+00E9 there)."),
        ("roman", "Name one of: greek, m\u00e9tis."),
    ],
)
def test_a_reference_is_written_as_in_the_file(tmp_path: Path, reference: str, remedy: str) -> None:
    (tmp_path / "t.csv").write_text("template_id,family,template\nt,f,[NAME] sings\n")
    (tmp_path / "n.csv").write_text(
        "name_id,name,group\na,Ana,greek\nb,Bo,m\u00e9tis\n", encoding="utf-8"
    )
    raw = {
        "study": "s",
        "results": str(tmp_path),
        "prompts": {"templates": str(tmp_path / "t.csv"), "names": str(tmp_path / "n.csv")},
        "models": {"m": {"engine": "openai", "base_url": "http://localhost/v1", "model": "m"}},
        "analysis": {"dimensions": {"group": {"reference": reference}}},
    }
    with pytest.raises(InputError, match="is no group of") as raised:
        check_inputs(load_config(raw, where="x"), where="x")
    assert raised.value.remedy == remedy
