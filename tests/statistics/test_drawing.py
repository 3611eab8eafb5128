from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import binom, chi2, norm

from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.simulation.drawing import simulate
from refusal_parity.statistics.simulation.latent import Latent


def shares(level: float, cell: float, sample: float, n: int) -> list[float]:
    """Of cells with 0, 1, ... n hits, by adaptive quadrature over the cell's effect."""
    deviation = np.sqrt(cell)
    if cell == 0:
        return [float(binom.pmf(k, n, norm.cdf(level / np.sqrt(sample)))) for k in range(n + 1)]

    def at(effect: float, k: int) -> float:
        chance = norm.cdf((level + effect) / np.sqrt(sample))
        return float(norm.pdf(effect / deviation) / deviation * binom.pmf(k, n, chance))

    reach = 8 * deviation
    jump = [float(np.clip(-level, -reach, reach))]
    return [quad(at, -reach, reach, args=(k,), points=jump, limit=400)[0] for k in range(n + 1)]


@pytest.mark.parametrize(
    ("cell", "sample", "n"), [(0.15, 0.3, 3), (0.9, 0.001, 2), (0.0, 1.0, 3), (1e-7, 0.2, 5)]
)
@pytest.mark.parametrize("level", [-1.1, 0.2])
def test_counts_of_cells_have_the_models_shares(
    level: float, cell: float, sample: float, n: int
) -> None:
    """Without effects of names and templates; Pearson's statistic, at a level of 1e-4."""
    model = Latent(np.full(1, level), np.zeros(1), 0.0, 0.0, cell, sample)
    grid = Grid(("x",), np.zeros(20, dtype=np.intp), np.full((20, 50), float(n)))
    k = simulate(grid, model, 60, np.random.default_rng(1)).k
    seen = np.bincount(k.astype(int).ravel(), minlength=n + 1)
    expected = k.size * np.array(shares(level, cell, sample, n))
    statistic = float(((seen - expected) ** 2 / expected).sum())
    assert statistic < chi2.isf(1e-4, n)


def test_each_cell_has_as_many_responses_as_the_grid_says() -> None:
    n = np.array([[0.0, 1.0, 4.0], [2.0, 0.0, 3.0]])
    grid = Grid(("x", "y"), np.arange(2), n)
    sure = Latent(np.full(2, 50.0), np.full(2, 0.1), 0.1, 0.0, 0.1, 0.5)
    assert (simulate(grid, sure, 3, np.random.default_rng(1)).k == n).all()
    never = Latent(np.full(2, -50.0), np.full(2, 0.1), 0.1, 0.0, 0.1, 0.5)
    assert not simulate(grid, never, 3, np.random.default_rng(1)).k.any()
    even = Latent(np.zeros(2), np.full(2, 0.1), 0.1, 0.0, 0.1, 0.5)
    drawn = simulate(grid, even, 400, np.random.default_rng(1)).k
    assert (drawn.max(axis=0) == n).all()
    assert drawn.mean(axis=0) == pytest.approx(n / 2, abs=0.4)


def test_responses_of_one_cell_are_as_alike_as_the_model_says() -> None:
    """The share of cells where both of two hit: P(X > 0, Y > 0) = 1/4 + arcsin(r) / (2 pi)."""
    model = Latent(np.zeros(1), np.full(1, 0.2), 0.3, 0.1, 0.25, 0.15)
    grid = Grid(("x",), np.arange(1) * 0, np.full((1, 1), 2.0))
    k = simulate(grid, model, 40_000, np.random.default_rng(2)).k
    both = 0.25 + np.arcsin(0.85) / (2 * np.pi)
    assert (k == 2).mean() == pytest.approx(both, abs=4 * np.sqrt(both * (1 - both) / 40_000))
