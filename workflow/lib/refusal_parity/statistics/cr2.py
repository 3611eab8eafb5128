"""Bias-reduced errors clustered by name, with degrees of freedom of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.stats import f

from refusal_parity.statistics.clusters import inverse, is_positive_definite
from refusal_parity.statistics.regressors import combine, too_few_clusters
from refusal_parity.statistics.results import Estimate, not_estimable
from refusal_parity.statistics.wald import Fit, contrasts
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from refusal_parity.statistics.design import Design, FloatArray, IntArray

_METHOD = Method.OLS_CR2_NAME
_SINGULAR = 1e-12
"""An eigenvalue of I - H below this counts as zero."""


class BiasReduced(NamedTuple):
    """CR2 of the first q coefficients, and how it varies under the working model.

    Attributes:
        coefficients: shape (q,).
        covariance: shape (q, q).
        df: Satterthwaite's degrees of freedom of each coefficient, shape (q,).
        df_joint: eta, the degrees of freedom of the Wishart law that stands in
            for the covariance's.
    """

    coefficients: FloatArray
    covariance: FloatArray
    df: FloatArray
    df_joint: float


class Spread(NamedTuple):
    """What CR2 takes from the regressors alone, whatever the outcomes are.

    Attributes:
        weights: what each row's residual counts in its cluster's term, shape (rows, q).
        df: Satterthwaite's degrees of freedom of each coefficient, shape (q,).
        df_joint: eta.
    """

    weights: FloatArray
    df: FloatArray
    df_joint: float


def bias_reduced(x: FloatArray, y: FloatArray, cluster: IntArray, tested: int) -> BiasReduced:
    """Least squares with the CR2 covariance and its degrees of freedom.

    V = sum over clusters of (W' e) (W' e)' with W and the degrees of freedom
    of `spread`, and e the residuals.

    Args:
        x: regressors, shape (rows, p), full rank. A row may stand for n equal
            responses if x and y are multiplied by sqrt(n): all terms agree.
        y: outcomes, shape (rows,).
        cluster: codes 0 to m - 1 that all occur, shape (rows,).
        tested: number q of coefficients, counted from the first.
    """
    coefficients = np.asarray(np.linalg.lstsq(x, y)[0], dtype=np.float64)
    found = spread(x, cluster, tested)
    terms = found.weights * (y - x @ coefficients)[:, None]
    meat = np.column_stack([np.bincount(cluster, column) for column in terms.T])
    covariance = np.asarray(meat.T @ meat, dtype=np.float64)
    return BiasReduced(coefficients[:tested], covariance, found.df, found.df_joint)


def spread(x: FloatArray, cluster: IntArray, tested: int) -> Spread:
    """The weights W = A X B of a cluster's residuals, and degrees of freedom.

    B = (X'X)^-1 and A = (I - X B X')^(-1/2) of the cluster, by pseudo-inverse
    (Bell and McCaffrey 2002, Survey Methodology 28:169-181). With independent
    errors of equal variance as working model, P[g, h] = Cov of the clusters'
    terms: df = (sum tr P[g, g])^2 / sum P[g, h]^2 for one coefficient, and
    eta = q (q + 1) / sum (tr(P)^2 + tr(P P)) with P scaled by the expected
    covariance (Pustejovsky and Tipton 2018, Journal of Business and Economic
    Statistics 36:672-683).

    Args:
        x: regressors, shape (rows, p), full rank.
        cluster: codes 0 to m - 1 that all occur, shape (rows,).
        tested: number q of coefficients, counted from the first.
    """
    bread = inverse(x.T @ x)
    clusters = int(cluster.max()) + 1
    weights = np.empty((len(x), tested))
    own = np.empty((clusters, tested, tested))
    shared = np.empty((clusters, x.shape[1], tested))
    for at in range(clusters):
        rows = cluster == at
        part = x[rows]
        root = _inverse_root(np.eye(len(part)) - part @ bread @ part.T)
        weights[rows] = root @ part @ bread[:, :tested]
        own[at] = weights[rows].T @ weights[rows]
        shared[at] = part.T @ weights[rows]
    moments = -np.einsum("gps,pr,hrt->ghst", shared, bread, shared, optimize=True)
    moments[np.arange(clusters), np.arange(clusters)] += own
    expected = moments[np.arange(clusters), np.arange(clusters)].sum(axis=0)
    single = np.diagonal(moments, axis1=2, axis2=3)
    df = np.diag(expected) ** 2 / (single**2).sum(axis=(0, 1))
    root = _inverse_root(expected)
    scaled = root @ moments @ root
    traces = np.trace(scaled, axis1=2, axis2=3)
    products = np.einsum("ghst,ghts->gh", scaled, scaled)
    eta = tested * (tested + 1) / float((traces**2 + products).sum())
    return Spread(weights, df, eta)


def _inverse_root(matrix: FloatArray) -> FloatArray:
    """Symmetric inverse square root, zero where the matrix is singular."""
    values, vectors = np.linalg.eigh(matrix)
    positive = values > _SINGULAR
    scale = np.where(positive, 1 / np.sqrt(np.where(positive, values, 1)), 0)
    return np.asarray((vectors * scale) @ vectors.T, dtype=np.float64)


def ols_cr2_name(design: Design, alpha: float) -> list[Estimate]:
    """Risk differences by least squares with template effects, CR2 by name.

    The regression of `linear.ols_two_way`; names alone are the sample, so it
    holds for these templates. t tests with Satterthwaite's degrees of freedom
    and Hotelling's T^2 with eta (HTZ): F = (eta - q + 1) / (eta q) b' V^-1 b
    with (q, eta - q + 1).

    Args:
        design: counts of one outcome; levels are no property of templates.
        alpha: 1 less the level of the intervals.

    Returns:
        One row for each level but the reference, and the global test.
    """
    single = too_few_clusters(design, templates=False)
    if design.levels[0] in single:
        return _none(design, single[design.levels[0]])
    usable = [at for at, level in enumerate(design.levels) if level not in single]
    rows = _fit(design.keep(np.isin(design.level, usable)), alpha)
    if not single:
        return rows
    return [
        *(row for row in rows if row.group is not None),
        *(not_estimable(_METHOD, Estimand.RISK_DIFFERENCE, *pair) for pair in single.items()),
        not_estimable(_METHOD, Estimand.GLOBAL, None, ", ".join(single.values())),
    ]


def _none(design: Design, reason: str) -> list[Estimate]:
    contrasted = [
        not_estimable(_METHOD, Estimand.RISK_DIFFERENCE, group, reason)
        for group in design.levels[1:]
    ]
    return [*contrasted, not_estimable(_METHOD, Estimand.GLOBAL, None, reason)]


def _fit(design: Design, alpha: float) -> list[Estimate]:
    tested = len(design.levels) - 1
    if tested == 0:
        return _none(design, "there is nothing to compare the reference with")
    if design.k.sum() in (0, design.n.sum()):
        return _none(design, "the outcome does not vary")
    combined = combine(design)
    if not combined.is_full_rank():
        return _none(design, "levels and templates cannot be told apart")
    root = np.sqrt(design.n)
    found = bias_reduced(
        root[:, None] * combined.x[combined.of_cell], design.k / root, design.name, tested
    )
    rows = []
    for at, group in enumerate(design.levels[1:]):
        one = slice(at, at + 1)
        fit = Fit((group,), found.coefficients[one], found.covariance[one, one], found.df[at], None)
        rows += contrasts(fit, _METHOD, Estimand.RISK_DIFFERENCE, alpha)
    return [*rows, _joint(found)]


def _joint(found: BiasReduced) -> Estimate:
    q = len(found.coefficients)
    denominator = found.df_joint - q + 1
    if not is_positive_definite(found.covariance) or denominator <= 0:
        reason = f"the covariance of {q} contrasts has no inverse: too few names"
        return not_estimable(_METHOD, Estimand.GLOBAL, None, reason)
    wald = float(found.coefficients @ np.linalg.solve(found.covariance, found.coefficients))
    statistic = denominator / (found.df_joint * q) * wald
    return Estimate(
        method=_METHOD,
        estimand=Estimand.GLOBAL,
        df=q,
        df_denominator=denominator,
        statistic=statistic,
        p_value=float(f.sf(statistic, q, denominator)),
    )
