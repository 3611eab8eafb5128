"""Rates of levels as of one mixture of templates, with their variances and what they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.rounding import NOISE, is_noise
from refusal_parity.statistics.variances.effective import worth_at_most

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.fits.least_squares import LeastSquares


class LevelErrors(NamedTuple):
    """Rates of levels, how precise they are, and how much of their errors is common.

    Attributes:
        rate: within [0, 1], shape (studies, levels).
        size: the number of independent responses that would be as precise, likewise;
            NaN where no level varies.
        correlation: of the errors of two levels, from 0 to 1, shape (studies, levels, levels).
    """

    rate: FloatArray
    size: FloatArray
    correlation: FloatArray


def level_errors(fit: LeastSquares) -> LevelErrors:
    """Rates over new names and templates, from the regression on levels and templates.

    p_g = b_g + the mean effect of templates over all responses: the raw rate where no
    response is missing. Its variance is V = max(V_name + V_template - V_cell, V_name,
    V_template), each m/(m-1) sum of squares over the clusters of the level: of sums of
    residuals by name; of those by template, and the template's own effect; and, with
    their own degrees of freedom, of what neither explains. Errors of two levels are
    correlated by the clusters that both have.

    Sizes are those of `worth_at_most`.

    Args:
        fit: of the outcome, yes or no, on levels and templates.
    """
    studies = fit.studies
    level_n = studies.level_n
    n = level_n.sum(axis=1)
    templates = level_n.sum(axis=0)
    levels = np.concatenate([np.zeros((len(studies), 1)), fit.coefficients], axis=1)
    total = np.where(templates > 0, templates, 1)
    effects = (studies.level_k.sum(axis=1) - levels @ level_n) / total
    if not studies.template_effects:
        effects = np.broadcast_to((effects @ templates / n.sum())[:, None], effects.shape)
    middle = effects @ templates / n.sum()
    rate = np.clip(levels + middle[:, None], 0, 1)
    own = (effects - middle[:, None]) * templates / n.sum()
    by_template = fit.level_residual / n[:, None] + own[:, None]
    variance = _variances(fit, by_template)
    whole = np.diagonal(variance, axis1=1, axis2=2)
    spread = rate * (1 - rate)
    spread = np.where(spread > NOISE, spread, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.sqrt(whole[:, :, None] * whole[:, None, :])
        known = ~is_noise(whole, 1.0)
        both = known[:, :, None] & known[:, None, :]
        shared = np.where(both, np.clip(variance / scale, 0, 1), 0)
    return LevelErrors(rate, worth_at_most(spread, whole, n), shared)


def _variances(fit: LeastSquares, by_template: FloatArray) -> FloatArray:
    """Covariances of the levels' rates, shape (studies, levels, levels)."""
    studies = fit.studies
    grid, n = studies.grid, studies.level_n.sum(axis=1)
    levels = np.arange(len(grid.levels))
    belongs = (grid.level == levels[:, None]).astype(np.float64)
    share = fit.residual.sum(axis=2) / n[grid.level]
    # One row for each name and level, so that names of several levels meet themselves.
    by_name = studies.by_name(share[..., None] * belongs.T)
    names, templates = belongs.sum(axis=1), np.count_nonzero(studies.level_n, axis=1)
    cells = belongs @ np.count_nonzero(grid.n, axis=1)
    spare = np.maximum(cells - names - templates + 1, 1)
    name = _products(np.swapaxes(by_name, 1, 2), names / np.maximum(names - 1, 1))
    template = _products(by_template, templates / np.maximum(templates - 1, 1))
    cell = _cell_products(studies, fit) * np.sqrt(np.outer(cells / spare, cells / spare))
    found = name + template - cell / np.outer(n, n)
    at = levels
    found[:, at, at] = np.maximum(found[:, at, at], np.maximum(name, template)[:, at, at])
    return np.asarray(found, dtype=np.float64)


def _products(terms: FloatArray, correction: FloatArray) -> FloatArray:
    """Sums of products over clusters, of shape (studies, levels, clusters)."""
    scaled = terms * np.sqrt(correction)[:, None]
    return np.asarray(scaled @ np.swapaxes(scaled, 1, 2), dtype=np.float64)


def _cell_products(studies: Studies, fit: LeastSquares) -> FloatArray:
    """Sums over cells of products of what names and templates leave of the residuals."""
    grid = studies.grid
    of_name = fit.residual.sum(axis=2) / np.maximum(studies.name_n, 1)
    of_template = fit.level_residual / np.maximum(studies.level_n, 1)
    belongs = (grid.level == np.arange(len(grid.levels))[:, None]).astype(np.float64)
    found = np.empty((len(studies), len(belongs), len(belongs)))
    # Study by study: all at once do not fit the processor's cache.
    for study, sums in enumerate(found):
        explained = of_name[study, :, None] + of_template[study][grid.level]
        left = fit.residual[study] - grid.n * explained
        if studies.is_nested:
            sums[:] = np.diag(belongs @ np.square(left, out=left).sum(axis=1))
        else:
            whole = studies.by_name((belongs.T[:, :, None] * left[:, None]).reshape(len(left), -1))
            parts = whole.reshape(len(whole), len(belongs), -1)
            sums[:] = np.einsum("ngt,nht->gh", parts, parts)
    return found
