"""Studies of a prompt list without a difference, against scipy's beta-binomial law."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import betabinom, binom

from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.simulation.nested import NestedNull

STUDIES, RESPONSES = 4_000, 8
LEVEL = np.array([0, 0, 1, 1])
GRID = Grid(("x", "y"), LEVEL, np.full((4, 1), float(RESPONSES)))


@pytest.mark.parametrize("rate", [0.1, 0.6])
@pytest.mark.parametrize("apart", [0.0, 0.2])
@pytest.mark.parametrize("likeness", [0.0, 0.3, 0.8])
def test_units_are_as_alike_as_is_said(rate: float, apart: float, likeness: float) -> None:
    null = NestedNull(grid=GRID, rate=rate, likeness=likeness, apart=apart)
    drawn = null.draw(STUDIES, np.random.default_rng(1))[:, :, 0]
    for level in (0, 1):
        mean = rate + apart * level
        size = (1 - likeness) / likeness if likeness else None
        law = (
            betabinom(RESPONSES, mean * size, (1 - mean) * size) if size else binom(RESPONSES, mean)
        )
        counts = np.bincount(drawn[:, level == LEVEL].astype(int).ravel(), minlength=RESPONSES + 1)
        expected = law.pmf(np.arange(RESPONSES + 1))
        # Five standard errors of a share of 8,000.
        error = np.sqrt(expected * (1 - expected) / counts.sum())
        assert np.abs(counts / counts.sum() - expected) == pytest.approx(0, abs=5 * error.max())
