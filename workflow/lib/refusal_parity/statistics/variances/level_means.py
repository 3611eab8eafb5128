"""Contrasts of level means whose errors allow for names and templates being samples.

The linear model of `linear` takes one covariance for all levels and the number
of all clusters for its degrees of freedom. Here every level has its own
variance between names, corrected for its own number of names, so that the
intervals of few names keep their level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.designs.counts import codes_of
from refusal_parity.statistics.designs.within_templates import deviations_of
from refusal_parity.statistics.rounding import TIE, is_noise
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import Design, FloatArray, IntArray


_LEAST = 0.25
"""Share of the cells' variance that the whole has at least."""


class Component(NamedTuple):
    """What one way to cluster adds to the variance of a contrast.

    Attributes:
        sums: residuals of each cluster over the level's responses, shape (clusters, levels).
        present: which cluster has responses of which level, same shape.
    """

    sums: FloatArray
    present: FloatArray

    def variances(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Independent parts of the variance of a weighted sum of means, and their df.

        Where each cluster lies within one level, every level is a part of its
        own: w^2 m/(m-1) sum of s^2 with m - 1 degrees of freedom. Where
        clusters cross levels, one part: G/(G-1) sum of (s w)^2 with G - 1.

        Args:
            weights: of the levels, shape (levels,).
        """
        used = weights != 0
        present, sums = self.present[:, used], self.sums[:, used] * weights[used]
        if (present.sum(axis=1) <= 1).all():
            clusters = present.sum(axis=0)
            squares = (sums**2).sum(axis=0)
        else:
            clusters = np.array([float((present.sum(axis=1) > 0).sum())])
            squares = (sums.sum(axis=1) ** 2).sum(keepdims=True)
        spare = np.maximum(clusters - 1, 1)
        return clusters / spare * squares, spare


class LevelMeans(NamedTuple):
    """Means of all levels, and what their errors are made of.

    Attributes:
        levels: names of the levels.
        mean: over one mixture of templates, shape (levels,): the raw mean where all names have
            the same templates, else that of a regression on levels and templates.
        raw: over the level's own responses, likewise.
        size: mean of the absolute terms that `mean` sums, which it is rounded by, shape (levels,).
        names: residuals by name.
        templates: residuals by template.
        cells: residuals by name and template that neither explains.
        cell_df: responses' cells less names and templates, of each level, shape (levels,).
    """

    levels: tuple[str, ...]
    mean: FloatArray
    raw: FloatArray
    size: FloatArray
    names: Component
    templates: Component
    cells: Component
    cell_df: FloatArray


class Contrast(NamedTuple):
    """A weighted sum of level means, its standard error and degrees of freedom."""

    estimate: float
    std_error: float
    df: float


def level_means(design: Design) -> LevelMeans:
    """Means of each level over one mixture of templates, with residuals summed by cluster.

    Args:
        design: counts, or sums of any quantity, by level, name and template.
    """
    level, levels = design.level, len(design.levels)
    raw = design.level_k / design.level_n
    effects = deviations_of(design)
    adjusted, own = design.k, np.zeros(int(design.template.max()) + 1)
    size = np.bincount(level, np.abs(design.k), levels) / design.level_n
    if effects is not None:
        adjusted = design.k - design.n * effects[design.template]
        own = effects * np.bincount(design.template, design.n) / design.n.sum()
        # Effects are rounded by what all levels add up to, even where a level is nothing but 0.
        size += np.abs(design.k).sum() / design.n.sum()
    mean = np.bincount(level, adjusted, levels) / design.level_n
    mean = np.where(np.abs(mean) > TIE * size, mean, 0)
    residual = adjusted - design.n * mean[level]
    own_name = codes_of(level * (int(design.name.max()) + 1) + design.name)
    own_template = codes_of(level * (int(design.template.max()) + 1) + design.template)
    explained = _mean_by(own_name, residual, design.n) + _mean_by(own_template, residual, design.n)
    cell = codes_of(design.name * (int(design.template.max()) + 1) + design.template)
    cells = np.bincount(level, minlength=levels)
    spare = cells - design.members(design.name) - design.members(design.template) + 1
    share = residual / design.level_n[level]
    left = (residual - design.n * explained) / design.level_n[level]
    return LevelMeans(
        levels=design.levels,
        mean=mean,
        raw=raw,
        size=size,
        names=_component(design.name, level, share, levels),
        # The template's own effect moves all levels alike, and a single one's mean.
        templates=_component(design.template, level, share, levels, own),
        cells=_component(cell, level, left, levels),
        cell_df=np.maximum(spare, 1).astype(np.float64),
    )


def _mean_by(cluster: IntArray, residual: FloatArray, n: FloatArray) -> FloatArray:
    """Mean residual of each cell's cluster, shape (cells,)."""
    means = np.bincount(cluster, residual) / np.bincount(cluster, n)
    return np.asarray(means[cluster], dtype=np.float64)


def _component(
    cluster: IntArray,
    level: IntArray,
    share: FloatArray,
    levels: int,
    own: FloatArray | None = None,
) -> Component:
    shape = (int(cluster.max()) + 1, levels)
    at = cluster * levels + level
    sums = np.bincount(at, share, shape[0] * levels).reshape(shape).astype(np.float64)
    present = np.bincount(at, minlength=shape[0] * levels).reshape(shape) > 0
    if own is not None:
        sums += own[:, None]
    return Component(sums, present.astype(np.float64))


def contrast(
    means: LevelMeans, weights: FloatArray, scope: Scope, *, extra: float = 0.0
) -> Contrast | None:
    """A weighted sum of level means with its standard error for a scope.

    New names: V = V_name. New templates and names: V = max(V_name + V_template -
    V_cell, V_cell / 4), with V_cell the variance of what names and templates
    leave unexplained, which both others hold (Cameron, Gelbach and Miller 2011;
    with that residual the sum has no bias in a complete design). V cannot truly
    lie below V_cell, while the sum, where cells differ most, may: a bound of
    V_cell itself would cover 98 %. A bound has no jump, unlike another
    variance that stands in.
    Degrees of freedom by Satterthwaite: V^2 / sum of v^2 / df over the
    independent parts (1946, Biometrics Bulletin 2:110-114). For two levels and
    new names this is Welch's t test.

    Args:
        means: of all levels.
        weights: of the levels, shape (levels,).
        scope: one of the two that speak of new names.
        extra: variance to add, taken as known; may be negative.

    Returns:
        None where a level with weight has one name (or template), or nothing varies.
    """
    by_name, name_df = means.names.variances(weights)
    parts, degrees = [by_name], [name_df]
    variance = by_name.sum()
    if scope is Scope.NEW_NAMES_AND_TEMPLATES:
        by_template, template_df = means.templates.variances(weights)
        by_cell, cell_df = _cell_variance(means, weights)
        variance = max(by_name.sum() + by_template.sum() - by_cell, _LEAST * by_cell)
        parts += [by_template, np.array([by_cell])]
        degrees += [template_df, np.array([cell_df])]
    if has_few(means, weights, scope) or is_noise(
        variance + extra, float((weights**2) @ means.size**2)
    ):
        return None
    spread = (np.concatenate(parts) ** 2 / np.concatenate(degrees)).sum()
    total = variance + extra
    df = total**2 / spread if spread > 0 else np.inf
    smallest = min(float(each.min()) for each in degrees)
    estimate = float(weights @ means.mean)
    if abs(estimate) <= TIE * float(np.abs(weights) @ means.size):
        estimate = 0.0
    return Contrast(estimate, float(np.sqrt(total)), float(max(df, smallest)))


def has_few(means: LevelMeans, weights: FloatArray, scope: Scope) -> bool:
    """Whether a level with weight has but one name, or one template where these are new ones."""
    used = weights != 0
    both = scope is Scope.NEW_NAMES_AND_TEMPLATES
    clusters = [means.names, means.templates] if both else [means.names]
    return any(bool((each.present[:, used].sum(axis=0) <= 1).any()) for each in clusters)


def _cell_variance(means: LevelMeans, weights: FloatArray) -> tuple[float, float]:
    """Variance of the unexplained part of cells, and its degrees of freedom."""
    used = weights != 0
    sums = means.cells.sums * weights
    cells = means.cells.present.sum(axis=0)[used]
    spare = means.cell_df[used]
    factor = float(cells.sum() / spare.sum())
    return factor * float((sums.sum(axis=1) ** 2).sum()), float(spare.sum())
