"""Standard errors of means that allow for responses of one name, or one template, being alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.rounding import LOST_DIGITS, exceeds, is_noise

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray, IntArray


class MeanErrors(NamedTuple):
    """Clustered standard errors of several means, arrays of shape (means,).

    Attributes:
        std_error: NaN where there is none.
        df: the smaller number of clusters less 1.
        fallback: 0 two-way, 1 by name alone, 2 by template alone.
        variance: no less than by name alone or by template alone; 0 where nothing varies.
        freedom: its degrees of freedom (Satterthwaite).
    """

    std_error: FloatArray
    df: FloatArray
    fallback: IntArray
    variance: FloatArray
    freedom: FloatArray


def mean_errors(
    level: IntArray, name: IntArray, template: IntArray, n: FloatArray, k: FloatArray
) -> MeanErrors:
    """Two-way clustered standard error of the rate k / n of each level.

    V_name + V_template - V_cell for the mean of each level by itself: every V is
    G/(G-1) sum over clusters of (K - p N)^2 / n^2, with K and N the counts of
    one cluster and p the rate of the level.

    Args:
        level: codes 0 to L-1, shape (cells,).
        name: codes of the names, shape (cells,).
        template: codes of the templates, shape (cells,).
        n: responses, shape (cells,), each at least 1.
        k: of them with the outcome, shape (cells,).

    Returns:
        Arrays of shape (L,); NaN where a level has one name or one template,
        or no variation between clusters.
    """
    level_n = np.bincount(level, n).astype(np.float64)
    rate = np.bincount(level, k) / level_n
    residual = k - n * rate[level]
    cell = name * (int(template.max(initial=0)) + 1) + template
    (by_name, names), (by_template, templates), (by_cell, _) = (
        _level_variance(level, cluster, residual, level_n) for cluster in (name, template, cell)
    )
    variance = by_name + by_template - by_cell
    larger = np.maximum(by_name, by_template)
    whole = np.maximum(variance, larger)
    parts = by_name**2 / np.maximum(names - 1, 1)
    parts = parts + (whole - by_name) ** 2 / np.maximum(templates - 1, 1)
    bad = variance <= LOST_DIGITS * larger
    fallback = np.where(bad, np.where(exceeds(by_template, by_name, rate**2), 2, 1), 0)
    variance = np.where(bad, larger, variance)
    clusters = np.minimum(names, templates)
    usable = (clusters > 1) & ~is_noise(variance, rate**2)
    std_error = np.sqrt(np.where(usable, variance, np.nan))
    return MeanErrors(
        std_error,
        clusters - 1.0,
        fallback.astype(np.intp),
        whole,
        np.where(parts > 0, whole**2 / np.where(parts > 0, parts, 1), np.maximum(clusters - 1, 1)),
    )


def _level_variance(
    level: IntArray, cluster: IntArray, residual: FloatArray, level_n: FloatArray
) -> tuple[FloatArray, IntArray]:
    """One-way variance of each level's mean, and its number of clusters."""
    width = int(cluster.max(initial=0)) + 1
    pairs, at = np.unique(level * width + cluster, return_inverse=True)
    owner = pairs // width
    sums = np.bincount(at, residual)
    clusters = np.bincount(owner, minlength=len(level_n))
    # Of one cluster the residuals add up to zero: its variance is 0, not 0/0.
    correction = clusters / np.maximum(clusters - 1, 1)
    squares = np.bincount(owner, sums**2, len(level_n))
    return correction * squares / level_n**2, clusters
