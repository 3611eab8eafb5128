"""Risk differences for new names and templates, with errors that hold for few of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.cr2 import cluster_terms, spread
from refusal_parity.statistics.distributions import t_isf, t_sf
from refusal_parity.statistics.regressors import (
    absorb,
    are_told_apart,
    least_squares,
    of_one_cluster,
    too_few_clusters,
)
from refusal_parity.statistics.results import (
    Estimate,
    Pair,
    lost_pairs,
    not_estimable,
    pairs_of,
    without_pairs,
)
from refusal_parity.statistics.rounding import is_noise
from refusal_parity.statistics.wald import pair_weights
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from refusal_parity.statistics.design import Design, FloatArray, IntArray
    from refusal_parity.statistics.regressors import Absorbed

_METHOD, _ESTIMAND = Method.OLS_CR2_TWO_WAY, Estimand.RISK_DIFFERENCE


class OneWay(NamedTuple):
    """Bias-reduced variances of contrasts by one kind of cluster, and their precision.

    Both arrays are of shape (..., q).
    """

    variance: FloatArray
    df: FloatArray


def one_way(terms: FloatArray, df: FloatArray, level: IntArray | None) -> OneWay:
    """Sum of squared terms of clusters, with Satterthwaite's degrees of freedom.

    Where every cluster belongs to one level they come from the variances
    themselves, df = V^2 / sum over levels of V_l^2 / (G_l - 1) (Welch 1947),
    so that levels may vary unequally; else from the working model.

    Args:
        terms: of each cluster and contrast, W' e of `cr2.spread`, shape (..., clusters, q).
        df: degrees of freedom under the working model, shape (q,).
        level: level of each cluster, shape (clusters,); None where they cross levels.
    """
    squares = terms**2
    variance = np.asarray(squares.sum(axis=-2), dtype=np.float64)
    if level is None:
        return OneWay(variance, np.broadcast_to(df, variance.shape))
    sizes = np.bincount(level)
    belongs = (level == np.arange(len(sizes))[:, None]).astype(np.float64)
    spare = np.maximum(sizes - 1, 1)[:, None]
    parts = ((belongs @ squares) ** 2 / spare).sum(axis=-2)
    return OneWay(variance, variance**2 / np.where(parts > 0, parts, np.inf))


def both_ways(name: OneWay, template: OneWay, cell: FloatArray) -> OneWay:
    """V = max(V_name + V_template - V_cell, V_name, V_template), and its df.

    The subtraction alone may fall below what one kind of cluster shows, or
    below 0 (Cameron, Gelbach and Miller 2011). Of V, one kind holds its own
    variance A and the other what is left: df = V^2 / (A^2 / df_A +
    (V - A)^2 / df_B). That A is names and B templates, or the reverse, is not
    to be told where V_name = V_template, as when all outcomes sit in one cell;
    df is the smaller of both readings, which has no jump there.

    Args:
        name: variances clustered by name.
        template: variances clustered by template.
        cell: variances clustered by both at once, shape (..., q).
    """
    larger = np.maximum(name.variance, template.variance)
    variance = np.maximum(name.variance + template.variance - cell, larger)
    parts = [
        own.variance**2 / np.maximum(own.df, 1)
        + (variance - own.variance) ** 2 / np.maximum(other.df, 1)
        for own, other in ((name, template), (template, name))
    ]
    most = np.maximum(*parts)
    return OneWay(variance, variance**2 / np.where(most > 0, most, np.inf))


def cell_variance(moved: FloatArray, cell: IntArray, parameters: int) -> FloatArray:
    """V_cell: G / (G - p) times the sum over the G cells of their squared sums, shape (q,).

    A cell is a name with a template: where levels share prompts, as arms do,
    it holds a row of each level, whose errors have the prompt in common.

    Args:
        moved: what each row's residual moves a contrast by, shape (rows, q).
        cell: codes 0 to G - 1 that all occur, shape (rows,).
        parameters: number p of coefficients.
    """
    sums = np.column_stack([np.bincount(cell, column) for column in moved.T])
    cells = len(sums)
    factor = cells / max(cells - parameters, 1)
    return np.asarray(factor * (sums**2).sum(axis=0), dtype=np.float64)


def ols_cr2_two_way(
    design: Design, alpha: float, *, template_effects: bool = True
) -> list[Estimate]:
    """Risk differences by least squares, bias-reduced errors by name and by template.

    The regression of `linear.ols_two_way`, whose covariance is too small with
    few names in a group and whose t distribution has too many degrees of
    freedom. Here V_name and V_template are CR2 (`cr2.spread`), V_cell has the
    factor G/(G - p) (`cell_variance`), and degrees of freedom are
    Satterthwaite's (`both_ways`).

    Args:
        design: counts of one outcome.
        alpha: 1 less the level of the intervals.
        template_effects: False where levels are a property of templates.

    Returns:
        One row for each pair of levels; there is no joint test.
    """
    single = too_few_clusters(design)
    rows = _fit(design.without(single), alpha, template_effects=template_effects)
    return [*rows, *lost_pairs(_METHOD, _ESTIMAND, design.levels, single)]


def _none(levels: tuple[str, ...], reason: str) -> list[Estimate]:
    return [not_estimable(_METHOD, _ESTIMAND, pair, reason) for pair in pairs_of(levels)]


def _fit(design: Design, alpha: float, *, template_effects: bool) -> list[Estimate]:
    tested = len(design.levels) - 1
    if tested <= 0:
        return []
    if design.k.sum() in (0, design.n.sum()):
        return _none(design.levels, "the outcome does not vary")
    if not are_told_apart(design, template_effects=template_effects):
        return _none(design.levels, "levels and templates cannot be told apart")
    absorbed = absorb(design, template_effects=template_effects)
    fitted = least_squares(design, absorbed)
    residual = fitted.residual
    pairs = pair_weights(tested + 1).T
    name, template = (
        one_way(*_terms(absorbed, residual, codes, pairs), level_of(design.level, codes))
        for codes in (design.name, design.template)
    )
    moved = absorbed.influence @ pairs * residual[:, None]
    cell = cell_variance(moved, design.cell, absorbed.parameters)
    both = both_ways(name, template, cell)
    differences = fitted.coefficients @ pairs
    # What residuals as large as the outcomes could give at most.
    largest = ((pairs.T @ absorbed.bread) * pairs.T).sum(axis=1) * (design.k**2 / design.n).sum()
    variance = np.where(is_noise(both.variance, largest), 0, both.variance)
    rows = [
        _row(pair, float(differences[at]), float(variance[at]), float(both.df[at]), alpha)
        for at, pair in enumerate(pairs_of(design.levels))
    ]
    return without_pairs(rows, of_one_cluster(design) if template_effects else {})


def _terms(
    absorbed: Absorbed, residual: FloatArray, cluster: IntArray, pairs: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Terms of the clusters, shape (clusters, pairs), and df of the working model."""
    found = spread(absorbed, cluster)
    return cluster_terms(found, residual / np.sqrt(absorbed.n), cluster) @ pairs, found.df


def level_of(level: IntArray, cluster: IntArray) -> IntArray | None:
    """Level of each cluster, shape (clusters,); None where a cluster stands at several.

    Args:
        level: level of each cell, shape (cells,).
        cluster: codes 0 to G - 1 that all occur, shape (cells,).
    """
    pairs = np.unique(np.column_stack([cluster, level]), axis=0)
    return pairs[:, 1] if len(pairs) == cluster.max() + 1 else None


def _row(pair: Pair, difference: float, variance: float, df: float, alpha: float) -> Estimate:
    if variance == 0:
        reason = "its standard error is 0: names and templates within it do not differ"
        return not_estimable(_METHOD, _ESTIMAND, pair, reason)
    std_error = float(np.sqrt(variance))
    half_width = float(t_isf(alpha / 2, df)) * std_error
    statistic = difference / std_error
    return Estimate(
        method=_METHOD,
        estimand=_ESTIMAND,
        group=pair.group,
        reference=pair.reference,
        estimate=difference,
        std_error=std_error,
        df=df,
        ci_low=difference - half_width,
        ci_high=difference + half_width,
        statistic=statistic,
        p_value=float(2 * t_sf(abs(statistic), df)),
    )
