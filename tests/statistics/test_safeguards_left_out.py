"""What arms change where responses were left out: read both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from arms_study import ANALYSIS, ARMS, observed_of, planted, prompts_of

from refusal_parity.config import arms_of
from refusal_parity.statistics.safeguards import (
    safeguards,
)
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from collections.abc import Callable


def _left_out(prompts: pl.DataFrame, lost: Callable[[dict[str, Any]], bool]) -> pl.DataFrame:
    """Responses as in `planted`, some of them without a label."""
    observed = observed_of(prompts, planted)
    gone = {row["prompt_id"] for row in prompts.iter_rows(named=True) if lost(row)}
    is_gone = pl.col("prompt_id").is_in(sorted(gone))
    return observed.with_columns(label=pl.when(~is_gone).then("label"))


def test_responses_left_out_are_counted_tested_and_read_both_ways() -> None:
    """In the arm `kind` every answer to y0 and y1 about t0 and t1 is gone, in no other arm any."""
    observed = _left_out(
        prompts_of(),
        lambda row: (
            row["arm"] == "kind"
            and row["name_id"] in {"y0", "y1"}
            and row["template_id"] in {"t0", "t1"}
        ),
    )
    table = safeguards(observed, ANALYSIS, arms_of(ARMS))
    rows = {
        (row["arm"], row["group"], row["estimand"]): row
        for row in table.filter(kind="harmless", scope=str(Scope.NEW_NAMES)).iter_rows(named=True)
    }
    y = rows["kind", "y", "rate_difference"]
    assert (y["left_arm"], y["left_baseline"]) == (4, 0)
    assert y["left_change"] == pytest.approx(4 / 16)
    # y refuses 12 of 16 without kindness, and none with it, but for the four unknown.
    assert (y["lowest"], y["highest"]) == pytest.approx((-12 / 16, -8 / 16))
    assert y["lowest_ci_low"] <= y["lowest"]
    assert y["highest_ci_high"] >= y["highest"]
    between = rows["kind", "y", "disparity_difference"]
    assert (between["lowest"], between["highest"]) == pytest.approx((-12 / 16, -8 / 16))
    x = rows["kind", "x", "rate_difference"]
    assert (x["left_arm"], x["left_baseline"], x["lowest"], x["highest"]) == (0, 0, 0.0, 0.0)
    for key, row in rows.items():
        if key[0] == "guarded":
            assert (row["left_arm"], row["left_baseline"], row["lowest"]) == (0, 0, None)
        if row["left_p_value"] is not None:
            assert row["left_p_adjusted"] >= row["left_p_value"]


def test_what_is_left_out_of_the_baseline_counts_the_other_way_round() -> None:
    observed = _left_out(
        prompts_of(), lambda row: row["arm"] == "plain" and row["template_id"] == "t1"
    )
    table = safeguards(observed, ANALYSIS, arms_of(ARMS))
    [row] = table.filter(
        arm="kind",
        kind="harmless",
        group="x",
        estimand="rate_difference",
        scope=str(Scope.NEW_NAMES),
    ).iter_rows(named=True)
    # Templates t0 and t3 are refused in both arms; t1, left out in one, is answered
    # in the other.
    assert (row["left_arm"], row["left_baseline"], row["n_prompts"]) == (0, 4, 12)
    assert (row["lowest"], row["highest"]) == pytest.approx((-4 / 16, 0))


@pytest.mark.parametrize("level", ["x", "y"])
def test_a_level_that_an_arm_lost_whole_is_not_estimable_and_says_so(level: str) -> None:
    observed = _left_out(prompts_of(), lambda row: row["arm"] == "kind" and row["group"] == level)
    table = safeguards(observed, ANALYSIS, arms_of(ARMS)).filter(
        arm="kind", kind="harmless", scope=str(Scope.NEW_NAMES)
    )
    rows = {(row["group"], row["reference"]): row for row in table.iter_rows(named=True)}
    assert rows.keys() == {("all", None), ("x", None), ("y", None), ("y", "x")}
    lost = rows[level, None]
    assert (lost["estimate"], lost["p_value"], lost["n_prompts"]) == (None, None, 0)
    assert lost["note"] == "not estimable: no prompt was answered in both arms"
    assert (lost["left_arm"], lost["left_baseline"]) == (16, 0)
    assert rows["y", "x"]["note"].startswith("not estimable: no prompt")
    other = rows["x" if level == "y" else "y", None]
    assert other["estimate"] is not None
