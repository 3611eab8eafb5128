"""How precisely differences are known at each stage."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import t

from refusal_parity.config import AnalysisConfig
from refusal_parity.outcomes import Outcome
from refusal_parity.progress import progress_of
from refusal_parity.statistics.designs.counts import build_designs
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.fits.least_squares import least_squares
from refusal_parity.statistics.precision import precisions
from refusal_parity.statistics.variances.effective import effective

LEVELS = ("north", "south", "west")


def _analysis(half_width: float) -> AnalysisConfig:
    rule = {"half_width": half_width, "grow": "templates", "stages": [20, 30, 40]}
    return AnalysisConfig.model_validate(
        {"dimensions": {"group": {"reference": "north"}}, "outcomes": ["refusal"],
         "stop_when": rule}
    )  # fmt: skip


def _observations(
    models: dict[str, float], templates: int = 30, lost: str | None = None
) -> pl.DataFrame:
    random = np.random.default_rng(3)
    rows: list[dict[str, Any]] = [
        {
            "model": model, "template_id": f"t{at}", "text_id": f"t{at}",
            "name_id": f"{group}{name}", "name": f"{group}{name}", "group": group,
            "label": None if group == lost else "refusal" if random.random() < rate else "answer",
        }
        for model, rate in models.items()
        for at in range(templates)
        for group in LEVELS
        for name in range(8)
    ]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


STAGES = [(size, pl.col("template_id").str.slice(1).cast(pl.Int64) < size) for size in (20, 30)]


def test_a_stage_has_what_its_own_responses_say() -> None:
    analysis = _analysis(0.15)
    both = precisions(_observations({"m": 0.3}), analysis, STAGES)
    first = precisions(_observations({"m": 0.3}, 20), analysis, STAGES[:1])
    assert both["stage"].to_list() == [1, 1, 2, 2]
    assert both["group"].to_list() == ["south", "west"] * 2
    # The responses of the first twenty templates are the same ones in both.
    assert both.filter(pl.col("stage") == 1)["half_width"].equals(first["half_width"])
    assert both["responses"].to_list() == [320, 320, 480, 480]
    widths = both["half_width"].to_numpy()
    assert (widths[:2] > widths[2:]).all()
    assert both["enough"].to_list() == (widths <= 0.15).tolist()


@pytest.mark.parametrize(
    ("half_width", "enough", "due", "passed"),
    [(0.05, False, True, []), (0.9, True, False, [1])],
    ids=["too wide", "narrow"],
)
def test_every_model_has_to_be_narrow_enough(
    half_width: float, passed: list[int], *, enough: bool, due: bool
) -> None:
    analysis = _analysis(half_width)
    assert analysis.stop_when is not None
    table = precisions(_observations({"m": 0.3, "rare": 0.01}), analysis, STAGES)
    progress = progress_of(table, analysis.stop_when)
    assert (progress.present.number, progress.present.enough) == (2, enough)
    assert progress.is_due == due
    assert [stage.number for stage in progress.passed] == passed
    widths = progress.present.half_widths
    assert set(widths) == {"m", "rare"}
    assert (widths["m"] or 0) > (widths["rare"] or 1)
    # Between the widths of both, the study goes on for the wider one.
    between = _analysis(((widths["m"] or 0) + (widths["rare"] or 0)) / 2)
    assert between.stop_when is not None
    held = precisions(_observations({"m": 0.3, "rare": 0.01}), between, STAGES)
    found = progress_of(held, between.stop_when)
    assert found.is_due
    assert "rare" not in found.standing()
    assert "(m ±" in found.standing()


def test_a_difference_that_is_not_known_is_never_precise_enough() -> None:
    analysis = _analysis(0.9)
    assert analysis.stop_when is not None
    table = precisions(_observations({"m": 0.3}, lost="west"), analysis, STAGES)
    rows = table.filter(pl.col("group") == "west")
    assert rows["half_width"].null_count() == len(rows) == 2
    assert not rows["enough"].any()
    progress = progress_of(table, analysis.stop_when)
    assert progress.is_due
    assert "m with a difference that is not known" in progress.standing()


_NAME = pl.col("name_id").str.slice(-1).cast(pl.Int64)


@pytest.mark.parametrize(
    ("gone", "known"),
    [
        (_NAME > 2, False),
        (_NAME > 3, True),
        (pl.col("template_id").str.slice(1).cast(pl.Int64) > 2, False),
        (pl.col("arm") == "strict", False),
        (pl.lit(value=False), True),
    ],
    ids=["three names", "four names", "three templates", "one arm", "none"],
)
def test_what_losses_leave_no_finding_of_is_never_precise_enough(
    gone: pl.Expr, *, known: bool
) -> None:
    """A study had stopped, as narrow enough, where no difference was tested."""
    analysis = _analysis(0.99)
    assert analysis.stop_when is not None
    plain, strict = (
        _observations({"m": rate}).with_columns(arm=pl.lit(arm))
        for arm, rate in (("plain", 0.1), ("strict", 0.7))
    )
    counts = ~((pl.col("group") == "west") & gone)
    rows = pl.concat([plain, strict]).with_columns(label=pl.when(counts).then("label"))
    table = precisions(rows, analysis, STAGES)
    of_west = pl.col("group") == "west"
    assert table.filter(of_west)["half_width"].is_not_null().to_list() == [known] * 2
    assert table.filter(~of_west)["enough"].all()
    assert progress_of(table, analysis.stop_when).is_due is not known


def test_a_stage_with_the_reference_alone_has_no_half_width_and_fails_at_nothing() -> None:
    rows = _observations({"m": 0.3})
    early = pl.col("template_id").str.slice(1).cast(pl.Int64) < 20
    gone = early & (pl.col("group") != "north")
    said: list[str] = []
    table = precisions(
        rows.with_columns(label=pl.when(~gone).then("label")), _analysis(0.9), STAGES, said.append
    )
    assert table.filter(stage=1)["half_width"].null_count() == 2
    assert table.filter(stage=2)["half_width"].null_count() == 0
    assert said == []


def test_a_stage_without_the_reference_has_no_half_width() -> None:
    """One model answered nobody of the reference in the first twenty templates."""
    rows = _observations({"m": 0.3, "n": 0.3})
    early = pl.col("template_id").str.slice(1).cast(pl.Int64) < 20
    gone = early & (pl.col("model") == "n") & (pl.col("group") == "north")
    table = precisions(
        rows.with_columns(label=pl.when(~gone).then("label")), _analysis(0.9), STAGES
    )
    whole = precisions(rows, _analysis(0.9), STAGES)
    first = (pl.col("model") == "n") & (pl.col("stage") == 1)
    assert table.filter(first)["half_width"].null_count() == 2
    assert table.filter(first)["responses"].to_list() == [160, 160]
    assert not table.filter(first)["enough"].any()
    others = pl.col("model") == "m"
    assert table.filter(others).equals(whole.filter(others))
    assert table.filter(~first)["half_width"].null_count() == 0


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_half_widths_are_of_differences_from_the_reference_alone(alpha: float) -> None:
    """Two of them: t's limits at alpha / 2, of too few templates for any other quantile."""
    rows = _observations({"m": 0.3}, 8)
    design = build_designs(rows, "group", LEVELS, [Outcome.REFUSAL])[Outcome.REFUSAL]
    studies = replace(Studies.of([design]), every_pair=False)
    assert [pair.reference for pair in studies.pairs] == ["north", "north"]
    found = effective(least_squares(studies))
    ends = found.rates.limits(np.asarray(t.isf(alpha / 4, found.df)))
    analysis = _analysis(0.9).model_copy(update={"alpha": alpha})
    table = precisions(rows, analysis, [(20, pl.lit(value=True))])
    assert table["half_width"].to_list() == pytest.approx(((ends.high - ends.low) / 2)[0])
    assert table["reference"].unique().to_list() == ["north"]


@pytest.mark.parametrize(("ratio", "enough"), [(1.0, True), (0.999, False)])
def test_as_narrow_as_asked_for_is_enough(ratio: float, *, enough: bool) -> None:
    rows = _observations({"m": 0.3}, 20).filter(pl.col("group") != "west")
    [width] = precisions(rows, _analysis(0.9), STAGES[:1])["half_width"]
    table = precisions(rows, _analysis(ratio * width), STAGES[:1])
    assert table["enough"].to_list() == [enough]


def test_the_last_stage_is_the_last_however_wide() -> None:
    analysis = _analysis(0.05)
    assert analysis.stop_when is not None
    stages = [*STAGES, (40, pl.lit(value=True))]
    table = precisions(_observations({"m": 0.3}, 40), analysis, stages)
    progress = progress_of(table, analysis.stop_when)
    assert not progress.is_due
    assert "ended at stage 3 of 3 (40 templates), the last, with intervals" in progress.standing()
