"""What the responses of a cell say of its score on the probit scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.special import log_ndtr

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray, IntArray

_REACH: Final = 6.5
"""Standard deviations on either side that are integrated over, at least."""
_FINE: Final = 0.9
"""Step, in standard deviations of what is integrated: the rule is exact to some 1e-11."""
_TOGETHER: Final = 2048
"""Cells that are integrated at a time: more do not fit the processor's cache."""


class Alike(NamedTuple):
    """Cells with as many responses, as many of them with the outcome.

    Attributes:
        size: responses of each.
        hits: of them with the outcome.
        cells: places among all cells.
    """

    size: float
    hits: float
    cells: IntArray


class Cells(NamedTuple):
    """What was seen in the cells, any shape.

    Attributes:
        n: responses.
        k: of them with the outcome, same shape.
        alike: those with responses.
    """

    n: FloatArray
    k: FloatArray
    alike: tuple[Alike, ...]

    @classmethod
    def of(cls, n: FloatArray, k: FloatArray) -> Cells:
        """Sort the cells by what was seen in them."""
        # Pairs as complex numbers: rows of a table take ten times as long to sort.
        pairs = (n + 1j * k).ravel()
        every = np.unique(pairs[n.ravel() > 0])
        alike = (
            Alike(float(pair.real), float(pair.imag), np.flatnonzero(pairs == pair))
            for pair in every
        )
        return cls(n, k, tuple(alike))


def log_likelihoods(
    seen: Cells, centre: FloatArray, variance: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Logs of cells' likelihoods under normal laws of their scores, with slopes and curves.

    By the trapezium rule. Its nodes are multiples of one step, and only those near cells of
    like means are used for these.

    A response has the outcome where its cell's score and a standard normal number are above 0
    together.

    Args:
        seen: responses of the cells.
        centre: mean of the law, shape of the cells.
        variance: of the law, same shape.

    Returns:
        Logs; their derivatives in the mean; and their second derivatives, negated. Each of
        the shape given, 0 where there are no responses.
    """
    n, k = seen.n, seen.k
    step = _FINE / np.sqrt(1 / variance.min() + n.max())
    found = np.zeros((3, n.size))
    means, widths = centre.ravel(), variance.ravel()
    low, high = _reached(n.ravel(), k.ravel(), means, widths)
    for alike in seen.alike:
        mine = alike.cells[np.argsort(means[alike.cells])]
        for first in range(0, len(mine), _TOGETHER):
            cells = mine[first : first + _TOGETHER]
            ends = np.floor(low[cells].min() / step), np.ceil(high[cells].max() / step)
            nodes = step * np.arange(ends[0], ends[1] + 1)
            found[:, cells] = _integrated(*alike[:2], means[cells], widths[cells], nodes)
    log_mass, slope, curve = found.reshape(3, *n.shape)
    return log_mass, slope, curve


def _reached(
    n: FloatArray, k: FloatArray, centre: FloatArray, variance: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Between which scores the law of a cell, given its responses, has all but nothing.

    At the score 0 responses have the probability 2^-n, and beyond 0 those that pull the cell
    there become certain: where the law itself has exp(-`_REACH`^2 / 2) of what it has at 0,
    times 2^-n, nothing is left. Towards scores that responses make less probable the law alone
    tells.
    """
    own = _REACH**2 * variance
    pulled = own + 2 * np.log(2) * variance * n
    down = np.where(k < n, pulled + np.maximum(centre, 0) ** 2, own)
    up = np.where(k > 0, pulled + np.minimum(centre, 0) ** 2, own)
    return centre - np.sqrt(down), centre + np.sqrt(up)


def _integrated(
    size: float, hits: float, centre: FloatArray, variance: FloatArray, nodes: FloatArray
) -> FloatArray:
    """The three numbers of `log_likelihoods` for cells of one size and count, shape (3, cells)."""
    powers = np.stack([np.ones_like(nodes), nodes, nodes**2], axis=1)
    said = hits * log_ndtr(nodes) + (size - hits) * log_ndtr(-nodes)
    own = np.stack([1 / variance, centre / variance, np.ones_like(variance)], axis=1)
    exponent = own @ np.stack([-(nodes**2) / 2, nodes, said])
    top = exponent.max(axis=1)
    exponent -= top[:, None]
    mass, first, second = (np.exp(exponent, out=exponent) @ powers).T
    mean = first / mass
    whole = mass * (nodes[1] - nodes[0]) / np.sqrt(2 * np.pi * variance)
    return np.stack(
        [
            np.log(whole) + top - centre**2 / (2 * variance),
            (mean - centre) / variance,
            np.maximum(1 - (second / mass - mean**2) / variance, 0) / variance,
        ]
    )
