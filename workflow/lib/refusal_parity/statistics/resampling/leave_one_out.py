"""Randomisation of names, with one name or one template less: many tests from one set of splits."""

from __future__ import annotations

import math
from itertools import chain, combinations
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from refusal_parity.statistics.rounding import TIE

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import BoolArray, FloatArray

_MOST_LISTED: Final = 20_000
"""Splits that are listed at most: 8 names against 8 have 12,870."""

_DRAWN: Final = 10_000
"""Random splits where there are more. Half of them leave a given name in its group."""

_BLOCK: Final = 200_000
"""Splits times columns held at a time: 1.6 MB an array."""


class Splits(NamedTuple):
    """Splits of the names into a group and its reference.

    Attributes:
        ours: which names are assigned to the group, shape (splits, names).
        every: whether these are all splits there are, or random ones.
    """

    ours: BoolArray
    every: bool


def split(ours: BoolArray, seed: int) -> Splits:
    """All splits of the names with as many in the group, or random ones where those are many.

    Args:
        ours: which names are of the group, shape (names,).
        seed: of the random splits.
    """
    names, size = len(ours), int(ours.sum())
    count = math.comb(names, size)
    if count > _MOST_LISTED:
        random = np.random.default_rng(seed)
        return Splits(random.permuted(np.broadcast_to(ours, (_DRAWN, names)), axis=1), every=False)
    chosen = np.fromiter(
        chain.from_iterable(combinations(range(names), size)), np.intp, count * size
    ).reshape(count, size)
    listed = np.zeros((count, names), dtype=np.bool_)
    np.put_along_axis(listed, chosen, values=True, axis=1)
    return Splits(listed, every=True)


def p_values(k: FloatArray, n: FloatArray, ours: BoolArray, among: Splits) -> FloatArray:
    """Two-sided p-values of |sum k / sum n - the others'|, one for each column of counts.

    A name without a response in a column stays on its own side there, so that
    only those left are permuted: the splits that keep it there are all splits,
    or uniformly random ones, of the rest. p is the share of these whose difference is
    at least the one seen, and (1 + those) / (1 + splits) where they are random
    (Phipson and Smyth 2010; `randomisation.permutation_names`).

    Args:
        k: responses with the outcome, shape (names, columns).
        n: responses, shape (names, columns), some on both sides in every column.
        ours: which names are of the group, shape (names,).
        among: from `split` of the same names.

    Returns:
        Shape (columns,).
    """
    # Rates are 1 at most, and so TIE is a share of their size.
    seen = np.abs(_differences(ours[None, :].astype(np.float64), k, n))[0]
    absent = (n == 0).astype(np.float64)
    reached, splits = np.zeros(n.shape[1]), np.zeros(n.shape[1])
    block = max(1, _BLOCK // max(1, n.shape[1]))
    for start in range(0, len(among.ours), block):
        part = among.ours[start : start + block]
        kept = (part != ours).astype(np.float64) @ absent == 0
        found = np.abs(_differences(part.astype(np.float64), k, n))
        reached += (kept & (found >= seen - TIE)).sum(axis=0)
        splits += kept.sum(axis=0)
    more = 0 if among.every else 1
    return (reached + more) / (splits + more)


def _differences(ours: FloatArray, k: FloatArray, n: FloatArray) -> FloatArray:
    """Differences of pooled rates, shape (splits, columns); of no use where a side is empty."""
    my_k, my_n = ours @ k, ours @ n
    others = (k.sum(axis=0) - my_k) / np.maximum(n.sum(axis=0) - my_n, 1)
    return np.asarray(my_k / np.maximum(my_n, 1) - others, dtype=np.float64)
