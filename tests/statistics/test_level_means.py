"""Errors of level means: no jump where names, templates and cells vary against each other."""

from __future__ import annotations

import numpy as np
import pytest

from refusal_parity.statistics.designs.counts import Design
from refusal_parity.statistics.variances.level_means import contrast, level_means
from refusal_parity.vocabulary import Scope


def contrast_of(cells: np.ndarray) -> float:
    """Standard error of the second level less the first, each of half the names (rows)."""
    name, template = (each.ravel() for each in np.indices(cells.shape))
    level = name // (len(cells) // 2)
    design = Design(("x", "y"), level, name, template, np.ones(cells.size), cells.ravel())
    weights = np.array([-1.0, 1.0])
    found = contrast(level_means(design), weights, Scope.NEW_NAMES_AND_TEMPLATES)
    assert found is not None
    return found.std_error


def test_the_error_moves_as_little_as_the_outcomes() -> None:
    # From cells that differ alone to names that do: the sum of variances rises from below 0.
    random = np.random.default_rng(4)
    cells = np.where((np.add.outer(np.arange(6), np.arange(4)) % 2) > 0, 1.0, 0.0)
    names = random.random((6, 1)) + np.zeros((1, 4))
    errors = [contrast_of((1 - share) * cells + share * names) for share in np.linspace(0, 1, 2001)]
    assert np.abs(np.diff(errors)).max() < 0.002


def test_the_order_of_names_changes_nothing_where_cells_alone_differ() -> None:
    cells = np.array([[1.0, 0], [0, 1], [1, 0], [0, 1]])
    first = contrast_of(cells)
    assert contrast_of(cells[[1, 0, 3, 2]]) == pytest.approx(first, rel=1e-12)
    assert contrast_of(cells[:, ::-1]) == pytest.approx(first, rel=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_what_other_levels_are_adjusted_by_is_no_variance_of_a_level_of_zeros(seed: int) -> None:
    random = np.random.default_rng(seed)
    name, template = (each.ravel() for each in np.indices((7, 5)))
    level = (name >= 4).astype(np.intp)
    # The last template is asked of the other level alone, so that effects are taken off.
    kept = (level == 1) | (template < 4)
    values = np.where(level == 1, random.random(35), 0)[kept]
    ones = np.ones(len(values))
    means = level_means(Design(("x", "y"), level[kept], name[kept], template[kept], ones, values))
    assert contrast(means, np.array([1.0, 0.0]), Scope.NEW_NAMES) is None
    assert contrast(means, np.array([0.0, 1.0]), Scope.NEW_NAMES) is not None


def test_a_difference_that_is_rounding_is_none() -> None:
    # 0.1 + 0.2 is not 0.3 in binary numbers: both levels have the same mean all the same.
    cells = np.array([[0.1, 0.2, 0.6], [0.3, 0.4, 0.5], [0.2, 0.2, 0.2], [0.5, 0.5, 0.5]])
    name, template = (each.ravel() for each in np.indices(cells.shape))
    design = Design(("x", "y"), name // 2, name, template, np.ones(cells.size), cells.ravel())
    found = contrast(level_means(design), np.array([-1.0, 1.0]), Scope.NEW_NAMES)
    assert found is not None
    assert found.estimate == 0
