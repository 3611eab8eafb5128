"""Intervals and tests of rates at the number of independent responses that theirs are worth.

Where a rate is near 0 or 1, or nothing occurred at all, an estimated variance says little
or nothing. Wilson's interval takes the variance from the rate that it tests, and needs only
how much less than independent ones a level's responses say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Self

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


class UnitRate(NamedTuple):
    """Rates, and what their units say of their errors; arrays of one shape.

    Attributes:
        rate: of responses.
        variance: its estimate by unit (`nested.moments_of`).
        df: degrees of freedom of the variance, no more than the units in which the rarer of
            both answers occurs.
        least: units, by Kish: as few independent responses say as much at least.
        responses: as many at most.
    """

    rate: FloatArray
    variance: FloatArray
    df: FloatArray
    least: FloatArray
    responses: FloatArray

    @classmethod
    def of(cls, moments: LevelMoments, level: IntArray) -> Self:
        """Rates of the levels with these codes, arrays of shape (studies, columns)."""
        rate = moments.mean[:, level]
        return cls(
            rate,
            moments.variance[:, level],
            np.minimum(moments.df[level], moments.rarer[:, level]),
            moments.effective[level] + 0 * rate,
            moments.responses[level] + 0 * rate,
        )

    def interval(self, z: FloatArray) -> Interval:
        """Wilson's interval of a rate p at the effective number of responses n.

        It would be n = p (1 - p) / V with V the variance by unit. As V is an estimate, n is
        smaller by (z / t)^2, t as far out in Student's distribution as z is in the normal one
        (Dean and Pagano 2015, Journal of Survey Statistics and Methodology 3:484-503). n is at
        most the number of responses, and at least Kish's number of units, as if all responses
        of a unit were one; that it is where p is 0 or 1 and nothing is known of their
        likeness. Few occurrences in n, k = n p, put the lower end at no more than the Poisson
        limit G^-1(alpha; k) / n, G the gamma distribution, for k up to 6 (Brown, Cai and
        DasGupta 2001, Statistical Science 16:101-133), the upper end likewise.

        Args:
            z: above 0, of the shape of the rates.

        Returns:
            Ends of that shape; NaN for a level with one unit.
        """
        p, variance = self.rate, self.variance
        tail = norm_sf(z)
        t = t_isf(tail, self.df)
        spread = p * (1 - p)
        with np.errstate(divide="ignore", invalid="ignore"):
            n = np.clip(spread / variance * (z / t) ** 2, self.least, self.responses)
        n = np.where(spread > 0, n, self.least + 0 * variance)
        ends = wilson_limits(p, n, z)
        low = np.minimum(ends.low, _poisson(n * p, tail) / n)
        high = np.maximum(ends.high, 1 - _poisson(n * (1 - p), tail) / n)
        return Interval(
            np.where(p > 0, np.clip(low, 0, 1), 0 * variance),
            np.where(p < 1, np.clip(high, 0, 1), 1 + 0 * variance),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Differences between two rates each, arrays of one shape.

    Attributes:
        group: rates of one level of each pair.
        reference: of the other.
        correlation: of the errors of both.
    """

    group: UnitRate
    reference: UnitRate
    correlation: FloatArray

    @classmethod
    def of(cls, moments: LevelMoments, group: IntArray, reference: IntArray) -> Self:
        """Those of pairs of levels, arrays of shape (studies, pairs).

        The correlation is drawn in towards 0 by Newcombe's correction for few units.

        Args:
            moments: of all levels.
            group: code of one level of each pair, shape (pairs,).
            reference: code of the other.
        """
        both = moments.covariance[:, group, reference]
        units = np.minimum(moments.effective[group], moments.effective[reference])
        drawn = np.sign(both) * np.maximum(np.abs(both) - 1 / (2 * units**2), 0)
        size = moments.variance[:, group] * moments.variance[:, reference]
        return cls(
            group=UnitRate.of(moments, group),
            reference=UnitRate.of(moments, reference),
            correlation=np.where(size > 0, drawn / np.sqrt(np.where(size > 0, size, 1)), 0),
        )

    @property
    def estimate(self) -> FloatArray:
        """Of the shape of the rates."""
        return np.asarray(self.group.rate - self.reference.rate, dtype=np.float64)

    def limits(self, z: FloatArray) -> Interval:
        """Of each difference at quantiles; the correlation of both rates is taken account of.

        By `proportions.together` of `UnitRate.interval` of both rates.

        Args:
            z: of the normal distribution, of the shape of the rates or of none.
        """
        below, above = self._reach(z)
        return Interval(np.maximum(self.estimate - below, -1), np.minimum(self.estimate + above, 1))

    def interval(self, alpha: float) -> Interval:
        """Those of level 1 - alpha."""
        return self.limits(np.asarray(norm_isf(alpha / 2)))

    def reach(self, value: float) -> FloatArray:
        """How many standard errors away a value is: z of the interval that ends there.

        Above 0 where the difference is above the value; of the shape of the rates, NaN where
        a variance is.
        """
        away = self.estimate - value

        def is_reached(z: FloatArray) -> BoolArray:
            below, above = self._reach(z)
            return np.asarray(~(np.where(away < 0, above, below) < np.abs(away)))

        found = np.where(away == 0, 0, quantile_of(is_reached, away, farthest=_LARGEST))
        unknown = 0 * (self.group.variance + self.reference.variance)
        return np.asarray(np.sign(away) * found + unknown, dtype=np.float64)

    def _reach(self, z: FloatArray) -> Interval:
        """From each difference to both ends of its interval."""
        ours, others = self.group, self.reference
        limits = ours.interval(z), others.interval(z)
        return together((ours.rate, others.rate), limits, self.correlation)


def two_sided(z: FloatArray) -> FloatArray:
    """P-value of a distance of `Differences.reach`."""
    return np.asarray(2 * norm_sf(np.abs(z)), dtype=np.float64)


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
    """Rates of levels with errors by unit, and `UnitRate.interval` of each.

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
    interval = UnitRate.of(moments, np.arange(levels)).interval(z)
    return UnitRates(np.sqrt(moments.variance[0]), interval.low[0], interval.high[0])
