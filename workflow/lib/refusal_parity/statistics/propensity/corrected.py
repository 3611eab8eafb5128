"""Weighed rates of levels, corrected by what people say of a sample of the responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.factors import is_listed
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.corrected_levels import corrected_levels
from refusal_parity.statistics.human_sample import is_voted_on
from refusal_parity.statistics.methods.design_based import read_by_people
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.corrected_levels import RateInterval


def corrected_rates(sample: pl.DataFrame, analysis: AnalysisConfig) -> dict[str, dict[str, Any]]:
    """The corrected weighed rate of each level with an interval, or why there is none.

    The rate is that whose differences `design_based` gives; its interval is Wilson's at the
    number of responses that say as much (`CorrectedLevels.intervals`).

    Args:
        sample: rows of `weighed_sample`, of one model, with the level as `group`.
        analysis: alpha.

    Returns:
        Columns of `PropensityLevels` by level.
    """
    levels = sample["group"].unique().sort().to_list()
    kept, short = read_by_people(sample, "group", levels, Outcome.REFUSAL)
    read = sample.filter(is_voted_on()).group_by("group")
    counts = {
        level: {"human_labels": n, "human_leaf_labels": given}
        for level, n, given in read.agg(
            n=pl.len(), given=(pl.col("opening") != "").sum()
        ).iter_rows()
    }
    fit = corrected_levels(kept, "group", levels)
    scope = Scope.NEW_NAMES if is_listed(sample) else Scope.NEW_NAMES_AND_TEMPLATES
    found = (
        {}
        if fit is None
        else dict(zip(fit.means.levels, fit.intervals(scope, analysis.alpha), strict=True))
    )
    return {
        level: counts.get(level, {}) | _columns(found.get(level), short.get(level))
        for level in levels
    }


_NO_INTERVAL: Final = "one name or template, nothing varies, or no rate is above 0: no interval"


def _columns(interval: RateInterval | None, reason: str | None) -> dict[str, Any]:
    if interval is None:
        return {"corrected_note": reason or _NO_INTERVAL}
    return {
        "corrected_rate": interval.rate,
        "corrected_error": interval.std_error,
        "corrected_low": interval.low,
        "corrected_high": interval.high,
    }
