from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import permutation_test

from refusal_parity.statistics.resampling.exact import permutation_names_exact
from refusal_parity.statistics.resampling.leave_one_out import p_values, split
from refusal_parity.statistics.resampling.randomisation import Draws

DRAWS = Draws(permutations=1_000, seed=1)


def one_less(k: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns of the counts without each name in turn."""
    size = len(k)
    return (k[:, None] * (1 - np.eye(size)), n[:, None] * (1 - np.eye(size)))


@pytest.mark.parametrize(("group", "others"), [(4, 4), (3, 5), (1, 6)])
def test_listed_splits_give_the_exact_p_value_of_the_names_left(group: int, others: int) -> None:
    random = np.random.default_rng(group)
    n = random.integers(20, 30, group + others).astype(float)
    k = random.binomial(n.astype(int), 0.3).astype(float)
    ours = np.arange(group + others) < group
    splits = split(ours, seed=1)
    assert splits.every
    testable = [at for at in range(len(n)) if not (ours[at] and group == 1)]
    columns_k, columns_n = (x[:, testable] for x in one_less(k, n))
    found = p_values(columns_k, columns_n, ours, splits)
    for at, p_value in zip(testable, found, strict=True):
        left = np.arange(len(n)) != at
        expected = permutation_names_exact(k[left], n[left], ours[left], DRAWS)
        assert p_value == pytest.approx(expected.p_value, rel=1e-12)


def test_random_splits_are_near_scipys_permutation_test() -> None:
    random = np.random.default_rng(3)
    n = np.full((40, 1), 96.0)
    ours = np.arange(40) < 20
    k = random.binomial(96, np.where(ours, 0.34, 0.3) + random.normal(0, 0.05, 40)).astype(float)
    splits = split(ours, seed=1)
    assert not splits.every
    expected = permutation_test(
        (k[ours], k[~ours]),
        lambda x, y, axis: np.mean(x, axis=axis) - np.mean(y, axis=axis),
        permutation_type="independent",
        vectorized=True,
        n_resamples=50_000,
        rng=np.random.default_rng(1),
    )
    found = p_values(k[:, None], n, ours, splits)
    assert found[0] == pytest.approx(expected.pvalue, abs=0.01)
    assert 0.01 < found[0] < 0.9


def test_a_name_without_responses_is_not_dealt() -> None:
    n = np.array([5.0, 5, 0, 5, 5, 5])
    k = np.array([5.0, 5, 0, 0, 0, 0])
    ours = np.array([True, True, True, False, False, False])
    found = p_values(k[:, None], n[:, None], ours, split(ours, seed=1))
    # Two names against three: of ten splits only the one seen reaches the difference.
    assert found[0] == pytest.approx(1 / 10)
