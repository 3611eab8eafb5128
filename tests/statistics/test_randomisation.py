from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.stats import kstest, permutation_test

from refusal_parity.statistics.methods import exact as of_pairs
from refusal_parity.statistics.resampling import splits
from refusal_parity.statistics.resampling.exact import permutation_names_exact
from refusal_parity.statistics.resampling.randomisation import Draws, permutation_names

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray

DRAWS = Draws(permutations=999, seed=1)


def example(ours: int, others: int, seed: int, *, unequal_n: bool) -> tuple[FloatArray, ...]:
    """Counts k and n of names, and which of them are ours."""
    random = np.random.default_rng(seed)
    names = ours + others
    n = random.integers(5, 12, names) if unequal_n else np.full(names, 9)
    k = random.binomial(n, random.uniform(0.1, 0.7, names))
    return k.astype(float), n.astype(float), np.arange(names) < ours


def by_brute_force(k: FloatArray, n: FloatArray, ours: FloatArray) -> float:
    """Share of all splits, listed one by one, that differ at least as much."""

    def difference(chosen: list[int]) -> float:
        rest = [at for at in range(len(k)) if at not in chosen]
        return abs(k[chosen].sum() / n[chosen].sum() - k[rest].sum() / n[rest].sum())

    observed = difference(np.flatnonzero(ours).tolist())
    every = [difference(list(each)) for each in combinations(range(len(k)), int(ours.sum()))]
    return float(np.mean([each >= observed - 1e-12 for each in every]))


@pytest.mark.parametrize("unequal_n", [False, True])
@pytest.mark.parametrize(("ours", "others"), [(3, 6), (6, 3), (4, 4), (1, 5), (1, 1)])
@pytest.mark.parametrize("seed", range(3))
def test_exact_equals_brute_force(ours: int, others: int, seed: int, *, unequal_n: bool) -> None:
    k, n, chosen = example(ours, others, seed, unequal_n=unequal_n)
    mine = permutation_names_exact(k, n, chosen, DRAWS)
    assert mine.p_value == pytest.approx(by_brute_force(k, n, chosen), abs=1e-12)
    assert mine.splits == math.comb(ours + others, ours)
    assert mine.note is None


@pytest.mark.parametrize("seed", range(5))
def test_exact_equals_scipy(seed: int) -> None:
    k, n, chosen = example(5, 7, seed, unequal_n=False)
    rates = k / n
    theirs = permutation_test(
        (rates[chosen], rates[~chosen]),
        # scipy's two-sided p doubles a tail: ask for one tail of the absolute difference.
        lambda x, y, axis: np.abs(np.mean(x, axis=axis) - np.mean(y, axis=axis)),
        vectorized=True,
        n_resamples=np.inf,
        alternative="greater",
    )
    mine = permutation_names_exact(k, n, chosen, DRAWS)
    assert mine.p_value == pytest.approx(theirs.pvalue, abs=1e-12)


def test_exact_counts_splits_that_nobody_could_list() -> None:
    # 40 names, 1.4e11 splits: against the hypergeometric law of names that are all or nothing.
    n = np.full(40, 3.0)
    ours = np.arange(40) < 20
    k = np.where(np.isin(np.arange(40), [0, 1, 2, 3, 4, 5, 20, 21]), 3.0, 0.0)
    ways = [math.comb(8, j) * math.comb(32, 20 - j) for j in range(9)]
    expected = sum(ways[j] for j in (0, 1, 2, 6, 7, 8)) / sum(ways)
    mine = permutation_names_exact(k, n, ours, DRAWS)
    assert mine.p_value == pytest.approx(expected, rel=1e-12)


def test_exact_falls_back_to_listed_then_random_splits(monkeypatch: pytest.MonkeyPatch) -> None:
    k, n, chosen = example(6, 6, 3, unequal_n=True)
    counted = permutation_names_exact(k, n, chosen, DRAWS)
    monkeypatch.setattr(splits, "_MOST_STEPS", 0)
    listed = permutation_names_exact(k, n, chosen, DRAWS)
    assert (listed.p_value, listed.note) == (pytest.approx(counted.p_value, rel=1e-12), None)
    monkeypatch.setattr(splits, "_MOST_LISTED", 0)
    drawn = permutation_names_exact(k, n, chosen, Draws(permutations=50_000, seed=2))
    assert drawn.note == "50000 random splits of 924"
    assert drawn.difference == counted.difference
    assert drawn.p_value == pytest.approx(counted.p_value, abs=0.01)


def test_a_monte_carlo_p_counts_the_observed_split() -> None:
    """p = (1 + r) / (1 + B) (Davison and Hinkley 1997, 4.11): never 0 without all splits."""
    # 20 names always and 20 never: 2 of 1.4e11 splits differ as much, so r = 0.
    k, n = np.repeat([9.0, 0.0], 20), np.full(40, 9.0)
    level = np.repeat([0, 1], 20)
    for permutations in (99, 999):
        found = permutation_names(k[None, :], n, level, Draws(permutations, 3))
        assert found.spread[0] == 1 / (1 + permutations)
        assert found.f[0] == 1 / (1 + permutations)


def test_a_drawn_exact_p_counts_the_observed_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splits, "_MOST_STEPS", 0)
    monkeypatch.setattr(splits, "_MOST_LISTED", 0)
    k, n = np.repeat([9.0, 0.0], 20), np.full(40, 9.0)
    mine = permutation_names_exact(k, n, np.arange(40) < 20, Draws(999, 3))
    assert mine.p_value == 1 / 1000


def test_spread_of_two_groups_is_the_exact_test() -> None:
    k, n, chosen = example(5, 6, 4, unequal_n=True)
    drawn = permutation_names(k[None, :], n, chosen.astype(np.intp), Draws(100_000, 5)).spread
    assert drawn[0] == pytest.approx(by_brute_force(k, n, chosen), abs=0.006)


def test_spread_is_the_same_by_seed_and_differs_by_another() -> None:
    k, n, _ = example(8, 8, 5, unequal_n=False)
    level = np.repeat([0, 1, 2, 3], 4)
    runs = [
        float(permutation_names(k[None, :], n, level, Draws(999, seed)).spread[0])
        for seed in (1, 1, 2, 3)
    ]
    assert runs[0] == runs[1]
    assert len(set(runs)) > 1


def test_spread_takes_several_outcomes_and_any_order_of_names() -> None:
    k, n, _ = example(8, 8, 6, unequal_n=True)
    level = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [5, 5, 6]))
    both = permutation_names(np.stack([k, n - k]), n, level, DRAWS).spread
    # The spread of a rate and of its complement are one number.
    assert both[0] == both[1]
    order = np.argsort(level, kind="stable")
    alone = permutation_names(k[None, order], n[order], level[order], DRAWS).spread
    assert alone[0] == both[0]


def test_p_values_are_uniform_when_groups_do_not_differ() -> None:
    random = np.random.default_rng(11)
    level = np.repeat([0, 1, 2], 8)
    rates = random.beta(1, 4, (300, 24))
    k = random.binomial(72, rates).astype(float)
    n = np.full(24, 72.0)
    # The same permutations serve all data sets, which leaves each p-value uniform.
    p_values = permutation_names(k, n, level, Draws(1999, 12)).spread
    assert kstest(p_values, "uniform").pvalue > 0.01
    assert 0.02 <= np.mean(p_values <= 0.05) <= 0.09


@pytest.mark.parametrize(
    ("mine", "others", "noted"),
    [
        ([0.0, 0.3, 0.6], [0.1, 0.1, 0.2, 0.2, 0.1], True),
        ([0.0, 0.3, 0.6, 0.2, 0.5], [0.1, 0.1, 0.2, 0.2, 0.1], False),
        ([0.1, 0.2, 0.1], [0.1, 0.1, 0.2, 0.2, 0.1], False),
        ([0.6], [0.1, 0.1, 0.2], False),
    ],
    ids=["unequal", "equal numbers", "equal variances", "one name"],
)
def test_unequal_variance(mine: list[float], others: list[float], noted: Any) -> None:
    ours = np.arange(len(mine) + len(others)) < len(mine)
    found = of_pairs._vary_unequally(np.array([mine + others]), ours)[0]  # noqa: SLF001
    assert found == noted
