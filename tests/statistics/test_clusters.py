from __future__ import annotations

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from refusal_parity.statistics.variances.clusters import mean_errors


def rows(seed: int, *, lost: int = 0) -> tuple[np.ndarray, ...]:
    """Names, templates and outcomes of 8 x 6 x 3 responses less some."""
    random = np.random.default_rng(seed)
    name, template, _ = (each.ravel() for each in np.indices((8, 6, 3)))
    rate = random.uniform(0, 0.5, 8)[name] + random.uniform(0, 0.5, 6)[template]
    y = (random.random(len(rate)) < rate).astype(float)
    kept = random.permutation(len(y))[lost:]
    return name[kept], template[kept], y[kept]


@pytest.mark.parametrize("lost", [0, 30])
@pytest.mark.parametrize("seed", range(3))
def test_mean_errors_are_those_of_a_regression(seed: int, lost: int) -> None:
    name, template, y = rows(seed, lost=lost)
    clustered = OLS(y, np.ones(len(y))).fit(
        cov_type="cluster", cov_kwds={"groups": np.column_stack([name, template])}
    )
    level = np.zeros_like(name)
    mine = mean_errors(level, name, template, np.ones(len(y)), y)
    assert mine.std_error[0] == pytest.approx(clustered.bse[0], rel=1e-10)
    assert mine.df[0] == 5
    assert mine.fallback[0] == 0


def test_mean_errors_of_levels_are_those_of_each_alone() -> None:
    name, template, y = rows(4)
    level = name % 2
    together = mean_errors(level, name, template, np.ones(len(y)), y)
    for each in (0, 1):
        at = level == each
        alone = mean_errors(0 * level[at], name[at], template[at], np.ones(at.sum()), y[at])
        assert together.std_error[each] == pytest.approx(alone.std_error[0], rel=1e-12)


def test_mean_errors_need_two_names_and_two_templates() -> None:
    one, two = np.zeros(4, dtype=int), np.array([0, 0, 1, 1])
    y = np.array([0.0, 1, 1, 1])
    n = np.ones(4)
    for name, template in ((one, two), (two, one)):
        assert np.isnan(mean_errors(one, name, template, n, y).std_error[0])


@pytest.mark.parametrize("y", [np.zeros(8), np.ones(8)], ids=["none", "all"])
def test_mean_errors_without_variation_are_missing(y: np.ndarray) -> None:
    name, template = (each.ravel() for each in np.indices((4, 2)))
    errors = mean_errors(0 * name, name, template, np.ones(8), y)
    assert np.isnan(errors.std_error[0])


def test_negative_variance_falls_back_to_one_way() -> None:
    # Names and templates hardly differ, cells do: V_cell exceeds the other two.
    name, template = (each.ravel() for each in np.indices((2, 2)))
    y = np.where(name == template, 1.0, 0.0)
    n = np.array([1.0, 1, 1, 2])
    errors = mean_errors(0 * name, name, template, n, y)
    residual = y - n * y.sum() / n.sum()
    of_name = np.array([residual[name == at].sum() for at in (0, 1)])
    by_name = 2 / (2 - 1) * (of_name**2).sum() / n.sum() ** 2
    assert errors.fallback[0] == 1
    assert errors.std_error[0] ** 2 == pytest.approx(by_name, rel=1e-12)
    assert by_name > 0
