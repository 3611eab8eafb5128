"""Whether a difference is shown to be small: one-sided tests against a margin on either side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from refusal_parity.statistics.distributions import t_isf, t_sf

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.distributions import Numbers

_FARTHEST: Final = 100.0
"""No statistic is farther from 0."""
_HALVINGS: Final = 60
"""Of the interval that a statistic is sought in: 1e-16 are left."""


class TwoOneSided(NamedTuple):
    """Outcome of two one-sided t tests, each of the shape of the differences.

    Attributes:
        statistic: the smaller of the two t statistics, which decides.
        p_value: the larger of the two p-values.
        low: lower end of the 1 - 2 alpha interval.
        high: its upper end.
    """

    statistic: Any
    p_value: Any
    low: Any
    high: Any


def two_one_sided(
    difference: Numbers, std_error: Numbers, df: Numbers, *, margin: float, alpha: float
) -> TwoOneSided:
    """Test that a difference of means lies outside -margin to margin (TOST).

    t = min((b + m) / se, (m - b) / se) and p = P(T > t) with df degrees of
    freedom, the larger of the two one-sided p-values. p < alpha exactly where
    the 1 - 2 alpha interval b -+ t(1 - alpha; df) se lies within the margin
    (Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics
    15:657-680). It controls the type I error where the t test
    behind it does: not of rates near 0 or 1, whose standard errors are small
    where they are estimated to be small.

    Args:
        difference: estimate b.
        std_error: its standard error, above 0.
        df: degrees of freedom of t.
        margin: m, the largest difference that counts as none, above 0.
        alpha: level of each of the two tests.
    """
    statistic = (margin - np.abs(difference)) / std_error
    half_width = t_isf(alpha, df) * std_error
    return TwoOneSided(
        statistic, t_sf(statistic, df), difference - half_width, difference + half_width
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RatePairs:
    """Pairs of rates that are compared; all arrays have one shape.

    Attributes:
        difference: estimate of the first rate less the second.
        ours: the first rate p, within [0, 1].
        others: the second rate q.
        our_size: independent responses that would tell p as precisely.
        other_size: that would tell q.
        correlation: of the errors of both, from 0 to 1.
    """

    difference: FloatArray
    ours: FloatArray
    others: FloatArray
    our_size: FloatArray
    other_size: FloatArray
    correlation: FloatArray

    def limit(self, z: FloatArray, *, upper: bool) -> FloatArray:
        """An end of the interval that reaches z standard errors; below 0 the other way.

        From Wilson's limits (l, u) of both rates at their sizes, the upper one lies above
        the difference by the root of (u_p - p)^2 + (q - l_q)^2 - 2 r (u_p - p) (q - l_q),
        the lower one below it likewise (Newcombe 1998, Statistics in Medicine
        17:2635-2650; Zou and Donner 2008, ibid. 27:1693-1702).
        """
        up = (z > 0) == upper
        reach = np.abs(z)
        a = _distance(self.ours, self.our_size, reach, up=up)
        b = _distance(self.others, self.other_size, reach, up=~up)
        square = a**2 + b**2 - 2 * self.correlation * a * b
        reached = np.where(up, 1, -1) * np.sqrt(np.maximum(square, 0))
        return np.asarray(self.difference + reached, dtype=np.float64)

    def within(self, margin: float, df: FloatArray, alpha: float) -> TwoOneSided:
        """Test that the difference lies outside -margin to margin.

        The statistic is the z of the interval that just reaches the margin, p = P(T > z)
        with df degrees of freedom. p < alpha exactly where the 1 - 2 alpha interval,
        with z = t(1 - alpha; df), lies within the margin. Wilson's limits take the variance
        from the rate that is tested, and so hold near 0 and 1.

        Args:
            margin: the largest difference that counts as none, above 0.
            df: degrees of freedom of the difference's variance.
            alpha: level of each of the two tests.
        """
        low = np.full(np.shape(self.difference), -_FARTHEST)
        high = -low
        for _ in range(_HALVINGS):
            z = (low + high) / 2
            inside = (self.limit(z, upper=True) < margin) & (self.limit(z, upper=False) > -margin)
            low, high = np.where(inside, z, low), np.where(inside, high, z)
        z = (low + high) / 2 + 0 * self.difference
        reach = t_isf(alpha, df) + 0 * z
        return TwoOneSided(
            z,
            t_sf(z, df),
            np.maximum(self.limit(reach, upper=False), -1),
            np.minimum(self.limit(reach, upper=True), 1),
        )


def _distance(rate: FloatArray, size: FloatArray, z: FloatArray, *, up: FloatArray) -> FloatArray:
    """From a rate to Wilson's limit above or below it."""
    w = z**2 / size
    half = np.sqrt(w * (rate * (1 - rate) + w / 4))
    shift = w * (0.5 - rate)
    return np.asarray((half + np.where(up, shift, -shift)) / (1 + w), dtype=np.float64)
