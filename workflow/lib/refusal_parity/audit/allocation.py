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
