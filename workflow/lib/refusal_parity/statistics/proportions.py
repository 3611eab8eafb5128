"""Intervals of proportions and of their differences, that stay within what they can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from refusal_parity.statistics.distributions import norm_isf

if TYPE_CHECKING:
    from collections.abc import Callable

    from refusal_parity.statistics.designs.counts import BoolArray, FloatArray

_FARTHEST: Final = 64.0
"""Quantile beyond which no test looks: its p-value is 0."""
_HALVINGS: Final = 48
"""Of the range that a quantile is sought in: 2e-13 are left."""


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


def together(
    rates: tuple[FloatArray, FloatArray], limits: tuple[Interval, Interval], correlation: FloatArray
) -> Interval:
    """How far the limits of a difference lie below and above it, from those of both rates.

    Below by the root of (p - l)^2 + (u' - p')^2 - 2 r (p - l) (u' - p') with l and u the
    limits of the first rate p, l' and u' those of the second p', and r the correlation of
    their errors; above likewise (Newcombe 1998, Statistics in Medicine 17:873-890, method
    10, and 17:2635-2650; Zou and Donner 2008, ibid. 27:1693-1702).

    Args:
        rates: both rates.
        limits: of both.
        correlation: of their errors, 0 where they have nothing in common.
    """
    (p, q), (own, other) = rates, limits

    def apart(first: FloatArray, second: FloatArray) -> FloatArray:
        square = first**2 + second**2 - 2 * correlation * first * second
        return np.asarray(np.sqrt(np.maximum(square, 0)), dtype=np.float64)

    return Interval(apart(p - own.low, other.high - q), apart(own.high - p, q - other.low))


def quantile_of(
    is_reached: Callable[[FloatArray], BoolArray],
    like: FloatArray,
    *,
    farthest: float = _FARTHEST,
) -> FloatArray:
    """The quantile from which limits reach what they are to reach, by halving.

    Args:
        is_reached: whether limits at quantiles reach it; they do from some quantile on.
        like: of the shape of the quantiles.
        farthest: the largest, where none is.
    """
    low, high = np.zeros_like(like), np.full_like(like, farthest)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        reached = is_reached(middle)
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return low


class TwoRates(NamedTuple):
    """A difference of two rates, and how surely each of these is known; arrays of one shape.

    Attributes:
        difference: the group's less the reference's; not that of the two rates where it is
            adjusted for templates.
        rate: of the group.
        reference: of the reference.
        n: independent responses that would say as much of the group as its own do.
        n_reference: the same of the reference.
        correlation: of the errors of both rates.
    """

    difference: FloatArray
    rate: FloatArray
    reference: FloatArray
    n: FloatArray
    n_reference: FloatArray
    correlation: FloatArray = np.zeros(())

    def limits(self, quantile: FloatArray) -> Interval:
        """Limits of the difference from Wilson's of both rates (`together`), within [-1, 1].

        Args:
            quantile: z of Wilson's limits, of a shape that fits.
        """
        below, above = self._reach(quantile)
        return Interval(
            np.clip(self.difference - below, -1, 1), np.clip(self.difference + above, -1, 1)
        )

    def _reach(self, quantile: FloatArray) -> Interval:
        """How far the limits lie below and above the difference."""
        own = wilson_limits(self.rate, self.n, quantile)
        other = wilson_limits(self.reference, self.n_reference, quantile)
        return together((self.rate, self.reference), (own, other), self.correlation)

    def distance(self, value: float | FloatArray = 0.0) -> FloatArray:
        """The quantile at which a limit reaches a value: how far the difference is from it.

        Args:
            value: between -1 and 1, of a shape that fits.
        """
        away = self.difference - value
        size = np.abs(away)

        def is_reached(quantile: FloatArray) -> BoolArray:
            below, above = self._reach(quantile)
            return np.asarray(np.where(away > 0, below, above) >= size)

        return np.where(size > 0, quantile_of(is_reached, size), 0.0)
