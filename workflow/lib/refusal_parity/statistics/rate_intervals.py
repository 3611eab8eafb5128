"""Intervals and tests of rates at the number of independent responses that theirs are worth.

Where a rate is near 0 or 1, or nothing occurred at all, an estimated variance says little
or nothing. Wilson's interval takes the variance from the rate that it tests, and needs only
how much less than independent ones a level's responses say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.special import gammaincinv

from refusal_parity.statistics.designs.nested import UnitCounts, moments_of
from refusal_parity.statistics.distributions import norm_isf, norm_sf, t_isf
from refusal_parity.statistics.proportions import Interval, quantile_of, together, wilson_limits

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import BoolArray, FloatArray, IntArray
    from refusal_parity.statistics.designs.nested import LevelMoments

_LARGEST: Final = 8.0
"""No p-value of a difference is below that of so many standard errors, 1.2e-15."""

_FEW: Final = 6
"""Occurrences up to which Wilson's lower end is too high (Brown, Cai and DasGupta)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Differences between the rates of pairs of levels.

    Attributes:
        moments: of all levels.
        group: code of one level of each pair, shape (pairs,).
        reference: code of the other.
    """

    moments: LevelMoments
    group: IntArray
    reference: IntArray

    @property
    def estimate(self) -> FloatArray:
        """Shape (studies, pairs)."""
        mean = self.moments.mean
        return np.asarray(mean[:, self.group] - mean[:, self.reference], dtype=np.float64)

    def interval(self, alpha: float) -> Interval:
        """Of each difference; the correlation of both rates is taken account of.

        By `proportions.together` of `rate_interval` of both rates.
        """
        below, above = self._reach(np.full(self.estimate.shape, norm_isf(alpha / 2)))
        return Interval(np.maximum(self.estimate - below, -1), np.minimum(self.estimate + above, 1))

    def reach(self, value: float) -> FloatArray:
        """How many standard errors away a value is: z of the interval that ends there.

        Above 0 where the difference is above the value; shape (studies, pairs).
        """
        away = self.estimate - value

        def is_reached(z: FloatArray) -> BoolArray:
            below, above = self._reach(z)
            return np.asarray(~(np.where(away < 0, above, below) < np.abs(away)))

        found = np.where(away == 0, 0, quantile_of(is_reached, away, farthest=_LARGEST))
        return np.asarray(np.sign(away) * found + 0 * self.estimate, dtype=np.float64)

    def _reach(self, z: FloatArray) -> Interval:
        """From each difference to both ends of its interval."""
        at = (self.group, self.reference)
        ours, others = (rate_interval(self.moments, z, each) for each in at)
        p, q = (self.moments.mean[:, each] for each in at)
        return together((p, q), (ours, others), self._correlation)

    @property
    def _correlation(self) -> FloatArray:
        """Of both rates, drawn in towards 0 by Newcombe's correction for few units."""
        moments = self.moments
        both = moments.covariance[:, self.group, self.reference]
        units = np.minimum(moments.effective[self.group], moments.effective[self.reference])
        drawn = np.sign(both) * np.maximum(np.abs(both) - 1 / (2 * units**2), 0)
        size = moments.variance[:, self.group] * moments.variance[:, self.reference]
        return np.where(size > 0, drawn / np.sqrt(np.where(size > 0, size, 1)), 0)


def two_sided(z: FloatArray) -> FloatArray:
    """P-value of a distance of `Differences.reach`."""
    return np.asarray(2 * norm_sf(np.abs(z)), dtype=np.float64)


def rate_interval(moments: LevelMoments, z: FloatArray, level: IntArray) -> Interval:
    """Wilson's interval of a rate p at the effective number of responses n.

    It would be n = p (1 - p) / V with V the variance by unit. As V is an estimate, n is
    smaller by (z / t)^2, t as far out in Student's distribution as z is in the normal one
    (Dean and Pagano 2015, Journal of Survey Statistics and Methodology 3:484-503); its
    degrees of freedom are no more than the units in which the rarer of both answers
    occurs. n is at most the number of responses, and at least Kish's number of units, as
    if all responses of a unit were one; that it is where p is 0 or 1 and nothing is known
    of their likeness. Few occurrences in n, k = n p, put the lower end at no more than
    the Poisson limit G^-1(alpha; k) / n, G the gamma distribution, for k up to 6 (Brown, Cai and
    DasGupta 2001, Statistical Science 16:101-133), the upper end likewise.

    Args:
        moments: of all levels.
        z: above 0, shape (studies, columns).
        level: code of the level of each column, shape (columns,).

    Returns:
        Ends of shape (studies, columns); NaN for a level with one unit.
    """
    p, variance = moments.mean[:, level], moments.variance[:, level]
    tail = norm_sf(z)
    t = t_isf(tail, np.minimum(moments.df[level], moments.rarer[:, level]))
    least = moments.effective[level] + 0 * variance
    spread = p * (1 - p)
    with np.errstate(divide="ignore", invalid="ignore"):
        n = np.clip(spread / variance * (z / t) ** 2, least, moments.responses[level])
    n = np.where(spread > 0, n, least)
    ends = wilson_limits(p, n, z)
    low = np.minimum(ends.low, _poisson(n * p, tail) / n)
    high = np.maximum(ends.high, 1 - _poisson(n * (1 - p), tail) / n)
    return Interval(
        np.where(p > 0, np.clip(low, 0, 1), 0 * variance),
        np.where(p < 1, np.clip(high, 0, 1), 1 + 0 * variance),
    )


def _poisson(k: FloatArray, tail: FloatArray) -> FloatArray:
    """Lower limit of what is expected where k occurred, no limit where these are not few."""
    few = k <= _FEW
    return np.where(few, gammaincinv(np.where(few, k, 1), 2 * tail), np.inf)


class UnitRates(NamedTuple):
    """Standard error and interval of each level's rate, three arrays of shape (levels,)."""

    std_error: FloatArray
    low: FloatArray
    high: FloatArray


def rates_of_units(
    level: IntArray, unit: IntArray, n: FloatArray, k: FloatArray, alpha: float
) -> UnitRates:
    """Rates of levels with errors by unit, and `rate_interval` of each.

    Args:
        level: code, shape (cells,); every one occurs.
        unit: code, likewise; of several cells where a set of prompts is the unit.
        n: responses.
        k: of them with the outcome.
        alpha: 1 less the level of the intervals.
    """
    pairs, row = np.unique(np.column_stack([level, unit]), axis=0, return_inverse=True)
    counts, hits = (
        np.bincount(row.ravel(), each, len(pairs)).astype(np.float64) for each in (n, k)
    )
    levels = int(level.max()) + 1
    moments = moments_of(UnitCounts(pairs[:, 0], pairs[:, 1], counts), hits[None], levels)
    z = np.full((1, levels), float(norm_isf(alpha / 2)))
    interval = rate_interval(moments, z, np.arange(levels))
    return UnitRates(np.sqrt(moments.variance[0]), interval.low[0], interval.high[0])
