"""A linear crossed model of one number for each cell, and studies drawn from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from refusal_parity.statistics.designs.grid import by_level
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.rounding import less
from refusal_parity.statistics.variances.components import covariances, pooled

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.designs.grid import Grid


@dataclass(frozen=True, slots=True)
class Linear:
    """y = level + template + (template, level) + name + cell, all but the level random.

    What is measured with an error has it in its cells: no test needs to tell the two apart.

    Attributes:
        name: variance between names, of each level, shape (levels,).
        template: between templates, the same for all levels.
        template_level: by which a template moves one level and not the others.
        cell: between cells beyond their name and template, errors of measurement included.
    """

    name: FloatArray
    template: float
    template_level: float
    cell: float

    @property
    def effect_deviation(self) -> float:
        """Standard deviation, over templates, of the difference of two levels."""
        return float(np.sqrt(2 * self.template_level))


def fit_linear(grid: Grid, k: FloatArray, own: float = 1.0) -> Linear | None:
    """Variances by the moments of the analysis of variance.

    The covariance of two cells that share a name, a template, or nothing, over all pairs
    (`components.covariances`), and the variance of cells less those of names and templates.

    Args:
        grid: names and templates; `n` counts the prompts of a cell.
        k: sums over the prompts of each cell, shape (names, templates).
        own: how much of a level's variance of names is its own, 0 to 1; the rest is what all
            levels share. Without the noise of drawing it is known well enough to stand alone.

    Returns:
        None where nothing varies within the levels.
    """
    # About the mean of each level, so that no digits are lost far from 0.
    level_n = by_level(grid, grid.n).sum(axis=1)
    mean = by_level(grid, k).sum(axis=1) / np.where(level_n > 0, level_n, 1)
    centred = np.where(grid.n > 0, k - grid.n * mean[grid.level][:, None], 0.0)
    found = covariances(grid, centred)
    weights = np.bincount(grid.level, minlength=len(grid.levels)).astype(np.float64)
    spare = weights - 1
    common = max(pooled(found.name, spare), 0.0)
    same = pooled(found.template, spare)
    pairs = np.asarray(np.outer(weights, weights), dtype=np.float64)
    template = pooled(found.other, pairs) if len(weights) > 1 else same
    moved = max(float(less(np.array(same), template)), 0.0)
    cell = max(float(less(np.array(_spread(grid, centred)), common, same)), 0.0)
    if common + moved + cell <= 0:
        return None
    of_level = np.where(np.isfinite(found.name), np.maximum(found.name, 0), common)
    return Linear(own * of_level + (1 - own) * common, max(template, 0.0), moved, cell)


def _spread(grid: Grid, centred: FloatArray) -> float:
    """Variance of cells within levels: their squares, less the products of unrelated cells."""
    pairs, products = grid.n, centred

    def unrelated(values: FloatArray) -> FloatArray:
        sums = by_level(grid, values)
        rows = by_level(grid, values.sum(axis=1)[:, None] ** 2)[:, 0]
        squares = by_level(grid, (values**2).sum(axis=1)[:, None])[:, 0]
        whole = sums.sum(axis=1) ** 2
        return np.asarray(whole - rows - (sums**2).sum(axis=1) + squares, dtype=np.float64)

    squares = by_level(grid, (products**2).sum(axis=1)[:, None])[:, 0]
    cells = by_level(grid, (pairs**2).sum(axis=1)[:, None])[:, 0]
    apart = unrelated(pairs)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(apart > 0, unrelated(products) / apart, np.nan)
        found = squares / cells - shares
    names = np.bincount(grid.level, minlength=len(grid.levels)).astype(np.float64)
    return pooled(found, names - 1)


def simulate_linear(
    studies: Studies, linear: Linear, count: int, random: np.random.Generator
) -> Studies:
    """Studies of the same cells without a difference between levels.

    Effects that a template has on all levels are left out: differences within templates
    do not hold them.

    Args:
        studies: whose cells, levels and pairs these are.
        linear: the model.
        count: how many.
        random: where draws come from.
    """
    grid = studies.grid
    names, templates = grid.n.shape
    codes = studies.names
    deviation = np.sqrt(linear.name)[grid.level]
    drawn = random.standard_normal((count, int(codes.max()) + 1))[:, codes] * deviation
    of_template = random.standard_normal((count, len(grid.levels), templates))
    of_template *= np.sqrt(linear.template_level)
    values = random.standard_normal((count, names, templates))
    values *= np.sqrt(linear.cell)
    values += drawn[:, :, None]
    values += of_template[:, grid.level]
    values *= grid.n
    return Studies(grid, values, studies.template_effects, studies.every_pair)
