"""Randomisation tests: the names' groups are dealt anew.

The unit is the name, with all its responses; under the null hypothesis any
dealing of names to groups was as likely as the one seen. Valid for these
templates and new names, whatever the responses of one name have in common
(Fisher 1935; Edgington and Onghena 2007).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.name_rates import one_way_variance
from refusal_parity.statistics.results import Estimate, not_estimable
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.statistics.design import Design, FloatArray, IntArray

TIE = 1e-12
"""Statistics closer than this are equal but for rounding."""

_BLOCK = 1_000_000
"""Names times permutations held at a time, for few outcomes: some 30 MB."""

_MANY = 20
"""From so many rows on, one matrix product for all is the faster way to add them up."""


class Draws(NamedTuple):
    """How Monte Carlo permutations are drawn: how many, and the seed."""

    permutations: int
    seed: int


class Dealt(NamedTuple):
    """p-values of both statistics over the same permutations, each of shape (outcomes,)."""

    spread: FloatArray
    f: FloatArray


def permutation_names(k: FloatArray, n: FloatArray, level: IntArray, draws: Draws) -> Dealt:
    """p-values of the groups' spread and of their F, for several outcomes at once.

    Spread: T = max - min over groups of sum k / sum n. F: that of the analysis
    of variance of the names' rates k / n, which orders permutations as T =
    sum over groups of (sum of rates)^2 / names does. p = (1 + #{T* >= T}) /
    (1 + B) over B random permutations of the groups over names (Phipson and
    Smyth 2010, Statistical Applications in Genetics and Molecular Biology
    9:39). All outcomes and both statistics share the permutations.

    Args:
        k: responses with each outcome, shape (outcomes, names).
        n: responses, shape (names,), each at least 1.
        level: group of each name, codes 0 to g - 1 that all occur, shape (names,).
        draws: number of permutations and seed.

    """
    order = np.argsort(level, kind="stable")
    k, n = k[:, order], n[order]
    starts = np.searchsorted(level[order], np.arange(int(level.max()) + 1))
    unpermuted = np.arange(len(n))[None, :]
    observed = _statistics(k, n, unpermuted, starts)
    reached = np.zeros((2, len(k)), dtype=np.int64)
    for permutation in _permutations(len(n), draws, max(1, len(k) // _MANY)):
        statistics = _statistics(k, n, permutation, starts)
        reached += (statistics >= observed - TIE).sum(axis=2)
    return Dealt(*((1 + reached) / (1 + draws.permutations)))


def _permutations(names: int, draws: Draws, share: int) -> Iterator[IntArray]:
    """Random permutations in blocks of shape (block, names), smaller by a share."""
    random = np.random.default_rng(draws.seed)
    block = max(1, _BLOCK // names // share)
    for start in range(0, draws.permutations, block):
        rows = min(block, draws.permutations - start)
        yield random.permuted(np.broadcast_to(np.arange(names), (rows, names)), axis=1)


def _statistics(
    k: FloatArray, n: FloatArray, permutation: IntArray, starts: IntArray
) -> FloatArray:
    """Spread, and between-groups sum of squares of rates, shape (2, outcomes, permutations)."""
    sizes = np.diff(np.append(starts, len(n)))
    if (n == n[0]).all():
        # Group sizes are the same in every permutation: half the work.
        rates = means = _group_sums(k, permutation, starts) / np.add.reduceat(n, starts)
    else:
        totals = _group_sums(n[None, :], permutation, starts)
        rates = _group_sums(k, permutation, starts) / totals
        means = _group_sums(k / n, permutation, starts) / sizes
    return np.stack([rates.max(axis=2) - rates.min(axis=2), means**2 @ sizes])


def _group_sums(values: FloatArray, permutation: IntArray, starts: IntArray) -> FloatArray:
    """Sums of each row of values over the groups, shape (rows, permutations, groups)."""
    if len(values) < _MANY:
        return np.stack([np.add.reduceat(row[permutation], starts, axis=1) for row in values])
    rows, names = permutation.shape
    group = np.searchsorted(starts, np.arange(names), side="right") - 1
    dealt = np.zeros((rows, len(starts), names))
    dealt[np.arange(rows)[:, None], group, permutation] = 1
    sums = (dealt.reshape(-1, names) @ values.T).reshape(rows, len(starts), -1)
    return np.moveaxis(sums, -1, 0)


def randomisation_tests(designs: list[Design], draws: Draws) -> list[list[Estimate]]:
    """Both global tests of `permutation_names` for designs of the same responses.

    Args:
        designs: one for each outcome; all count the same labelled responses.
        draws: number of permutations and seed.
    """
    methods, estimand = (Method.PERMUTATION_NAMES, Method.PERMUTATION_NAMES_F), Estimand.GLOBAL
    names = designs[0].by_name()
    groups = len(designs[0].levels)
    if not 1 < groups < len(names.n):
        reason = "one group only" if groups <= 1 else "every group has one name"
        none = [not_estimable(method, estimand, None, reason) for method in methods]
        return [none for _ in designs]
    k = np.stack([design.by_name().k for design in designs])
    p_values = permutation_names(k, names.n, names.level, draws)
    rows = []
    for at, design in enumerate(designs):
        spread = float(np.ptp(design.level_k / design.level_n))
        variance = one_way_variance(k[at] / names.n, names.level)
        tests = (
            (methods[0], spread, p_values.spread[at], None),
            (
                methods[1],
                variance.statistic if variance else None,
                p_values.f[at],
                None if variance else "F is not defined: names of one group do not differ",
            ),
        )
        rows.append(
            [
                Estimate(
                    method=method, estimand=estimand, statistic=statistic, p_value=p, note=note
                )
                for method, statistic, p, note in tests
            ]
        )
    return rows
