"""How many responses of each stratum are drawn."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


def allocate(sizes: IntArray, total: int, floor: int) -> IntArray:
    """Rows to draw of each stratum: a floor for each, the rest in proportion to size.

    The floor comes first: where the floors alone exceed `total`, more than
    `total` are drawn. What is left is shared by the largest remainder
    (Hamilton's method), never beyond a stratum's size.

    Args:
        sizes: rows of each stratum, each at least 1, shape (strata,).
        total: rows wanted in all.
        floor: least rows of each stratum, or all of a smaller one.

    Returns:
        Rows to draw, shape (strata,).
    """
    drawn = np.minimum(sizes, floor)
    while (left := min(total, int(sizes.sum())) - int(drawn.sum())) > 0:
        room = sizes - drawn
        share = np.where(room > 0, sizes, 0) / sizes[room > 0].sum() * left
        whole = np.minimum(np.floor(share).astype(np.int64), room)
        if not whole.any():
            # Less than a row each: the largest shares get one, ties in the order of strata.
            open_strata = np.flatnonzero(room > 0)
            first = open_strata[np.argsort(-share[open_strata], kind="stable")][:left]
            whole[first] = 1
        drawn = drawn + whole
    return drawn


def allocate_again(
    sizes: IntArray, total: int, floor: int, shares: npt.NDArray[np.float64]
) -> IntArray:
    """Rows to draw of each stratum where some were drawn before.

    As `allocate`, but of no stratum a smaller share than before, so that what people have
    labelled stays in the sample; more than `total` may be drawn for that.

    Args:
        sizes: rows of each stratum, each at least 1, shape (strata,).
        total: rows wanted in all.
        floor: least rows of each stratum, or all of a smaller one.
        shares: drawn share of each stratum before, 0 for a new one, shape (strata,).

    Returns:
        Rows to draw, shape (strata,).
    """
    # A share is a quotient of two counts: what it gives back may be a hair above a whole.
    kept: IntArray = np.ceil(np.round(shares * sizes, 6)).astype(np.int64)
    wanted: IntArray = np.minimum(np.maximum(allocate(sizes, total, floor), kept), sizes)
    return wanted
