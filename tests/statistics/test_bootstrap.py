from __future__ import annotations

import numpy as np
import pytest

from refusal_parity.statistics.resampling.bootstrap import Counts, Resamples, resampled_rates

LEVEL = np.array([0, 1, 0, 1, 1])


def grid(seed: int) -> Counts:
    random = np.random.default_rng(seed)
    n = random.integers(1, 5, (5, 4)).astype(float)
    return Counts(
        random.binomial(n.astype(int), 0.4, (2, 5, 4)).astype(float), n, LEVEL, ("x", "y")
    )


@pytest.mark.parametrize("templates", [False, True])
def test_law_of_rates_equals_drawing_rows(*, templates: bool) -> None:
    counts = grid(1)
    drawn = resampled_rates(counts, Resamples(20_000, 2), templates=templates)
    random = np.random.default_rng(3)
    slow = np.empty((2, 4000))
    for at in range(slow.shape[1]):
        columns = random.integers(0, 4, 4) if templates else np.arange(4)
        for level in (0, 1):
            members = np.flatnonzero(level == LEVEL)
            rows = random.choice(members, len(members))
            cells = np.ix_(rows, columns)
            slow[level, at] = counts.k[1][cells].sum() / counts.n[cells].sum()
    for level in (0, 1):
        assert drawn[1, level].mean() == pytest.approx(slow[level].mean(), abs=0.01)
        assert drawn[1, level].std() == pytest.approx(slow[level].std(), rel=0.06)
    # Templates are drawn once for both groups: their rates move together.
    assert np.corrcoef(drawn[1])[0, 1] == pytest.approx(np.corrcoef(slow)[0, 1], abs=0.06)


def test_empty_sample_is_no_rate() -> None:
    n = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    counts = Counts(np.zeros((1, 4, 2)), n, np.array([0, 0, 1, 1]), ("x", "y"))
    drawn = resampled_rates(counts, Resamples(4000, 1), templates=True)
    # Group 0 has responses to the first template alone, which a quarter of the samples lack.
    assert np.isnan(drawn[0, 0]).mean() == pytest.approx(0.25, abs=0.03)
    assert (drawn[0, 1] == 0).all()


def test_same_seed_same_draws() -> None:
    runs = [resampled_rates(grid(4), Resamples(99, seed), templates=True) for seed in (1, 1, 2)]
    assert (runs[0] == runs[1]).all()
    assert (runs[0] != runs[2]).any()
