"""What the responses of a cell say of its score on the probit scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import log_ndtr

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray

_REACH: Final = 6.0
"""Standard deviations on either side that are integrated over."""


def log_likelihoods(
    n: FloatArray, k: FloatArray, centre: FloatArray, variance: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Logs of cells' likelihoods under normal laws of their scores, with slopes and curves.

    By the trapezium rule, which is exact to some 1e-9 where its steps are no longer than
    the standard deviation of what is integrated.

    A response has the outcome where its cell's score and a standard normal number are above 0
    together.

    Args:
        n: responses, any shape.
        k: of them with the outcome, same shape.
        centre: mean of the law, same shape.
        variance: of the law, same shape.

    Returns:
        Logs; their derivatives in the mean; and their second derivatives, negated. Each of
        the shape given, 0 where there are no responses.
    """
    reach = _REACH * np.sqrt(variance)
    step = 1 / np.sqrt(1 / variance.min() + n.max())
    ends = min((centre - reach).min(), -1.0), max((centre + reach).max(), 1.0)
    nodes = np.linspace(*ends, int((ends[1] - ends[0]) / step) + 2)
    powers = np.stack([np.ones_like(nodes), nodes, nodes**2], axis=1)
    hit, miss = log_ndtr(nodes), log_ndtr(-nodes)
    found = np.zeros((3, *n.shape))
    # Pairs as complex numbers: rows of a table take ten times as long to sort.
    pairs = n + 1j * k
    for pair in np.unique(pairs[n > 0]):
        size, hits = pair.real, pair.imag
        mine = pairs == pair
        place, width = centre[mine], variance[mine]
        own = np.stack([1 / width, place / width, np.ones_like(width)], axis=1)
        exponent = own @ np.stack([-(nodes**2) / 2, nodes, hits * hit + (size - hits) * miss])
        top = exponent.max(axis=1)
        exponent -= top[:, None]
        mass, first, second = (np.exp(exponent, out=exponent) @ powers).T
        mean = first / mass
        whole = mass * (nodes[1] - nodes[0]) / np.sqrt(2 * np.pi * width)
        found[0][mine] = np.log(whole) + top - place**2 / (2 * width)
        found[1][mine] = (mean - place) / width
        found[2][mine] = np.maximum(1 - (second / mass - mean**2) / width, 0) / width
    log_mass, slope, curve = found
    return log_mass, slope, curve
