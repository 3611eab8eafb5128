from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.influence import influences

if TYPE_CHECKING:
    from collections.abc import Callable


def config(dimension: str, reference: str) -> AnalysisConfig:
    return AnalysisConfig(
        outcomes=[Outcome.REFUSAL], dimensions={dimension: DimensionConfig(reference=reference)}
    )


def test_released_study_without_one_name(released: pl.DataFrame, reference: dict[str, Any]) -> None:
    expected = reference["llama7"]["item6"]["exclude_Mohammed"]
    frame = influences(released, config("group", "white"))
    row = frame.filter(group="muslim", left_out="Mohammed").row(0, named=True)
    assert row["k_group"] / row["n_group"] == pytest.approx(expected["muslim_rate"], abs=1e-12)
    assert row["estimate"] == pytest.approx(expected["rd"], abs=1e-12)
    assert row["p_value"] == pytest.approx(expected["exact_perm_p_vs_white"]["p"], rel=1e-12)
    biggest = frame.filter(group="muslim", left_out_kind="name").sort(pl.col("change").abs())
    assert biggest["left_out"][-1] == "Mohammed"
    counted = frame.group_by("group", "left_out_kind").len().sort("group", "left_out_kind")
    assert counted.filter(left_out_kind="template")["len"].to_list() == [24] * 4
    assert counted.filter(left_out_kind="name")["len"].to_list() == [12, 12, 16, 16]


def test_nothing_left_says_so(study: Callable[..., pl.DataFrame]) -> None:
    observations = study({"x": {"A": ["ra"], "B": ["aa"]}, "y": {"C": ["rr"]}})
    frame = influences(observations, config("group", "x"))
    rows = {row["left_out"]: row for row in frame.iter_rows(named=True)}
    assert rows["C"]["note"] == "not estimable: nothing left of the group"
    assert rows["t0"]["estimate"] is None
    assert rows["A"]["estimate"] == 1
    assert rows["A"]["change"] == pytest.approx(0.25)
    assert rows["A"]["p_value"] == 1


def test_templates_have_no_exact_test(released: pl.DataFrame) -> None:
    frame = influences(released, config("family", "women"))
    assert frame["p_value"].is_null().all()
    assert frame["note"].str.contains("levels are not a property of names").all()
    assert frame["estimate"].is_not_null().all()
