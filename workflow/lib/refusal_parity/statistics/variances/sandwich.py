"""Covariances of contrasts that allow for responses of one name, or one template, being alike.

For many studies at once, by their roots (`roots`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.designs.grid import by_level
from refusal_parity.statistics.rounding import exceeds
from refusal_parity.statistics.variances.roots import covariance, root_of_difference, size, triangle

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import BoolArray, FloatArray
    from refusal_parity.statistics.designs.grid import Grid
    from refusal_parity.statistics.designs.studies import Studies


class Counts(NamedTuple):
    """How many clusters, responses and coefficients a fit has; each broadcasts to (studies,)."""

    names: FloatArray
    templates: FloatArray
    cells: FloatArray
    rows: FloatArray
    parameters: FloatArray


class Sandwich(NamedTuple):
    """CR1S covariances of the contrasts.

    Attributes:
        by_name: root, shape (studies, q, q).
        by_template: root, likewise.
        by_cell: the covariance itself, likewise.
    """

    by_name: FloatArray
    by_template: FloatArray
    by_cell: FloatArray


class TwoWay(NamedTuple):
    """A two-way covariance, or the one-way covariance that stands in for it.

    Attributes:
        root: shape (studies, q, q).
        by_name: where it is clustered by name alone, shape (studies,).
        by_template: where it is clustered by template alone, shape (studies,).
    """

    root: FloatArray
    by_name: BoolArray
    by_template: BoolArray


def counted(inside: BoolArray, studies: Studies, parameters: FloatArray) -> Counts:
    """Counts of fits to some cells.

    Args:
        inside: cells with responses, shape (studies or 1, rows, templates).
        studies: the studies.
        parameters: coefficients, broadcasts to (studies,).
    """
    prompts = inside if studies.is_nested else studies.by_name(inside.astype(np.float64)) > 0
    return Counts(
        names=prompts.any(axis=2).sum(axis=1).astype(np.float64),
        templates=prompts.any(axis=1).sum(axis=1).astype(np.float64),
        cells=prompts.sum(axis=(1, 2)).astype(np.float64),
        rows=np.array([studies.grid.n[each].sum() for each in inside]),
        parameters=parameters,
    )


def sandwich(studies: Studies, residual: FloatArray, moved: FloatArray, counts: Counts) -> Sandwich:
    """CR1S covariances by name, by template and by cell.

    Each is G/(G-1) (n-1)/(n-p) times the sum over clusters of m m', with m what the
    cluster's residuals move the contrasts by, and p all coefficients (Liang and
    Zeger 1986, Biometrika 73:13-22; correction as in Cameron, Gelbach and
    Miller 2011).

    Args:
        studies: names, templates and levels.
        residual: sums of residuals, shape (studies, rows, templates).
        moved: what a residual moves the contrasts by, shape (studies or 1,
            levels, templates, q).
        counts: clusters, responses and coefficients.
    """
    grid = studies.grid
    rest = (counts.rows - 1) / np.maximum(counts.rows - counts.parameters, 1e-300)
    by_name, by_template, by_cell = (
        (clusters / np.maximum(clusters - 1, 1) * rest)[..., None, None]
        for clusters in (counts.names, counts.templates, counts.cells)
    )
    q = moved.shape[-1]
    names = np.empty((*residual.shape[:2], q))
    for level in range(len(grid.levels)):
        own = grid.level == level
        names[:, own] = residual[:, own] @ moved[:, level]
    templates = np.einsum("rgt,rgtq->rtq", by_level(grid, residual), moved)
    return Sandwich(
        np.sqrt(by_name) * triangle(studies.by_name(names)),
        np.sqrt(by_template) * triangle(templates),
        by_cell * covariance(cell_terms(studies, residual, moved)),
    )


def cell_squares(studies: Studies, residual: FloatArray, moved: FloatArray) -> FloatArray:
    """The diagonal of the sum over cells of m m' (`cell_terms`), shape (studies, q).

    Args:
        studies: names, templates and levels.
        residual: sums of residuals, shape (studies, rows, templates).
        moved: what a residual moves the contrasts by, shape (levels, templates, q).
    """
    if not studies.is_nested:
        return np.asarray((cell_terms(studies, residual, moved[None]) ** 2).sum(axis=1))
    sizes = level_squares(studies.grid, residual)
    return sizes.reshape(len(sizes), -1) @ (moved**2).reshape(-1, moved.shape[-1])


def level_squares(grid: Grid, residual: FloatArray) -> FloatArray:
    """Sums of squares by level and template, shape (studies, levels, templates)."""
    found = np.empty((len(residual), len(grid.levels), residual.shape[2]))
    squares = np.empty(residual.shape[1:])
    # Study by study: all at once do not fit the processor's cache.
    for sums, each in zip(found, residual, strict=True):
        np.multiply(each, each, out=squares)
        sums[:] = by_level(grid, squares)
    return found


def cell_terms(studies: Studies, residual: FloatArray, moved: FloatArray) -> FloatArray:
    """A root of the sum over cells of m m', shape (studies, terms, q).

    A cell is a name with a template: where levels share prompts, as arms do, it
    holds residuals of each, whose errors have the prompt in common; else
    residuals of one level move the contrasts alike, and their squares can be
    added first.

    Args:
        studies: names, templates and levels.
        residual: sums of residuals, shape (studies, rows, templates).
        moved: what a residual moves the contrasts by, shape (studies or 1,
            levels, templates, q).
    """
    shape = (len(residual), -1, moved.shape[-1])
    if studies.is_nested:
        sizes = np.sqrt(level_squares(studies.grid, residual))
        return (sizes[..., None] * moved).reshape(shape)
    terms = residual[..., None] * moved[:, studies.grid.level]
    flat = terms.reshape(*terms.shape[:2], -1)
    return studies.by_name(flat).reshape(shape)


def two_way(found: Sandwich, largest: FloatArray) -> TwoWay:
    """Two-way covariance V_name + V_template - V_cell.

    Each term has its own G/(G-1) (Cameron, Gelbach and Miller 2011, Journal of
    Business and Economic Statistics 29:238-249). The difference need not be
    positive definite: then the one-way covariance that is larger over all
    pairs stands in.

    Args:
        found: covariances, with two names and templates or more.
        largest: of the variances that outcomes of this size can give, shape (studies, q).
    """
    whole = covariance(found.by_name) + covariance(found.by_template)
    root = root_of_difference(whole, found.by_cell, largest)
    lost = np.asarray(np.isnan(root).any(axis=(1, 2)), dtype=np.bool_)
    most = largest.shape[-1] * largest.sum(axis=1)
    # Of two alike, names: which is the larger of them is rounding.
    template = lost & exceeds(size(found.by_template), size(found.by_name), most)
    larger = np.where(template[:, None, None], found.by_template, found.by_name)
    root = np.where(lost[:, None, None], larger, root)
    return TwoWay(root, lost & ~template, template)
