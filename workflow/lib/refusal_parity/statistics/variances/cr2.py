"""Bias-reduced errors (CR2), with degrees of freedom of their own."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.rounding import NOISE
from refusal_parity.statistics.variances.contrasts import pair_weights
from refusal_parity.statistics.variances.diagonal_less import times_inverse_root

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray, IntArray
    from refusal_parity.statistics.designs.regressors import Absorbed


class BiasReduced(NamedTuple):
    """CR2 of the first q coefficients, and how it varies under the working model.

    Attributes:
        root: each cluster's term, of whose products V is the sum, shape (clusters, q).
        df: Satterthwaite's degrees of freedom of each pair, in the order of
            `results.pairs_of`, shape (pairs,).
        df_joint: eta, the degrees of freedom of the Wishart law that stands in
            for the covariance's.
    """

    root: FloatArray
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


def bias_reduced(absorbed: Absorbed, residual: FloatArray, cluster: IntArray) -> BiasReduced:
    """The CR2 covariance of weighted least squares, and its degrees of freedom.

    V = sum over clusters of (U' e) (U' e)' with U and the degrees of freedom
    of `spread`, and e the residuals.

    Args:
        absorbed: the contrasts.
        residual: sum over the responses of each cell, shape (cells,).
        cluster: codes 0 to m - 1 that all occur, shape (cells,).
    """
    found = spread(absorbed, cluster)
    terms = cluster_terms(found, residual / np.sqrt(absorbed.n), cluster)
    return BiasReduced(terms, found.df, found.df_joint)


def cluster_terms(found: Spread, residual: FloatArray, cluster: IntArray) -> FloatArray:
    """The term U' e of each cluster, shape (clusters, q)."""
    weighted = found.weights * residual[:, None]
    return np.column_stack([np.bincount(cluster, column) for column in weighted.T])


def spread(absorbed: Absorbed, cluster: IntArray) -> Spread:
    """The weights U = A W X B of a cluster's residuals, and degrees of freedom.

    B = (X' W X)^-1, W = T^-1, and A = T^(1/2) [T^(1/2) (T - X B X') T^(1/2)]^(-1/2)
    T^(1/2) of the cluster, by pseudo-inverse, which is (I - X B X')^(-1/2) where
    T = I (Bell and McCaffrey 2002, Survey Methodology 28:169-181; A is that of
    R's clubSandwich). With independent errors of variance T as working model,
    P[g, h] = Cov of the clusters' terms:
    df = (sum c' P[g, g] c)^2 / sum (c' P[g, h] c)^2 for one contrast c, and
    eta = q (q + 1) / sum (tr(P)^2 + tr(P P)) with P scaled by the expected
    covariance (Pustejovsky and Tipton 2018, Journal of Business and Economic
    Statistics 36:672-683). Where no cluster says anything of a contrast, its
    degrees of freedom are NaN.

    A row stands for the n responses of a cell: it is multiplied by sqrt(n), and
    its residual is the sum of theirs over sqrt(n), with which all terms agree.
    X B X' is the part of the contrasts, which are orthogonal to the strata,
    and within a stratum that of its effect.

    The last few are kept: all outcomes of the same responses share them.

    Args:
        absorbed: the contrasts.
        cluster: codes 0 to m - 1 that all occur, shape (cells,).
    """
    return _spread(_Given(absorbed, cluster))


class _Given:
    """Arguments of `spread`, equal where their numbers are."""

    def __init__(self, absorbed: Absorbed, cluster: IntArray) -> None:
        """Keep them, and their contents to tell them by."""
        self.absorbed, self.cluster = absorbed, cluster
        self.content = tuple(each.tobytes() for each in (*absorbed, cluster))

    def __hash__(self) -> int:
        return hash(self.content)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Given) and self.content == other.content


@lru_cache(maxsize=4)
def _spread(given: _Given) -> Spread:
    absorbed, cluster = given.absorbed, given.cluster
    tested = len(absorbed.bread)
    x = absorbed.scale[:, None] * absorbed.contrasts
    effect = absorbed.scale / np.sqrt(absorbed.total)[absorbed.stratum]
    count = int(cluster.max()) + 1
    weights = np.empty(x.shape)
    own = np.empty((count, tested, tested))
    # What clusters have in common, by the contrasts and by the strata's effects.
    shared = np.empty((count, tested, tested))
    effects = np.zeros((count, len(absorbed.total), tested))
    order = np.argsort(cluster, kind="stable")
    for at, rows in enumerate(np.split(order, np.cumsum(np.bincount(cluster))[:-1])):
        part, own_variance, load = x[rows], absorbed.variance[rows], effect[rows]
        within = absorbed.stratum[rows]
        weighted = _adjusted(part, own_variance, load, within, absorbed.bread)
        weights[rows] = weighted
        own[at] = weighted.T @ (own_variance[:, None] * weighted)
        shared[at] = part.T @ weighted
        np.add.at(effects[at], within, load[:, None] * weighted)
    moments = -np.einsum("gps,pr,hrt->ghst", shared, absorbed.bread, shared, optimize=True)
    moments -= np.einsum("gps,hpt->ghst", effects, effects, optimize=True)
    moments[np.arange(count), np.arange(count)] += own
    expected = moments[np.arange(count), np.arange(count)].sum(axis=0)
    pairs = pair_weights(tested + 1)
    single = np.einsum("ps,ghst,pt->pgh", pairs, moments, pairs, optimize=True)
    values = np.linalg.eigvalsh(expected)
    root = _inverse_root(expected, int((values > NOISE * values[-1]).sum()))
    scaled = root @ moments @ root
    traces = np.trace(scaled, axis1=2, axis2=3)
    products = np.einsum("ghst,ghts->gh", scaled, scaled)
    with np.errstate(invalid="ignore", divide="ignore"):
        df = np.trace(single, axis1=1, axis2=2) ** 2 / (single**2).sum(axis=(1, 2))
        eta = np.float64(tested * (tested + 1)) / (traces**2 + products).sum()
    return Spread(weights, df, float(eta))


def _adjusted(
    part: FloatArray, variance: FloatArray, load: FloatArray, stratum: IntArray, bread: FloatArray
) -> FloatArray:
    """The weights U of one cluster's rows, shape (rows, q).

    Args:
        part: rows of X, shape (rows, q).
        variance: T, shape (rows,).
        load: what X B X' has of the stratum's effect, as its root, shape (rows,).
        stratum: codes, shape (rows,).
        bread: B of the contrasts, shape (q, q).
    """
    deviation = np.sqrt(variance)
    scaled = part / deviation[:, None]
    if len(np.unique(stratum)) == len(stratum):
        # T^(1/2) (T - X B X') T^(1/2) is diagonal but for the contrasts, q columns.
        values, vectors = np.linalg.eigh(bread)
        half = vectors * np.sqrt(np.maximum(values, 0))
        factor = deviation[:, None] * (part @ half)
        rooted = times_inverse_root(variance * (variance - load**2), factor, scaled)
        if rooted is not None:
            return np.asarray(deviation[:, None] * rooted @ bread, dtype=np.float64)
    hat = part @ bread @ part.T
    hat += np.where(stratum[:, None] == stratum, load[:, None] * load, 0)
    both = deviation[:, None] * deviation
    # How many of its eigenvalues are 0 is that of I - H, all between 0 and 1.
    rank = _rank(np.eye(len(part)) - hat / both)
    rooted = _inverse_root(both * (np.diag(variance) - hat), rank) @ scaled
    return np.asarray(deviation[:, None] * rooted @ bread, dtype=np.float64)


def _rank(matrix: FloatArray) -> int:
    """How many eigenvalues of a symmetric matrix are above `NOISE`."""
    try:
        # Where all are, this tells it in a tenth of the time.
        np.linalg.cholesky(matrix - NOISE * np.eye(len(matrix)))
    except np.linalg.LinAlgError:
        return int((np.linalg.eigvalsh(matrix) > NOISE).sum())
    return len(matrix)


def _inverse_root(matrix: FloatArray, rank: int) -> FloatArray:
    """Symmetric inverse square root, zero where a matrix of this rank is singular."""
    values, vectors = np.linalg.eigh(matrix)
    positive = np.arange(len(values)) >= len(values) - rank
    scale = np.where(positive, 1 / np.sqrt(np.where(positive, values, 1)), 0)
    return np.asarray((vectors * scale) @ vectors.T, dtype=np.float64)
