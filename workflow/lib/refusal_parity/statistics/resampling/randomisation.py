"""Randomisation tests: the names' group labels are permuted.

The unit is the name, with all its responses; under the null hypothesis any
assignment of groups to names was as likely as the one seen. Valid for these
templates and new names, whatever the responses of one name have in common
(Fisher 1935; Edgington and Onghena 2007).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from refusal_parity.statistics.rounding import TIE

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from refusal_parity.statistics.designs.counts import FloatArray, IntArray

    Positions = npt.NDArray[np.unsignedinteger[Any]]

_BLOCK = 300_000
"""Names times permutations held at a time, for few outcomes: some 10 MB."""

_MANY = 20
"""Outcomes from which on the sums take more room than the permutations."""

_KEPT = 20_000_000
"""Names times permutations that are kept for the next outcomes and dimensions: 40 MB."""


class Draws(NamedTuple):
    """How Monte Carlo permutations are drawn: how many, and the seed."""

    permutations: int
    seed: int


class Permuted(NamedTuple):
    """p-values of both statistics over the same permutations, each of shape (outcomes,)."""

    spread: FloatArray
    f: FloatArray


def permutation_names(k: FloatArray, n: FloatArray, level: IntArray, draws: Draws) -> Permuted:
    """p-values of the groups' spread and of their F, for several outcomes at once.

    Spread: T = max - min over groups of sum k / sum n. F: that of the analysis
    of variance of the names' rates k / n, which orders permutations as T, the
    sum of squares between groups, does. p = (1 + #{T* >= T}) / (1 + B) over B
    random permutations of the groups over names (Phipson and Smyth 2010,
    Statistical Applications in Genetics and Molecular Biology 9:39). All
    outcomes and both statistics share the permutations.

    Names are taken in the order of their counts and groups in that of their
    sizes, so that the same counts have the same p-value whatever names and
    groups are called and in which order they come.

    Args:
        k: responses with each outcome, shape (outcomes, names).
        n: responses, shape (names,), each at least 1.
        level: group of each name, codes 0 to g - 1 that all occur, shape (names,).
        draws: number of permutations and seed.

    """
    n = np.broadcast_to(n, k.shape)
    observed = _statistics(_Counts.of(k, n), level[None, :])
    # An outcome and its complement, of which one is the rarer, come in one order.
    rarer = np.where(2 * k.sum(axis=1, keepdims=True) > n.sum(axis=1, keepdims=True), n - k, k)
    order = np.lexsort((rarer, n), axis=1)
    counts = _Counts.of(*(np.take_along_axis(each, order, axis=1) for each in (k, n)))
    sizes = np.sort(np.bincount(level))
    assigned = np.repeat(np.arange(len(sizes)), sizes)
    reached = np.zeros((2, len(k)), dtype=np.int64)
    for positions in _permutations(len(level), draws, max(1, len(k) // _MANY)):
        statistics = _statistics(counts, assigned[positions])
        reached += (statistics >= observed - counts.tie).sum(axis=2)
    return Permuted(*((1 + reached) / (1 + draws.permutations)))


class _Counts(NamedTuple):
    """What both statistics of some outcomes are made of, each of shape (outcomes, names).

    Attributes:
        k: responses with the outcome.
        n: responses.
        centred: rates less their mean, so that sums of squares between groups
            are no small difference of large numbers.
        alike: whether all names of an outcome have as many responses.
        tie: by how much both statistics may differ by rounding, shape (2, outcomes, 1).
    """

    k: FloatArray
    n: FloatArray
    centred: FloatArray
    alike: bool
    tie: FloatArray

    @classmethod
    def of(cls, k: FloatArray, n: FloatArray) -> _Counts:
        k, n = np.atleast_2d(k, n)
        rates = k / n
        centred = rates - rates.mean(axis=1, keepdims=True)
        # The error of a sum of squares is that of what is squared, times it.
        size = np.sqrt((rates**2).sum(axis=1) * (centred**2).sum(axis=1))
        tie = TIE * np.stack([np.abs(rates).max(axis=1), size])[..., None]
        return cls(k, n, centred, bool((n == n[:, :1]).all()), tie)


def _permutations(names: int, draws: Draws, share: int) -> Iterator[Positions]:
    """Random permutations in blocks of shape (block, names), smaller by a share."""
    block = max(1, _BLOCK // names // share)
    if names * draws.permutations <= _KEPT:
        kept = _kept_permutations(names, draws)
        yield from (kept[start : start + block] for start in range(0, len(kept), block))
        return
    random = np.random.default_rng(draws.seed)
    for start in range(0, draws.permutations, block):
        yield _permute(random, min(block, draws.permutations - start), names)


@lru_cache(maxsize=2)
def _kept_permutations(names: int, draws: Draws) -> Positions:
    """All permutations at once, the same for every outcome and dimension."""
    permuted = _permute(np.random.default_rng(draws.seed), draws.permutations, names)
    permuted.flags.writeable = False
    return permuted


def _permute(random: np.random.Generator, rows: int, names: int) -> Positions:
    one = np.arange(names, dtype=np.min_scalar_type(names))
    return random.permuted(np.broadcast_to(one, (rows, names)), axis=1)


def _statistics(counts: _Counts, level: IntArray) -> FloatArray:
    """Spread, and between-groups sum of squares of rates, shape (2, outcomes, permutations).

    Args:
        counts: of outcomes.
        level: group assigned to each name, shape (permutations, names).
    """
    sizes = np.bincount(level[0])
    outcomes = len(counts.k)
    # Where all names have as many responses, pooled rates are the means of the names' rates.
    values = [counts.centred] if counts.alike else [counts.centred, counts.k, counts.n]
    sums = _group_sums(np.concatenate(values), level, len(sizes))
    means = sums[:, :outcomes] / sizes[:, None, None]
    rates = means if counts.alike else sums[:, outcomes : 2 * outcomes] / sums[:, 2 * outcomes :]
    spread = rates.max(axis=0) - rates.min(axis=0)
    return np.stack([spread, np.einsum("gop,g->op", means**2, sizes.astype(np.float64))])


def _group_sums(values: FloatArray, level: IntArray, groups: int) -> FloatArray:
    """Sums of each row of values over the groups, shape (groups, rows, permutations)."""
    sums = np.empty((groups, len(values), len(level)))
    for group in range(1, groups):
        np.matmul(values, (level == group).astype(np.float64).T, out=sums[group])
    sums[0] = values.sum(axis=1)[:, None] - sums[1:].sum(axis=0)
    return sums
