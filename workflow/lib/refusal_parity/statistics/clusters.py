"""Covariances that allow for responses of one name, or one template, being alike."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from refusal_parity.statistics.design import FloatArray, IntArray, codes_of
from refusal_parity.statistics.roots import covariance, root_of_difference, size
from refusal_parity.statistics.rounding import LOST_DIGITS, exceeds, is_noise


class Covariance(NamedTuple):
    """Root of the contrasts' covariance (`roots`), shape (rows, q), and what to say about it."""

    root: FloatArray
    note: str | None


class Moves(NamedTuple):
    """What a fit leaves for its sandwich covariances.

    Attributes:
        moved: what each cell's residuals move the coefficients by, shape (cells, q).
        rows: responses behind the cells; more than `parameters`.
        parameters: coefficients of the whole fit.
        largest: the covariance that residuals as large as the outcomes could
            give at most, shape (q, q).
    """

    moved: FloatArray
    rows: int
    parameters: int
    largest: FloatArray


class MeanErrors(NamedTuple):
    """Clustered standard errors of several means, arrays of shape (means,).

    Attributes:
        std_error: NaN where there is none.
        df: the smaller number of clusters less 1.
        fallback: 0 two-way, 1 by name alone, 2 by template alone.
    """

    std_error: FloatArray
    df: FloatArray
    fallback: IntArray


def inverse(information: FloatArray) -> FloatArray:
    """The bread of a sandwich, shape (p, p)."""
    return np.asarray(np.linalg.inv(information), dtype=np.float64)


def one_way(fit: Moves, cluster: IntArray) -> FloatArray:
    """Root of the CR1S covariance of a fit's contrasts clustered one way, shape (G, q).

    The covariance is G/(G-1) (n-1)/(n-p) times the sum over clusters of m m', with m what the
    cluster's residuals move the contrasts by, and p all coefficients (Liang and
    Zeger 1986, Biometrika 73:13-22; correction as in Cameron, Gelbach and
    Miller 2011).

    Args:
        fit: moves by cell, and numbers of responses and coefficients.
        cluster: codes 0 to G-1 with G > 1, shape (cells,).
    """
    clusters = int(cluster.max()) + 1
    sums = np.column_stack([np.bincount(cluster, column) for column in fit.moved.T])
    correction = clusters / (clusters - 1) * (fit.rows - 1) / (fit.rows - fit.parameters)
    return np.asarray(np.sqrt(correction) * sums, dtype=np.float64)


def two_way(fit: Moves, name: IntArray, template: IntArray) -> Covariance:
    """Two-way covariance V_name + V_template - V_cell of a fit's contrasts.

    Each term is `one_way` with its own G/(G-1) (Cameron, Gelbach and Miller
    2011, Journal of Business and Economic Statistics 29:238-249). The
    difference need not be positive definite: then the one-way covariance that
    is larger over all pairs stands in, and the note says so.

    Args:
        fit: moves by cell, and numbers of responses and coefficients.
        name: codes of the names, shape (cells,), two or more.
        template: codes of the templates, shape (cells,), two or more.
    """
    cell = codes_of(name * (int(template.max()) + 1) + template)
    by_name, by_template, by_cell = (one_way(fit, cluster) for cluster in (name, template, cell))
    whole = covariance(by_name) + covariance(by_template)
    root = root_of_difference(whole, covariance(by_cell), np.diag(fit.largest))
    if not np.isnan(root).any():
        return Covariance(root, None)
    # Of two alike, names: which is the larger of them is rounding.
    largest = len(fit.largest) * np.trace(fit.largest)
    if exceeds(size(by_template), size(by_name), largest):
        return Covariance(by_template, fallback_note("template"))
    return Covariance(by_name, fallback_note("name"))


def fallback_note(which: str) -> str:
    """What to say where a one-way covariance stands in for the two-way one."""
    return f"two-way covariance is not positive definite: clustered by {which} alone"


def mean_errors(
    level: IntArray, name: IntArray, template: IntArray, n: FloatArray, k: FloatArray
) -> MeanErrors:
    """Two-way clustered standard error of the rate k / n of each level.

    `two_way` for the mean of each level by itself: every V is
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
    bad = variance <= LOST_DIGITS * larger
    fallback = np.where(bad, np.where(exceeds(by_template, by_name, rate**2), 2, 1), 0)
    variance = np.where(bad, larger, variance)
    clusters = np.minimum(names, templates)
    usable = (clusters > 1) & ~is_noise(variance, rate**2)
    std_error = np.sqrt(np.where(usable, variance, np.nan))
    return MeanErrors(std_error, clusters - 1.0, fallback.astype(np.intp))


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
