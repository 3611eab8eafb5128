"""What cells say of their scores, against Simpson's rule."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import simpson
from scipy.special import log_ndtr
from scipy.stats import norm

from refusal_parity.statistics.pooling import cell_likelihood
from refusal_parity.statistics.pooling.cell_likelihood import Cells, log_likelihoods

# Responses, hits, mean and variance; most pull against their mean.
CELLS = [
    (3, 0, -8.0, 1.2), (3, 3, -8.0, 1.2), (3, 1, -8.0, 1.2), (3, 0, 9.0, 0.3),
    (2, 2, 6.0, 0.3), (2, 1, 0.1, 2.5), (3, 3, 0.4, 0.3), (1, 0, 0.0, 6.0),
    (10, 10, -5.0, 2.0), (10, 3, 12.0, 1.0), (0, 0, 3.0, 1.0), (1, 1, -20.0, 4.0),
]  # fmt: skip


def by_quadrature(n: int, k: int, centre: float, variance: float) -> list[float]:
    """Log of the likelihood, its slope in the mean, and its second derivative negated."""
    away = np.linspace(-1, 1, 200_001) * (abs(centre) + 15 * variance**0.5)
    score = centre + away
    logs = norm.logpdf(away, scale=variance**0.5) + k * log_ndtr(score) + (n - k) * log_ndtr(-score)
    law = np.exp(logs - logs.max())
    mass, mean, square = (simpson(law * away**power, away) for power in range(3))
    mean, square = mean / mass, square / mass
    left = (square - mean**2) / variance
    return [float(np.log(mass) + logs.max()), mean / variance, (1 - left) / variance]


@pytest.mark.parametrize("together", [2, 2048])
def test_likelihoods_are_those_of_quadrature(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cell_likelihood, "_TOGETHER", together)
    n, k, centre, variance = (
        np.array(each, dtype=float)[:, None] for each in zip(*CELLS, strict=True)
    )
    found = log_likelihoods(Cells.of(n, k), centre, variance)
    for at, cell in enumerate(CELLS):
        expected = by_quadrature(*cell) if cell[0] else [0, 0, 0]
        assert [each[at, 0] for each in found] == pytest.approx(expected, rel=1e-8, abs=1e-8), cell


def test_cells_are_told_apart_whatever_their_order() -> None:
    random = np.random.default_rng(1)
    centre = random.normal(-1, 3, (40, 90))
    n = random.integers(0, 4, centre.shape).astype(float)
    k = random.binomial(n.astype(int), 0.3).astype(float)
    variance = random.uniform(1, 2, centre.shape)
    rows, columns = random.permutation(40), random.permutation(90)
    found = log_likelihoods(Cells.of(n, k), centre, variance)
    n, k, *law = (each[rows][:, columns] for each in (n, k, centre, variance))
    mixed = log_likelihoods(Cells.of(n, k), *law)
    for one, other in zip(found, mixed, strict=True):
        assert other == pytest.approx(one[rows][:, columns], rel=1e-12, abs=1e-14)
