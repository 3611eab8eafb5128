"""The difference between two sides' means: its interval and its test, by one method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from refusal_parity.preference.moments import moments_of, unmatched
from refusal_parity.preference.places import FEWEST
from refusal_parity.statistics.distributions import norm_isf, t_isf, t_sf
from refusal_parity.statistics.rate_intervals import Differences, UnitRate, two_sided

if TYPE_CHECKING:
    from refusal_parity.preference.moments import Observed
    from refusal_parity.statistics.designs.nested import LevelMoments
    from refusal_parity.statistics.proportions import Interval

_GROUP: Final = np.array([0])
_OTHER: Final = np.array([1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The group's mean less the other side's.

    Attributes:
        mean_group: of the group's conversations.
        mean_other: of the other side's, weighed where strata are.
        estimate: the difference.
        ci_low: end of its interval, None where there is none.
        ci_high: likewise.
        p_value: of no difference, None where nothing is tested.
        note: why a number is missing.
    """

    mean_group: float | None
    mean_other: float | None
    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    note: str | None


def difference(group: Observed, other: Observed, *, binary: bool, alpha: float) -> Difference:
    """Compare two sides.

    Of a measure that is 0 or 1, the interval is Newcombe's of two Wilson intervals at the
    number of independent conversations that the clusters are worth, and the p-value is
    that of the interval that ends at 0 (`statistics.rate_intervals`). Of a length it is Welch's
    t interval with CR2 errors by cluster and Satterthwaite's degrees of freedom.

    Args:
        group: conversations of the group.
        other: those that it is compared with.
        binary: whether the measure is 0 or 1.
        alpha: 1 less the level of the interval.
    """
    note = _lacking(group, other)
    if note is not None:
        return Difference(
            mean_group=_mean(group), mean_other=None, estimate=None,
            ci_low=None, ci_high=None, p_value=None, note=note,
        )  # fmt: skip
    moments = moments_of(group, other)
    if not binary:
        low, high, p = _of_means(moments, alpha)
    elif moments.mean[0, 0] in (0, 1) and moments.mean[0, 0] == moments.mean[0, 1]:
        low, high, p = _of_rates(moments, alpha)
        note, p = "the measure does not vary", np.nan
    else:
        low, high, p = _of_rates(moments, alpha)
    found = [_known(each) for each in (low, high, p)]
    if any(each is None for each in found) and note is None:
        note = "the measure does not vary between clusters"
    return Difference(
        mean_group=float(moments.mean[0, 0]),
        mean_other=float(moments.mean[0, 1]),
        estimate=float(moments.mean[0, 0] - moments.mean[0, 1]),
        ci_low=found[0], ci_high=found[1], p_value=found[2], note=note,
    )  # fmt: skip


def own_interval(observed: Observed, *, binary: bool, alpha: float) -> Interval | None:
    """The interval of one side's own mean; none for fewer than two clusters."""
    if observed.clusters < 2:  # noqa: PLR2004 - one cluster is no sample
        return None
    moments = moments_of(observed, observed)
    if binary:
        return UnitRate.of(moments, _GROUP).interval(np.full((1, 1), norm_isf(alpha / 2)))
    from refusal_parity.statistics.proportions import Interval  # noqa: PLC0415

    half = t_isf(alpha / 2, moments.df[0]) * np.sqrt(moments.variance[:, :1])
    mean = moments.mean[:, :1]
    return Interval(mean - half, mean + half)


def _lacking(group: Observed, other: Observed) -> str | None:
    fewest = min(group.clusters, other.clusters)
    if fewest < FEWEST:
        return f"fewer than {FEWEST} different openings"
    return unmatched(group, other)


def _of_rates(moments: LevelMoments, alpha: float) -> tuple[float, float, float]:
    found = Differences.of(moments, _GROUP, _OTHER)
    interval = found.interval(alpha)
    p = two_sided(found.reach(0.0))
    return float(interval.low[0, 0]), float(interval.high[0, 0]), float(p[0, 0])


def _of_means(moments: LevelMoments, alpha: float) -> tuple[float, float, float]:
    variance, df = (each[0, 0] for each in moments.of_difference(_GROUP, _OTHER))
    if not variance > 0:
        return np.nan, np.nan, np.nan
    estimate = float(moments.mean[0, 0] - moments.mean[0, 1])
    error = float(np.sqrt(variance))
    half = float(t_isf(alpha / 2, df)) * error
    return estimate - half, estimate + half, float(2 * t_sf(abs(estimate) / error, df))


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _mean(side: Observed) -> float | None:
    return float(side.value.mean()) if len(side.value) else None
