from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.simulation.correlations import (
    HIGHEST,
    Asked,
    correlations,
    excess,
)
from refusal_parity.statistics.simulation.drawing import simulate
from refusal_parity.statistics.simulation.latent import Latent, fit_latent
from refusal_parity.statistics.variances.components import components

GRID = Grid(("x", "y", "z"), np.repeat([0, 1, 2], [30, 30, 30]), np.full((90, 40), 3.0))
MODEL = Latent(np.zeros(3), np.full(3, 0.2), 0.35, 0.05, 0.15, 0.25)


@pytest.mark.parametrize("correlation", [0.0, 0.2, 0.6, 0.95, 0.999])
@pytest.mark.parametrize(("first", "second"), [(0.0, 0.0), (-1.5, -0.3), (0.8, -2.0)])
def test_excess_is_that_of_the_bivariate_normal(
    first: float, second: float, correlation: float
) -> None:
    joint = multivariate_normal([0, 0], [[1, correlation], [correlation, 1]])
    expected = joint.cdf([first, second]) - norm.cdf(first) * norm.cdf(second)
    mine = excess(np.array(first), np.array(second), correlation)
    assert float(mine) == pytest.approx(float(expected), abs=1e-5)


@pytest.mark.parametrize("correlation", [0.0, 0.03, 0.4, 0.9, 0.9999])
@pytest.mark.parametrize("bound", [-2.6, -0.4, 0.0, 1.9])
def test_a_correlation_is_found_from_its_covariance(bound: float, correlation: float) -> None:
    first, second = np.array([bound, bound + 0.3, 9.0]), np.array([bound, bound - 0.2, 9.0])
    weights = np.array([3.0, 1.0, 0.0])
    given = np.where([True, True, False], excess(first, second, correlation), np.nan)
    alone = Asked(given[:1], first[:1], second[:1], np.ones(1))
    none = Asked(-given[:1], first[:1], second[:1], np.ones(1))
    found = correlations([alone, Asked(given, first, second, weights), none])
    expected = [correlation, correlation, 0.0]
    # Near 1 a covariance hardly hangs on the correlation.
    assert found == pytest.approx(expected, abs=1e-12 if correlation < 0.99 else 1e-9)


def test_more_covariance_than_a_correlation_gives_is_the_highest() -> None:
    first = np.array([-1.0])
    assert correlations([Asked(np.array([0.2]), first, first, np.ones(1))]) == [HIGHEST]


@pytest.mark.filterwarnings("error")
def test_rates_far_from_one_another_have_next_to_no_slope() -> None:
    asked = Asked(np.array([1e-3]), np.array([-3.0]), np.array([-0.5]), np.ones(1))
    (found,) = correlations([asked])
    assert 0.9 < found <= HIGHEST


def test_a_known_model_is_found_again() -> None:
    """Mean of 40 fits; names, templates and groups x templates are few, hence the tolerance."""
    rates = np.array([0.15, 0.3, 0.4])
    drawn = simulate(GRID, MODEL.with_rates(rates), 40, np.random.default_rng(1))
    fits = [fit_latent(GRID, k) for k in drawn.k]
    for part in ("template", "template_group", "cell", "sample"):
        found = np.array([getattr(fit, part) for fit in fits])
        error = 4 * found.std(ddof=1) / np.sqrt(len(found)) + 0.01
        assert found.mean() == pytest.approx(getattr(MODEL, part), abs=error), part
    names = np.array([fit.name[0] for fit in fits if fit is not None])
    assert names.mean() == pytest.approx(0.2, abs=4 * names.std(ddof=1) / np.sqrt(40) + 0.01)


def test_simulated_studies_have_the_models_rates() -> None:
    rates = np.array([0.1, 0.3, 0.6])
    drawn = simulate(GRID, MODEL.with_rates(rates), 400, np.random.default_rng(2))
    per_study = np.stack([drawn.k[:, GRID.level == at].mean(axis=(1, 2)) / 3 for at in range(3)], 1)
    error = 4 * per_study.std(axis=0) / np.sqrt(400)
    assert (np.abs(per_study.mean(axis=0) - rates) < error).all()
    # Over their own templates what is left is the noise of names, and of few templates'.
    left = per_study - drawn.rates_here
    assert (np.abs(left.mean(axis=0)) < 4 * left.std(axis=0) / np.sqrt(400)).all()
    assert (left.std(axis=0) < 0.75 * per_study.std(axis=0)).all()


def test_each_groups_names_may_vary_by_themselves() -> None:
    model = Latent(np.zeros(3), np.array([0.05, 0.4, 1.0]), 0.3, 0.0, 0.1, 0.3)
    drawn = simulate(GRID, model.with_rates(np.full(3, 0.3)), 30, np.random.default_rng(3))
    fits = [fit_latent(GRID, k, own=1) for k in drawn.k]
    names = np.mean([fit.name / (fit.total - fit.name) for fit in fits if fit is not None], axis=0)
    expected = model.name / (model.total - model.name)
    assert names == pytest.approx(expected, rel=0.3)
    assert names[0] < names[1] < names[2]
    fitted = next(fit for fit in fits if fit is not None)
    assert fitted.rates == pytest.approx(np.full(3, fitted.rates[0]), abs=1e-12)


def test_an_outcome_that_does_not_vary_has_no_model() -> None:
    assert fit_latent(GRID, np.zeros((90, 40))) is None
    assert fit_latent(GRID, GRID.n) is None


def test_simulated_components_are_the_studys_own() -> None:
    drawn = simulate(GRID, MODEL.with_rates(np.full(3, 0.25)), 1, np.random.default_rng(4)).k[0]
    fit = fit_latent(GRID, drawn)
    assert fit is not None
    again = simulate(GRID, fit, 60, np.random.default_rng(5)).k
    means = np.mean([components(GRID, k) for k in again], axis=0)
    assert means == pytest.approx(np.array(components(GRID, drawn)), rel=0.25, abs=0.003)


@pytest.mark.parametrize(
    ("rate", "expected"), [(0.01, (0.01, 0.06)), (0.98, (0.98, 0.93)), (0.5, (0.5, 0.55))]
)
def test_a_planted_difference_lies_where_there_is_room(
    rate: float, expected: tuple[float, float]
) -> None:
    found = MODEL.with_rates(np.full(3, rate)).planted(0.05).rates
    assert found == pytest.approx([expected[0], expected[1], expected[1]], rel=1e-9)


def test_a_large_planted_difference_lies_about_one_half() -> None:
    found = MODEL.with_rates(np.full(3, 0.3)).planted(0.8).rates
    assert found == pytest.approx([0.1, 0.9, 0.9], rel=1e-9)
