"""Intervals of proportions and of their differences, that stay within what they can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from refusal_parity.statistics.distributions import norm_isf

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray

_FARTHEST: Final = 64.0
"""Quantile beyond which no test looks: its p-value is 0."""
_HALVINGS: Final = 48


class Interval(NamedTuple):
    """Lower and upper ends, arrays of one shape."""

    low: FloatArray
    high: FloatArray


def wilson(k: FloatArray, n: FloatArray, alpha: float) -> Interval:
    """Score interval of a proportion, as if all responses were independent.

    Args:
        k: responses with the outcome, any shape.
        n: responses, same shape; where 0, the ends are NaN.
        alpha: 1 less the level of the interval.
    """
    trials = np.where(n > 0, n, np.nan)
    return wilson_limits(k / trials, trials, np.asarray(norm_isf(alpha / 2)))


def wilson_limits(rate: FloatArray, n: FloatArray, quantile: FloatArray) -> Interval:
    """Score limits of a proportion (Wilson 1927, JASA 22:209-212).

    The ends are (p + z^2/2n -+ z sqrt(p (1 - p) / n + z^2/4n^2)) / (1 + z^2/n).

    Args:
        rate: p, any shape.
        n: responses, or as many as say as much as they do, same shape.
        quantile: z, of a shape that fits.
    """
    a = quantile**2 / n
    middle = (rate + a / 2) / (1 + a)
    half = np.sqrt(rate * (1 - rate) * a + a**2 / 4) / (1 + a)
    return Interval(np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1))


class TwoRates(NamedTuple):
    """A difference of two rates, and how surely each of these is known; arrays of one shape.

    Attributes:
        difference: the group's less the reference's; not that of the two rates where it is
            adjusted for templates.
        rate: of the group.
        reference: of the reference.
        n: independent responses that would say as much of the group as its own do.
        n_reference: the same of the reference.
    """

    difference: FloatArray
    rate: FloatArray
    reference: FloatArray
    n: FloatArray
    n_reference: FloatArray

    def limits(self, quantile: FloatArray) -> Interval:
        """Limits of the difference from those of both rates (MOVER, Newcombe 1998, method 10).

        d - sqrt((p - l)^2 + (u' - p')^2) and d + sqrt((u - p)^2 + (p' - l')^2) with l and u
        Wilson's limits of the group's rate p, and l' and u' those of the reference's p'
        (Statistics in Medicine 17:873-890), within [-1, 1].

        Args:
            quantile: z of Wilson's limits, of a shape that fits.
        """
        below, above = self._reach(quantile)
        return Interval(
            np.clip(self.difference - np.sqrt(below), -1, 1),
            np.clip(self.difference + np.sqrt(above), -1, 1),
        )

    def _reach(self, quantile: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Squares of how far the limits lie below and above the difference."""
        own = wilson_limits(self.rate, self.n, quantile)
        other = wilson_limits(self.reference, self.n_reference, quantile)
        below = (self.rate - own.low) ** 2 + (other.high - self.reference) ** 2
        above = (own.high - self.rate) ** 2 + (self.reference - other.low) ** 2
        return np.asarray(below, dtype=np.float64), np.asarray(above, dtype=np.float64)

    def distance(self) -> FloatArray:
        """The quantile at which a limit reaches 0: how far the difference is from none.

        By halving, since both limits move away from the difference as it grows.
        """
        square = self.difference**2
        is_more = self.difference > 0
        low, high = np.zeros_like(square), np.full_like(square, _FARTHEST)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            below, above = self._reach(middle)
            reached = np.where(is_more, below, above) >= square
            low, high = np.where(reached, low, middle), np.where(reached, middle, high)
        return np.where(square > 0, low, 0.0)
