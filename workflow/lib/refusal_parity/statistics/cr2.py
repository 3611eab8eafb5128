"""Bias-reduced errors clustered by name, with degrees of freedom of their own."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.clusters import inverse, is_positive_definite
from refusal_parity.statistics.distributions import f_sf
from refusal_parity.statistics.regressors import combine, too_few_clusters
from refusal_parity.statistics.results import (
    Estimate,
    none_estimable,
    not_estimable,
    with_lost_levels,
)
from refusal_parity.statistics.wald import Fit, contrasts, pair_weights
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from refusal_parity.statistics.design import Design, FloatArray, IntArray

_METHOD = Method.OLS_CR2_NAME
_SINGULAR = 1e-12
"""An eigenvalue of I - H below this counts as zero."""


class BiasReduced(NamedTuple):
    """CR2 of the first q coefficients, and how it varies under the working model.

    Attributes:
        covariance: shape (q, q).
        df: Satterthwaite's degrees of freedom of each pair, in the order of
            `results.pairs_of`, shape (pairs,).
        df_joint: eta, the degrees of freedom of the Wishart law that stands in
            for the covariance's.
    """

    covariance: FloatArray
    df: FloatArray
    df_joint: float


class Spread(NamedTuple):
    """What CR2 takes from the regressors and the working model alone, whatever the outcomes are.

    Attributes:
        weights: what each row's residual counts in its cluster's term, shape (rows, q).
        df: Satterthwaite's degrees of freedom of each pair, in the order of
            `results.pairs_of`, shape (pairs,).
        df_joint: eta.
    """

    weights: FloatArray
    df: FloatArray
    df_joint: float


def bias_reduced(
    x: FloatArray, residual: FloatArray, variance: FloatArray, cluster: IntArray, tested: int
) -> BiasReduced:
    """The CR2 covariance of weighted least squares, and its degrees of freedom.

    V = sum over clusters of (U' e) (U' e)' with U and the degrees of freedom
    of `spread`, and e the residuals.

    Args:
        x: regressors, shape (rows, p), full rank. A row may stand for n
            responses if x and residual are multiplied by sqrt(n), the residual
            being their mean: all terms agree.
        residual: of the fit, shape (rows,).
        variance: T's diagonal, the working variance of one response, shape (rows,).
        cluster: codes 0 to m - 1 that all occur, shape (rows,).
        tested: number q of coefficients, counted from the first.
    """
    found = spread(x, variance, cluster, tested)
    terms = cluster_terms(found, residual, cluster)
    covariance = np.asarray(terms.T @ terms, dtype=np.float64)
    return BiasReduced(covariance, found.df, found.df_joint)


def cluster_terms(found: Spread, residual: FloatArray, cluster: IntArray) -> FloatArray:
    """The term U' e of each cluster, shape (clusters, q)."""
    weighted = found.weights * residual[:, None]
    return np.column_stack([np.bincount(cluster, column) for column in weighted.T])


def spread(x: FloatArray, variance: FloatArray, cluster: IntArray, tested: int) -> Spread:
    """The weights U = A W X B of a cluster's residuals, and degrees of freedom.

    B = (X' W X)^-1, W = T^-1, and A = T^(1/2) [T^(1/2) (T - X B X') T^(1/2)]^(-1/2)
    T^(1/2) of the cluster, by pseudo-inverse, which is (I - X B X')^(-1/2) where
    T = I (Bell and McCaffrey 2002, Survey Methodology 28:169-181; A is that of
    R's clubSandwich). With independent errors of variance T as working model,
    P[g, h] = Cov of the clusters' terms:
    df = (sum c' P[g, g] c)^2 / sum (c' P[g, h] c)^2 for one contrast c, and
    eta = q (q + 1) / sum (tr(P)^2 + tr(P P)) with P scaled by the expected
    covariance (Pustejovsky and Tipton 2018, Journal of Business and Economic
    Statistics 36:672-683).

    The last few are kept: all outcomes of the same responses share them.

    Args:
        x: regressors, shape (rows, p), full rank.
        variance: T's diagonal, shape (rows,).
        cluster: codes 0 to m - 1 that all occur, shape (rows,).
        tested: number q of coefficients, counted from the first.
    """
    return _spread(x.tobytes(), variance.tobytes(), cluster.astype(np.intp).tobytes(), tested)


@lru_cache(maxsize=4)
def _spread(x_bytes: bytes, variance_bytes: bytes, cluster_bytes: bytes, tested: int) -> Spread:
    """`spread` by the arrays' contents, of 8-byte numbers."""
    variance, cluster = np.frombuffer(variance_bytes), np.frombuffer(cluster_bytes, np.intp)
    x = np.frombuffer(x_bytes).reshape(len(variance), -1)
    bread = inverse(x.T @ (x / variance[:, None]))
    clusters = int(cluster.max()) + 1
    weights = np.empty((len(x), tested))
    own = np.empty((clusters, tested, tested))
    shared = np.empty((clusters, x.shape[1], tested))
    for at in range(clusters):
        rows = cluster == at
        part, own_variance = x[rows], variance[rows]
        deviation = np.sqrt(own_variance)
        both = deviation[:, None] * deviation
        adjust = both * _inverse_root(both * (np.diag(own_variance) - part @ bread @ part.T))
        weights[rows] = adjust @ (part / own_variance[:, None]) @ bread[:, :tested]
        own[at] = weights[rows].T @ (own_variance[:, None] * weights[rows])
        shared[at] = part.T @ weights[rows]
    moments = -np.einsum("gps,pr,hrt->ghst", shared, bread, shared, optimize=True)
    moments[np.arange(clusters), np.arange(clusters)] += own
    expected = moments[np.arange(clusters), np.arange(clusters)].sum(axis=0)
    pairs = pair_weights(tested + 1)
    single = np.einsum("ps,ghst,pt->pgh", pairs, moments, pairs, optimize=True)
    df = np.trace(single, axis1=1, axis2=2) ** 2 / (single**2).sum(axis=(1, 2))
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
        One row for each pair of levels, and the global test.
    """
    single = too_few_clusters(design, templates=False)
    rows = _fit(design.without(single), alpha)
    return with_lost_levels(rows, Estimand.RISK_DIFFERENCE, design.levels, single)


def _none(design: Design, reason: str) -> list[Estimate]:
    return none_estimable(_METHOD, Estimand.RISK_DIFFERENCE, design.levels, reason)


def _fit(design: Design, alpha: float) -> list[Estimate]:
    tested = len(design.levels) - 1
    if tested <= 0:
        return _none(design, "there is nothing to compare the reference with")
    if design.k.sum() in (0, design.n.sum()):
        return _none(design, "the outcome does not vary")
    combined = combine(design)
    if not combined.is_full_rank():
        return _none(design, "levels and templates cannot be told apart")
    root = np.sqrt(design.n)
    x, y = root[:, None] * combined.x[combined.of_cell], design.k / root
    coefficients = np.linalg.lstsq(x, y)[0]
    found = bias_reduced(x, y - x @ coefficients, np.ones(len(y)), design.name, tested)
    fit = Fit(
        design.levels, coefficients[:tested], found.covariance, found.df_joint, None, found.df
    )
    return [*contrasts(fit, _METHOD, Estimand.RISK_DIFFERENCE, alpha), hotelling(fit, _METHOD)]


def hotelling(fit: Fit, method: Method) -> Estimate:
    """Hotelling's T^2 of all contrasts, with `df` as eta (HTZ)."""
    q, eta = len(fit.coefficients), fit.df
    denominator = eta - q + 1
    if not is_positive_definite(fit.covariance) or denominator <= 0:
        reason = f"the covariance of {q} contrasts has no inverse: too few names"
        return not_estimable(method, Estimand.GLOBAL, None, reason)
    wald = float(fit.coefficients @ np.linalg.solve(fit.covariance, fit.coefficients))
    statistic = denominator / (eta * q) * wald
    return Estimate(
        method=method,
        estimand=Estimand.GLOBAL,
        df=q,
        df_denominator=denominator,
        statistic=statistic,
        p_value=float(f_sf(statistic, q, denominator)),
    )
