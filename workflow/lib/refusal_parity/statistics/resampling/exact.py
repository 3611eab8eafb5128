"""The difference of two groups of names against every way to split the names in two.

The pairwise companion of `randomisation`: the same unit, the same null
hypothesis, and no chance in the p-value.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.resampling.randomisation import Draws, permutation_names
from refusal_parity.statistics.resampling.splits import count_splits, list_splits
from refusal_parity.statistics.rounding import TIE

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import BoolArray, FloatArray


class ExactResult(NamedTuple):
    """Difference of two pooled rates and its randomisation p-value.

    Attributes:
        difference: sum k / sum n of the group less that of the others.
        p_value: two-sided on the absolute difference.
        splits: number of ways to split the names.
        smallest_p: p-value that the most extreme split would have at the least.
        note: says so where the p-value is Monte Carlo.
    """

    difference: float
    p_value: float
    splits: int
    smallest_p: float
    note: str | None


def permutation_names_exact(
    k: FloatArray, n: FloatArray, ours: BoolArray, draws: Draws
) -> ExactResult:
    """Difference of pooled rates against all splits of the names into two groups.

    p = share of the splits whose |sum k / sum n - the others'| is at least
    the one seen. Splits are counted by their sums, not listed one by one
    (`splits.count_splits`), or listed where they are few and sums are large, or not whole;
    where even that is too much, p is `permutation_names` of the two groups.

    Args:
        k: responses with the outcome, or any other sums, shape (names,).
        n: responses, whole numbers of at least 1, shape (names,).
        ours: which names are of the group, shape (names,), some and not all.
        draws: permutations and seed of the Monte Carlo.
    """
    size, names = int(ours.sum()), len(n)
    difference = float(k[ours].sum() / n[ours].sum() - k[~ours].sum() / n[~ours].sum())
    splits = math.comb(names, size)
    mirrored = 2 if 2 * size == names else 1
    p_value = counted_p_value(k, n, ours)
    if p_value is not None:
        return ExactResult(difference, p_value, splits, mirrored / splits, None)
    level = np.asarray(ours, dtype=np.intp)
    p_value = float(permutation_names(k[None, :], n, level, draws).spread[0])
    note = f"{draws.permutations} random splits of {splits:,}"
    return ExactResult(difference, p_value, splits, mirrored / splits, note)


def counted_p_value(k: FloatArray, n: FloatArray, ours: BoolArray) -> float | None:
    """The p-value of `permutation_names_exact` from all splits; None where they are too many."""
    size = int(ours.sum())
    difference = float(k[ours].sum() / n[ours].sum() - k[~ours].sum() / n[~ours].sum())
    is_whole = bool((k == np.rint(k)).all())
    counted = (count_splits(k, n, size) if is_whole else None) or list_splits(k, n, size)
    if counted is None:
        return None
    rates = counted.k / counted.n
    others = (k.sum() - counted.k) / (n.sum() - counted.n)
    reached = np.abs(rates - others) >= abs(difference) - TIE * np.abs(k / n).max()
    return min(float(counted.ways[reached].sum() / counted.ways.sum()), 1.0)
