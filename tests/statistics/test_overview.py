from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.overview import overview
from refusal_parity.statistics.rates import rates

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

NAMES = {
    "x": {"A": ["raa", "ara"], "B": ["raa", "aaa"]},
    "y": {"C": ["rrr", "rra"], "D": ["rrr", "raa"]},
    "z": {"E": ["---", "---"], "F": ["---", "---"]},
}


def test_models_side_by_side(study: Callable[..., pl.DataFrame]) -> None:
    config = AnalysisConfig(
        outcomes=[Outcome.REFUSAL],
        dimensions={
            "group": DimensionConfig(reference="x"),
            "arm": DimensionConfig(reference="plain"),
        },
        permutations=99,
    )
    models = [study(NAMES, model=model) for model in ("second", "first")]
    tables = [(rates(model, config), disparities(model, config)) for model in models]
    frame = overview([each for each, _ in tables], [each for _, each in tables])
    assert frame.select("model", "dimension").rows() == [
        ("second", "group"),
        ("second", "arm"),
        ("first", "group"),
        ("first", "arm"),
    ]
    group, arm = frame.row(0, named=True), frame.row(1, named=True)
    assert (group["n"], group["rate"]) == (24, pytest.approx(12 / 24))
    assert (group["lowest_group"], group["highest_group"]) == ("x", "y")
    assert group["spread"] == pytest.approx(9 / 12 - 3 / 12)
    tested = tables[0][1].filter(dimension="group", method="permutation_names")
    assert group["p_value"] == tested["p_value"][0]
    few = "x and y have 2 names each, but a test takes at least 4"
    assert group["note"] == f"z has no labelled response; {few}"
    assert arm["p_value"] is None
    assert "no randomisation over names" in arm["note"]
    assert arm["spread"] == 0
