"""Intervals of proportions, as if all responses were independent."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.distributions import norm_isf

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray


class Interval(NamedTuple):
    """Lower and upper ends, arrays of one shape."""

    low: FloatArray
    high: FloatArray


def wilson(k: FloatArray, n: FloatArray, alpha: float) -> Interval:
    """Score interval of a proportion (Wilson 1927, JASA 22:209-212).

    The ends are (k + z^2/2 -+ z sqrt(k (n - k) / n + z^2/4)) / (n + z^2) with
    z the 1 - alpha/2 quantile of the normal distribution.

    Args:
        k: responses with the outcome, any shape.
        n: responses, same shape; where 0, the ends are NaN.
        alpha: 1 less the level of the interval.
    """
    z = norm_isf(alpha / 2)
    trials = np.where(n > 0, n, np.nan)
    middle = (k + z**2 / 2) / (trials + z**2)
    half = z * np.sqrt(k * (trials - k) / trials + z**2 / 4) / (trials + z**2)
    return Interval(np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1))
