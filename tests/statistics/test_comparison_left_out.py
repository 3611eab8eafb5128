"""Models, and levels of factors, against each other where what was refused was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from test_mixtures import observed

from refusal_parity.config import AnalysisConfig
from refusal_parity.statistics.answering.between_models import between_models
from refusal_parity.statistics.answering.finding import Finding
from refusal_parity.statistics.answering.interactions import of_factors
from refusal_parity.statistics.comparison import compare
from refusal_parity.statistics.interactions import interactions
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

ANALYSIS = AnalysisConfig.model_validate(
    {
        "outcomes": ["refusal"],
        "dimensions": {"group": {"reference": "x"}},
        "model_series": {"size": {"old": 7, "new": 14}},
    }
)
BOTH = pl.col("scope").cast(pl.String) == Scope.NEW_NAMES_AND_TEMPLATES
REFUSED, OF_Y = pl.col("label") == "refusal", pl.col("group") == "y"
EVERY_OTHER = pl.col("sample") > 0


def compared(lost: pl.Expr, rate: Callable[[dict[str, Any]], float]) -> pl.DataFrame:
    """Two models, of which the new one has some rates, and lost some responses."""
    old = observed(lambda _cell: True, lambda _cell: 0.4).with_columns(model=pl.lit("old"))
    new = observed(lambda _cell: True, rate, seed=1).with_columns(
        model=pl.lit("new"), label=pl.when(~lost).then("label")
    )
    return compare(pl.concat([old, new]), ANALYSIS, ["old", "new"])


def answers(table: pl.DataFrame) -> dict[tuple[str | None, str | None], Finding]:
    return {(each.contrast, each.group): each for each in between_models(table, ANALYSIS)}


@pytest.mark.parametrize(
    ("lost", "rate", "group", "verdict", "overturned"),
    [
        pytest.param(REFUSED & EVERY_OTHER, 0.4, None, "shown", True, id="refusals"),
        pytest.param(REFUSED & OF_Y, 0.4, "y", "shown", True, id="of a group"),
        # One response in 216 is lost; models differ by half.
        pytest.param(
            pl.col("prompt_id") == pl.col("prompt_id").first(), 0.9, None, "shown", False,
            id="hardly any",
        ),
        pytest.param(pl.lit(value=False), 0.9, None, "shown", False, id="nothing"),
        pytest.param(EVERY_OTHER, 0.4, "y", "not_shown", False, id="nothing differs"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("contrast", ["new - old", "size"])
def test_what_was_left_out_is_read_both_ways(
    contrast: str, lost: pl.Expr, rate: float, group: str | None, verdict: str, *, overturned: bool
) -> None:
    found = answers(compared(lost, lambda _cell: rate))[contrast, group]
    assert (found.verdict, found.overturned) == (verdict, overturned)
    assert bool(found.warning) == overturned
    if not overturned:
        return
    assert "read against it" in (found.warning or "")
    assert found.lowest is not None
    assert found.highest is not None
    assert found.estimate is not None
    # What is lost were all refusals, so that without loss models do not differ.
    assert found.lowest < found.estimate + 0.01 < 0.01
    assert found.highest > found.estimate


def test_bounds_are_those_of_all_responses() -> None:
    table = compared(REFUSED & EVERY_OTHER & OF_Y, lambda _cell: 0.4).filter(
        BOTH, contrast="new - old"
    )
    whole = compared(pl.lit(value=False), lambda _cell: 0.4).filter(BOTH, contrast="new - old")
    for group in (None, "y"):
        of_group = pl.col("group").eq_missing(group)
        [row], [all_there] = (each.filter(of_group).to_dicts() for each in (table, whole))
        # All that was lost is refusals: read so, nothing is lost.
        assert row["highest"] == pytest.approx(all_there["estimate"])
        assert row["highest_ci_high"] == pytest.approx(all_there["ci_high"])
        assert row["lowest"] < row["estimate"]
        assert all_there["left_out"] is None
        assert row["left_out"] > 0
    [other] = table.filter(group="z").to_dicts()
    assert (other["left_out"], other["lowest"]) == (0, None)


@pytest.mark.parametrize(
    ("lost", "warned"),
    [
        (REFUSED & OF_Y & (pl.col("arm") == "strict") & EVERY_OTHER, {("strict", None)}),
        (REFUSED & OF_Y & (pl.col("arm") == "strict"), {("strict", None), ("strict", "plain")}),
        (pl.lit(value=False), set()),
    ],
    ids=["most", "all", "nothing"],
)
def test_differences_at_levels_of_factors_say_what_rests_on_who_was_left_out(
    lost: pl.Expr, warned: set[tuple[str, str | None]]
) -> None:
    """No group differs, with any arm."""
    crossed = AnalysisConfig.model_validate(
        {
            "outcomes": ["refusal"],
            "dimensions": {"group": {"reference": "x"}, "arm": {"reference": "plain"}},
        }
    )
    study = observed(lambda _cell: True, lambda _cell: 0.4).with_columns(
        label=pl.when(~lost).then("label")
    )
    table = interactions(study, crossed).with_columns(pl.col(pl.Enum).cast(pl.String))
    start = Finding(model="m", outcome="refusal", dimension="group")
    found = of_factors(table.to_dicts(), start, 0.05)
    shown = [each for each in found if each.shown]
    assert {(each.factor_level, each.factor_base) for each in shown} >= warned
    assert all(each.overturned and each.group == "y" for each in shown)
    words = {each.warning for each in shown}
    assert all(f"difference of y names{end} rests on" in " ".join(filter(None, words))
               for end in {" less that with the system prompt plain" if base else ""
                           for _, base in warned})  # fmt: skip
    assert table.filter(group="z")["lowest"].null_count() == 3
