"""Randomisation tests: the names' groups are dealt anew.

The unit is the name, with all its responses; under the null hypothesis any
dealing of names to groups was as likely as the one seen. Valid for these
templates and new names, whatever the responses of one name have in common
(Fisher 1935; Edgington and Onghena 2007).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.results import Estimate, not_estimable
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.statistics.design import Design, FloatArray, IntArray

TIE = 1e-12
"""Statistics closer than this are equal but for rounding."""

_BLOCK = 1_000_000
"""Names times permutations held at a time: some 30 MB."""


class Draws(NamedTuple):
    """How Monte Carlo permutations are drawn: how many, and the seed."""

    permutations: int
    seed: int


def permutation_names(k: FloatArray, n: FloatArray, level: IntArray, draws: Draws) -> FloatArray:
    """p-values of the spread between groups, for several outcomes at once.

    T = max - min over groups of sum k / sum n; p = (1 + #{T* >= T}) / (1 + B)
    over B random permutations of the groups over names (Phipson and Smyth
    2010, Statistical Applications in Genetics and Molecular Biology 9:39).
    All outcomes share the permutations.

    Args:
        k: responses with each outcome, shape (outcomes, names).
        n: responses, shape (names,), each at least 1.
        level: group of each name, codes 0 to g - 1 that all occur, shape (names,).
        draws: number of permutations and seed.

    Returns:
        Shape (outcomes,).
    """
    order = np.argsort(level, kind="stable")
    k, n = k[:, order], n[order]
    starts = np.searchsorted(level[order], np.arange(int(level.max()) + 1))
    unpermuted = np.arange(len(n))[None, :]
    observed = _spreads(k, n, unpermuted, starts)[:, 0]
    reached = np.zeros(len(k), dtype=np.int64)
    for permutation in _permutations(len(n), draws):
        spreads = _spreads(k, n, permutation, starts)
        reached += (spreads >= observed[:, None] - TIE).sum(axis=1)
    return np.asarray((1 + reached) / (1 + draws.permutations), dtype=np.float64)


def _permutations(names: int, draws: Draws) -> Iterator[IntArray]:
    """Random permutations in blocks of shape (block, names)."""
    random = np.random.default_rng(draws.seed)
    block = max(1, _BLOCK // names)
    for start in range(0, draws.permutations, block):
        rows = min(block, draws.permutations - start)
        yield random.permuted(np.broadcast_to(np.arange(names), (rows, names)), axis=1)


def _spreads(k: FloatArray, n: FloatArray, permutation: IntArray, starts: IntArray) -> FloatArray:
    """Largest less smallest group rate, shape (outcomes, permutations)."""
    if (n == n[0]).all():
        # Group sizes are the same in every permutation: half the work.
        totals = np.add.reduceat(n, starts)
    else:
        totals = np.add.reduceat(n[permutation], starts, axis=1)
    spreads = np.empty((len(k), len(permutation)))
    for at, counts in enumerate(k):
        rates = np.add.reduceat(counts[permutation], starts, axis=1) / totals
        spreads[at] = rates.max(axis=1) - rates.min(axis=1)
    return spreads


def spread_tests(designs: list[Design], draws: Draws) -> list[Estimate]:
    """The global test of `permutation_names` for designs of the same responses.

    Args:
        designs: one for each outcome; all count the same labelled responses.
        draws: number of permutations and seed.
    """
    method, estimand = Method.PERMUTATION_NAMES, Estimand.GLOBAL
    names = designs[0].by_name()
    groups = len(designs[0].levels)
    if not 1 < groups < len(names.n):
        reason = "one group only" if groups <= 1 else "every group has one name"
        return [not_estimable(method, estimand, None, reason) for _ in designs]
    k = np.stack([design.by_name().k for design in designs])
    p_values = permutation_names(k, names.n, names.level, draws)
    rates = np.stack([design.level_k / design.level_n for design in designs])
    return [
        Estimate(method=method, estimand=estimand, statistic=spread, p_value=p_value)
        for spread, p_value in zip(np.ptp(rates, axis=1), p_values, strict=True)
    ]
