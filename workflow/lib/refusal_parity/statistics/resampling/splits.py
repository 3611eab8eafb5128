"""The ways to split names in two, counted by their sums."""

from __future__ import annotations

import math
from itertools import chain, combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray, IntArray

_MOST_STEPS = 100_000_000
"""Additions allowed, some tenths of a second; beyond, nothing is counted."""

_MOST_LISTED = 2_000_000
"""Names in all splits together that are listed at most: some tenths of a second."""


class Splits(NamedTuple):
    """The sums that the smaller side of a split can have, and in how many ways.

    Attributes:
        k: responses with the outcome, shape (sums,).
        n: responses, shape (sums,).
        ways: splits with these sums, shape (sums,); exact up to 2^53, and to
            a relative 1e-13 beyond.
    """

    k: FloatArray
    n: FloatArray
    ways: FloatArray


def count_splits(k: FloatArray, n: FloatArray, size: int) -> Splits | None:
    """Count the splits of the names by the smaller side's sums of k and of n.

    Name after name is added to a table of the number of subsets by size, sum
    of k, and shortfall of n from its largest value (0 for all names in a
    complete study, so that this axis vanishes). Time grows with names x size x
    responses and not with the number of subsets (Pagano and Tritchler 1983,
    Journal of the American Statistical Association 78:435-440).

    Args:
        k: responses with the outcome, whole numbers, shape (names,).
        n: responses, whole numbers, shape (names,).
        size: names on one side, either one.

    Returns:
        None where the table would be too large.
    """
    most = int(n.max())
    # Names without a shortfall first: its axis opens only for the few at the end.
    order = np.lexsort((k, -n))
    counts, short = _whole(k)[order], most - _whole(n)[order]
    smaller = min(size, len(n) - size)
    shape = (smaller + 1, int(counts.sum()) + 1, int(short.sum()) + 1)
    if np.prod(shape, dtype=np.float64) * len(n) > _MOST_STEPS:
        return None
    table = np.zeros(shape)
    table[0, 0, 0] = 1
    reached_k = reached_short = 0
    for at, (one, gap) in enumerate(zip(counts, short, strict=True)):
        # Sizes that the names left can still complete, and sums seen so far.
        low, high = max(1, smaller - len(n) + at + 1), min(at + 1, smaller)
        k_end, short_end = reached_k + 1, reached_short + 1
        fewer = table[low - 1 : high, :k_end, :short_end]
        table[low : high + 1, one : one + k_end, gap : gap + short_end] += fewer
        reached_k, reached_short = reached_k + int(one), reached_short + int(gap)
    sum_k, sum_short = np.nonzero(table[smaller])
    ways = table[smaller, sum_k, sum_short]
    sum_n = smaller * most - sum_short
    return Splits(sum_k.astype(np.float64), sum_n.astype(np.float64), ways)


def list_splits(k: FloatArray, n: FloatArray, size: int) -> Splits | None:
    """The same by listing every split, for sums too large to be counted by.

    Args:
        k: any quantity summed over a name's responses, shape (names,).
        n: responses, shape (names,).
        size: names on one side, either one.

    Returns:
        None where the splits are too many.
    """
    smaller = min(size, len(n) - size)
    ways = math.comb(len(n), smaller)
    if ways * smaller > _MOST_LISTED:
        return None
    chosen = np.fromiter(
        chain.from_iterable(combinations(range(len(n)), smaller)), np.intp, ways * smaller
    ).reshape(ways, smaller)
    return Splits(k[chosen].sum(axis=1), n[chosen].sum(axis=1), np.ones(ways))


def _whole(values: FloatArray) -> IntArray:
    return np.rint(values).astype(np.intp)
