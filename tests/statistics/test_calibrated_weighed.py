"""Tests of weighed rates: their null model, its errors, and what they show."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from refusal_parity.statistics.designs.grid import Grid, Noise
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.methods.calibrated_weighed import calibrated_weighed
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws
from refusal_parity.statistics.simulation.weighed import fit_weighed, simulate_weighed

SETTING = Setting(0.05, 0.05, Draws(99, 1), Resamples(99, 1), deciding=True, binary=False)
GROUPS, EACH, TEMPLATES, DRAWS = 4, 10, 30, 3
RATE, OUTSIDE = 0.02, 0.1
"""Of refusals, and the share of them that no opening tells: what is drawn, and errs."""


def studies(
    count: int, seed: int, more: float = 0.0, *, outside: float = OUTSIDE, every: bool = False
) -> Studies:
    """Weighed rates of prompts whose probabilities follow a logistic-free, own model.

    Effects of names are uniform, those of templates a mixture: not those of the null model.
    """
    random = np.random.default_rng(seed)
    rows = GROUPS * EACH
    level = np.repeat(np.arange(GROUPS), EACH)
    name = random.uniform(-0.7, 0.7, (count, rows, 1))
    template = random.standard_normal((count, 1, TEMPLATES)) * 0.7
    template += (random.random((count, 1, TEMPLATES)) < 0.1) * 0.8
    cell = random.standard_normal((count, rows, TEMPLATES)) * 0.3
    score = name + template + cell
    score -= np.quantile(score, 0.5)
    total = 1 + score.var()
    bound = ndtri(np.where(level == 1, RATE + more, RATE)) * np.sqrt(total)
    chance = ndtr(score + bound[:, None])
    told = (1 - outside) * chance
    drawn = random.binomial(DRAWS, outside * chance) / DRAWS
    noise = np.full((rows, TEMPLATES), outside * RATE / DRAWS)
    levels = tuple("abcd"[:GROUPS])
    grid = Grid(levels, level, np.ones((rows, TEMPLATES)), noise=Noise(noise, 1 / DRAWS))
    return Studies(grid, told + drawn, every_pair=every)


def test_the_null_model_has_the_rates_without_their_errors() -> None:
    """With and without errors of known variance the fitted variances are alike."""
    clean, noisy = (studies(6, 3, outside=share) for share in (0.0, 0.5))
    for at in range(6):
        fits = [fit_weighed(each.grid, each.k[at]) for each in (clean, noisy)]
        first, second = (fit for fit in fits if fit is not None)
        cells = [fit.cell / fit.total[0] for fit in (first, second)]
        # Left in, errors of 0.3 percentage points squared would be most of the cells' variance.
        assert abs(cells[1] - cells[0]) < 0.25
        assert second.rates[0] == pytest.approx(first.rates[0], rel=0.3)


def test_simulated_studies_err_as_much_as_the_study() -> None:
    drawn = studies(1, 5, outside=0.5)
    noise = drawn.grid.noise
    assert noise is not None
    latent = fit_weighed(drawn.grid, drawn.k[0])
    assert latent is not None
    random = [np.random.default_rng(7) for _ in range(2)]
    noisy = simulate_weighed(drawn, drawn.k[0], latent, 400, random[0])
    free = Studies(drawn.grid._replace(noise=None), drawn.k)
    clean = simulate_weighed(free, drawn.k[0], latent, 400, random[1])
    # The same probabilities, as errors are drawn last.
    errors = noisy.k - clean.k
    assert errors.mean() == pytest.approx(0, abs=4 * errors.std() / np.sqrt(errors.size))
    assert clean.k.mean() == pytest.approx(drawn.k.mean(), rel=0.15)
    assert errors.var() == pytest.approx(float(noise.variance.mean()), rel=0.2)
    # One response moves a rate by a third.
    assert errors.max() > 0.3
    assert noisy.grid is drawn.grid


@pytest.mark.simulation
def test_level_and_power() -> None:
    even, raised = studies(30, 11), studies(15, 12, more=0.04)
    [null], [found] = (calibrated_weighed(each, SETTING) for each in (even, raised))
    p = null.values("p_value")
    # Of 90 single tests of true nulls, the three of a study hanging together.
    assert (p < 0.05).mean() < 0.14
    assert p.mean() == pytest.approx(0.5, abs=0.15)
    covered = (null.values("ci_low") <= 0) & (null.values("ci_high") >= 0)
    assert np.array_equal(covered, p >= 0.05)
    shown = found.values("p_value")[:, 0] < 0.05
    assert shown.mean() > 0.5
    assert found.values("estimate")[:, 0].mean() == pytest.approx(0.04, rel=0.3)
    family = null.values("p_family")
    assert family.mean() > p.mean()


def test_where_the_null_model_is_not_known() -> None:
    few = studies(1, 1)
    small = few.keep(np.array([0, 1], dtype=np.intp))
    assert small.grid.noise is not None
    assert small.grid.noise.variance.shape == small.grid.n.shape
    [found] = calibrated_weighed(small, SETTING)
    assert np.isnan(found.values("p_value")).all()
    nothing = Studies(few.grid, 0 * few.k)
    assert fit_weighed(nothing.grid, nothing.k[0]) is None
    [found] = calibrated_weighed(nothing, SETTING)
    assert np.isnan(found.values("p_value")).all()
