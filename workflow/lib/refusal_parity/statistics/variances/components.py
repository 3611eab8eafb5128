"""How much of the variance lies between names, templates, cells and samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.designs.grid import by_level
from refusal_parity.statistics.rounding import TIE, less

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.designs.grid import Grid


class Covariances(NamedTuple):
    """Covariance of the outcomes of two responses of one group, by what they share.

    Each is the share of such pairs in which both have the outcome, less that
    of pairs which share nothing but the group. Arrays of shape (groups,); NaN
    where a group has no such pair.

    Attributes:
        template: the template.
        name: the name.
        cell: template and name.
        other: shape (groups, groups), the template, of responses of two
            groups, less the share among pairs of two groups that do not
            share it; the diagonal is NaN.
    """

    template: FloatArray
    name: FloatArray
    cell: FloatArray
    other: FloatArray


class Components(NamedTuple):
    """Variance of a 0-1 outcome within groups, on the scale of rates.

    Attributes:
        rate: over all responses.
        name: between names of a group.
        template: between templates.
        template_group: by which a template moves one group and not the others.
        cell: between cells beyond their name and template.
        sample: between responses to one prompt.
    """

    rate: float
    name: float
    template: float
    template_group: float
    cell: float
    sample: float


def covariances(grid: Grid, k: FloatArray, noise: FloatArray | None = None) -> Covariances:
    """Unbiased covariances between responses by what they share.

    Pairs are counted, not listed: those of one name and two templates are
    K^2 less the sum of k^2 over the name's cells, and so on. In a complete
    study these are the moments of the analysis of variance (Searle, Casella
    and McCulloch 1992, *Variance Components*, chapter 5).

    Args:
        grid: names, templates and responses of the study.
        k: responses with the outcome, shape (names, templates); or the rate of each cell,
            where `noise` is given and the grid has one response for each.
        noise: variance of the errors of these rates, by which their squares are too large.
    """
    hits, pairs = _products(grid, k), _products(grid, grid.n)
    if noise is not None:
        hits = (_of_groups(grid, k**2 - noise), *hits[1:])
        pairs = (_of_groups(grid, grid.n), *pairs[1:])
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = [np.where(n > 0, x / n, np.nan) for x, n in zip(hits, pairs, strict=True)]
    cell, name, template, nothing, other, apart = shares
    return Covariances(
        less(template, nothing), less(name, nothing), less(cell, nothing), less(other, apart)
    )


def _products(grid: Grid, counts: FloatArray) -> tuple[FloatArray, ...]:
    """Sums over pairs of distinct responses: of one cell, name, template, or none, by group.

    Then, over pairs of responses of two groups: of one template, of two.
    """
    squares = _of_groups(grid, counts**2)
    name = by_level(grid, counts.sum(axis=1)[:, None] ** 2)[:, 0]
    sums = by_level(grid, counts)
    template, whole = (sums**2).sum(axis=1), sums.sum(axis=1)
    other = sums @ sums.T
    apart = np.outer(whole, whole) - other
    for each in (other, apart):
        np.fill_diagonal(each, 0)
    return (
        squares - _of_groups(grid, counts),
        name - squares,
        template - squares,
        whole**2 - name - template + squares,
        other,
        apart,
    )


def _of_groups(grid: Grid, values: FloatArray) -> FloatArray:
    """Sums over all cells of each group."""
    return by_level(grid, values.sum(axis=1)[:, None])[:, 0]


def pooled(values: FloatArray, weights: FloatArray) -> float:
    """Weighted mean of the numbers there are; 0 where there are none."""
    there = np.isfinite(values) & (weights > 0)
    if not there.any():
        return 0.0
    parts = values[there] * weights[there] / weights[there].sum()
    whole = float(parts.sum())
    return whole if abs(whole) > TIE * np.abs(parts).sum() else 0.0


def components(grid: Grid, k: FloatArray) -> Components:
    """Components of variance within groups, pooled over groups.

    sigma^2_name = cov(same name), sigma^2_template = cov(same template, two
    groups), sigma^2_template_group = cov(same template, one group) less that,
    sigma^2_cell = cov(same cell) less cov(same name) and cov(same template),
    sigma^2_sample = mean within-cell variance. Groups weigh by their names
    less 1, as in the analysis of variance; a negative estimate is 0.

    Args:
        grid: names, templates and responses of the study.
        k: responses with the outcome, shape (names, templates).
    """
    found = covariances(grid, k)
    weights = np.bincount(grid.level).astype(np.float64) - 1
    pairs = np.asarray(np.outer(weights + 1, weights + 1), dtype=np.float64)
    name = pooled(found.name, weights)
    same_group = pooled(found.template, weights)
    several = len(weights) > 1
    template = pooled(found.other, pairs) if several else same_group
    cell = pooled(less(found.cell, found.name, found.template), weights)
    repeated = grid.n > 1
    n, hits = grid.n[repeated], k[repeated]
    spare = (n - 1).sum()
    sample = float((hits * (n - hits) / n).sum() / spare) if spare else 0.0
    if not spare:
        # One response a cell: what cells and samples add cannot be told apart.
        rates = by_level(grid, k).sum(axis=1) / by_level(grid, grid.n).sum(axis=1)
        total = pooled(rates * (1 - rates), weights + 1)
        cell, sample = 0.0, float(less(np.array(total), name, same_group))
    return Components(
        rate=float(k.sum() / grid.n.sum()),
        name=max(name, 0.0),
        template=max(template, 0.0),
        template_group=max(float(less(np.array(same_group), max(template, 0.0))), 0.0),
        cell=max(cell, 0.0),
        sample=max(sample, 0.0),
    )
