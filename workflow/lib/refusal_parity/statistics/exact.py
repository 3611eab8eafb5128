"""Each pair of groups, by every way to split their names in two.

The pairwise companion of `randomisation`: the same unit, the same null
hypothesis, and no chance in the p-value.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.randomisation import Draws, permutation_names
from refusal_parity.statistics.results import Estimate, Pair, join_notes
from refusal_parity.statistics.rounding import NOTHING, TIE, is_noise
from refusal_parity.statistics.splits import count_splits, list_splits
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from refusal_parity.statistics.design import BoolArray, Design, FloatArray, NameTotals

_VARIANCE_RATIO = 4
"""From here on names of the two groups count as unequally variable."""


def exact_tests(design: Design, alpha: float, draws: Draws) -> list[Estimate]:
    """Each pair of groups by all splits of their names.

    Args:
        design: counts of one outcome; levels are a property of names.
        alpha: level that the note holds the smallest possible p-value against.
        draws: for Monte Carlo where the splits are too many to count.
    """
    names = design.by_name()
    return [_exact_test(names, pair, (at, base), alpha, draws) for pair, at, base in design.pairs]


def _exact_test(
    names: NameTotals, pair: Pair, codes: tuple[int, int], alpha: float, draws: Draws
) -> Estimate:
    chosen = np.isin(names.level, codes)
    n, k, ours = names.n[chosen], names.k[chosen], names.level[chosen] == codes[0]
    found = permutation_names_exact(k, n, ours, draws)
    # One name against one: the only other split is its mirror image, whatever they did.
    is_test = found.smallest_p < 1
    too_few = (
        f"{found.splits} splits of the names allow no p-value below {found.smallest_p:.2g}"
        if found.smallest_p > alpha
        else None
    )
    return Estimate(
        method=Method.PERMUTATION_NAMES_EXACT,
        estimand=Estimand.RISK_DIFFERENCE,
        group=pair.group,
        reference=pair.reference,
        estimate=found.difference,
        statistic=found.difference,
        p_value=found.p_value if is_test else None,
        note=join_notes(found.note, too_few, _unequal_variance(k / n, ours)),
    )


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
    (`splits.count_splits`), or listed where they are few and sums are large;
    where even that is too much, p is `permutation_names` of the two groups.

    Args:
        k: responses with the outcome, or sums of words; whole numbers, shape (names,).
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
    note = f"{draws.permutations} random splits of {splits:.3g}"
    return ExactResult(difference, p_value, splits, mirrored / splits, note)


def counted_p_value(k: FloatArray, n: FloatArray, ours: BoolArray) -> float | None:
    """The p-value of `permutation_names_exact` from all splits; None where they are too many."""
    size = int(ours.sum())
    difference = float(k[ours].sum() / n[ours].sum() - k[~ours].sum() / n[~ours].sum())
    counted = count_splits(k, n, size) or list_splits(k, n, size)
    if counted is None:
        return None
    rates = counted.k / counted.n
    others = (k.sum() - counted.k) / (n.sum() - counted.n)
    reached = np.abs(rates - others) >= abs(difference) - TIE * np.abs(k / n).max()
    return min(float(counted.ways[reached].sum() / counted.ways.sum()), 1.0)


def _unequal_variance(rates: FloatArray, ours: BoolArray) -> str | None:
    """The note on groups that differ both in number and in variance of their names."""
    mine, others = rates[ours], rates[~ours]
    if len(mine) == len(others) or min(len(mine), len(others)) < 2:  # noqa: PLR2004 - no variance of one
        return None
    smaller, larger = sorted((float(mine.var(ddof=1)), float(others.var(ddof=1))))
    alike = larger <= _VARIANCE_RATIO * smaller * (1 + NOTHING)
    if alike or is_noise(larger, float((rates**2).mean())):
        return None
    return (
        f"{len(mine)} and {len(others)} names that vary unequally: "
        "may reject 7-13 % at a nominal 5 %"
    )
