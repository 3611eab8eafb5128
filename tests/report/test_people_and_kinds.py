"""People's labels in a study of harmless and unsafe requests: which of them correct differences."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl
from whole_study import WholeStudy, measure

from refusal_parity.report.page import render_page
from refusal_parity.tables import Disparity, HumanLabels

if TYPE_CHECKING:
    from pathlib import Path

GROUPS = {
    "north": {"Ana": "woman", "Bo": "man", "Eve": "woman", "Flo": "woman"},
    "south": {"Cy": "man", "Dee": "woman", "Gus": "man", "Hal": "man"},
}


def some(_: str, __: str, name: str, at: int) -> str:
    """Refusals that hang on name and template; unsafe requests, the last ones, all refused."""
    return "rrrr" if at > 3 else "raaa" if (len(name) + at) % 2 else "raar"


def test_labels_of_unsafe_requests_are_counted_apart(tmp_path: Path) -> None:
    study = WholeStudy(
        groups=GROUPS,
        say=some,
        templates=("plain",) * 4 + ("other",) * 2,
        kinds=("harmless",) * 4 + ("unsafe",) * 2,
        human=(0.5, True),
        analysis={"dimensions": {"group": {"reference": "north"}}},
    )
    inputs = measure(study, tmp_path)
    # Of 8 names x 6 templates x 4 samples people labelled every second response.
    assert len(inputs[HumanLabels]) == 96
    row = inputs[Disparity].row(
        by_predicate=(pl.col("method").cast(pl.String) == "design_based")
        & (pl.col("outcome") == "refusal"),
        named=True,
    )
    assert row["estimate"] is not None
    assert row["n_group"] + row["n_reference"] == 64
    page = " ".join(re.sub("<[^>]*>", "", render_page(inputs)).split())
    assert "corrected: 64 responses, drawn by chance, were labelled by people" in page
    assert (
        "32 responses to unsafe requests, which people labelled too, correct no difference here"
        in page
    )
