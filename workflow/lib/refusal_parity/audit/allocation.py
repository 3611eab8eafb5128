"""How many responses of each stratum are drawn."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


def allocate(sizes: IntArray, total: int, floor: int, worths: FloatArray | None = None) -> IntArray:
    """Rows to draw of each stratum: a floor for each, the rest in proportion to its worth.

    The floor comes first: where the floors alone exceed `total`, more than
    `total` are drawn. What is left is shared in proportion to worth, rounded
    down and never beyond a stratum's size; what is left then, again so; and
    where that is no whole row for any, those worth most get one each.

    Args:
        sizes: rows of each stratum, each at least 1, shape (strata,).
        total: rows wanted in all.
        floor: least rows of each stratum, or all of a smaller one.
        worths: of the strata; null for their sizes, shape (strata,).

    Returns:
        Rows to draw, shape (strata,).
    """
    worths = sizes.astype(np.float64) if worths is None else worths
    drawn = np.minimum(sizes, floor)
    while (left := min(total, int(sizes.sum())) - int(drawn.sum())) > 0:
        room = sizes - drawn
        share = np.where(room > 0, worths, 0) / worths[room > 0].sum() * left
        whole = np.minimum(np.floor(share).astype(np.int64), room)
        if not whole.any():
            # Less than a row each: the largest shares get one, ties in the order of strata.
            open_strata = np.flatnonzero(room > 0)
            first = open_strata[np.argsort(-share[open_strata], kind="stable")][:left]
            whole[first] = 1
        drawn = drawn + whole
    return drawn


def kept(worths: FloatArray, share: float) -> int:
    """How many rows of a stratum keep its share, so that what people labelled stays in a sample.

    Args:
        worths: of its rows, shape (rows,).
        share: inclusion probability for what a row is worth, of those not drawn for certain.
    """
    # A share is a quotient of two counts: what it gives back may be a hair above a whole.
    return int(np.ceil(np.round(np.minimum(share * worths, 1).sum(), 6)))


def inclusion(worths: FloatArray, count: int) -> FloatArray:
    """Inclusion probabilities in proportion to worth, that of no row above 1.

    Args:
        worths: of a stratum's rows, each above 0, shape (rows,).
        count: rows to draw, at most all.

    Returns:
        They add up to `count`, shape (rows,).
    """
    chance, left = np.ones(len(worths)), np.arange(len(worths))
    while len(left) > 0:
        wanted = count - (len(worths) - len(left))
        chance[left] = wanted * worths[left] / worths[left].sum()
        # Those that are drawn for certain leave the others a larger share.
        if not (chance[left] >= 1).any():
            break
        left = left[chance[left] < 1]
    return np.minimum(chance, 1)
