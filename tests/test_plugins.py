"""One of each thing that can be added, in a folder that nothing but a variable names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

THERE = """
import json
import polars as pl
import refusal_parity.report.figures
from refusal_parity.config import ENGINES, load_config
from refusal_parity.dimensions import DIMENSIONS
from refusal_parity.outcomes import OUTCOMES
from refusal_parity.report.figure_registry import FIGURES
from refusal_parity.report.inputs import ReportInputs
from refusal_parity.statistics.methods import METHODS
from refusal_parity.tables import TABLES, tables_of

added = {
    "echo": ENGINES,
    "hedging": OUTCOMES,
    "gender_commonness": DIMENSIONS,
    "sign_of_names": METHODS,
    "odours": TABLES,
    "odours figure": {f"{key} figure" for key in FIGURES},
}
print(json.dumps([key for key, there in added.items() if key in there]))
"""

USED = """
config = load_config(
    {
        "study": "s",
        "prompts": {"templates": "t.csv", "names": "n.csv"},
        "models": {"m": {"engine": "echo", "times": 2}},
        "analysis": {
            "outcomes": ["refusal", "hedging"],
            "dimensions": {
                "group": {"reference": "a"},
                "gender_commonness": {"reference": "woman, common"},
            },
        },
    },
    where="config",
)
assert "odours" in tables_of(config)
odours = pl.DataFrame({"model": ["m"], "strength": [config.models["m"].times]})
inputs = ReportInputs(config=config, tables={TABLES["odours"].schema: odours})
[drawing] = FIGURES["odours"].draw(inputs)
words = DIMENSIONS["gender_commonness"].words("rare woman")
readings = [each.words.heading for each in config.analysis.readings]
print(json.dumps([drawing.alt, words, readings, METHODS["sign_of_names"].heading]))
"""


def _said(root: Path, program: str, **names: str) -> list[object]:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(root / "workflow/lib")} | names,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_folder_adds_one_of_each(root: Path) -> None:
    added, used = _said(root, THERE + USED, REFUSAL_PARITY_PLUGINS=str(root / "tests/plugins"))
    assert len(added) == 6
    assert used == [
        "Parts in a million: m 2.",
        "rare woman names",
        ["Refusal", "Hedging"],
        "Sign test of the names' rates",
    ]


def test_without_the_folder_there_is_none(root: Path) -> None:
    assert _said(root, THERE, REFUSAL_PARITY_PLUGINS="") == [[]]
