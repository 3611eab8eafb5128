"""Bias-reduced variances clustered by unit alone, for as many units as a prompt list has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from refusal_parity.statistics.rounding import NOISE
from refusal_parity.statistics.variances.cr2_two_way import OneWay, level_of, one_way

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray, IntArray
    from refusal_parity.statistics.designs.regressors import Absorbed


def by_unit(
    absorbed: Absorbed, residual: FloatArray, unit: IntArray, level: IntArray, weights: FloatArray
) -> OneWay:
    """CR2 of sums of coefficients, in time and memory that grow as the units do.

    Numbers are those of `cr2.bias_reduced`, which keeps what every two clusters have in
    common. With H = Z Z', U the rows' weights in a sum (`cr2.spread`) and s = Z'U of a unit,
    P[g, h] = [g = h] U'U - s_g's_h, so that the sum of its squares is that of
    (U'U)^2 - 2 U'U s's over units, and of the squares of the matrix of all s s'.

    Args:
        absorbed: contrasts of least squares within one stratum.
        residual: sum over the responses of each cell, shape (cells,).
        unit: codes 0 to m - 1 that all occur, shape (cells,).
        level: code, shape (cells,).
        weights: of the coefficients in each sum, shape (q, sums).

    Returns:
        Variances of the sums, and the fewer of Welch's degrees of freedom, where no unit meets
        two levels, and Satterthwaite's of independent errors of one variance.
    """
    z, root = _rooted(absorbed)
    moved = _adjusted(z, unit) @ (root.T @ np.vstack([weights, np.zeros(weights.shape[1])]))
    error = residual / np.sqrt(absorbed.n)
    terms, df = np.empty((int(unit.max()) + 1, weights.shape[1])), np.empty(weights.shape[1])
    for at, of_sum in enumerate(moved.T):
        terms[:, at] = np.bincount(unit, of_sum * error)
        df[at] = _satterthwaite(z, of_sum, unit)
    found = one_way(terms, df, level_of(level, unit))
    return OneWay(found.variance, np.minimum(found.df, df))


def _rooted(absorbed: Absorbed) -> tuple[FloatArray, FloatArray]:
    """Z = X R with R R' = (X'X)^-1, X the contrasts and a constant, a row for each cell."""
    values, vectors = np.linalg.eigh(absorbed.bread)
    size = len(values) + 1
    root = np.zeros((size, size))
    root[:-1, :-1] = vectors * np.sqrt(np.maximum(values, 0))
    # The contrasts are orthogonal to the constant.
    root[-1, -1] = 1 / np.sqrt(absorbed.total[0])
    x = np.column_stack([absorbed.contrasts, np.ones(len(absorbed.n))])
    return np.asarray(np.sqrt(absorbed.n)[:, None] * x @ root, dtype=np.float64), root


def _adjusted(z: FloatArray, unit: IntArray) -> FloatArray:
    """(I - H)^(-1/2) Z of each unit's rows, by pseudo-inverse, shape of Z."""
    left = 1 - (z**2).sum(axis=1)
    adjusted = np.where(left > NOISE, 1 / np.sqrt(np.where(left > NOISE, left, 1)), 0)[:, None] * z
    several = np.flatnonzero((np.bincount(unit) > 1)[unit])
    order = several[np.argsort(unit[several], kind="stable")]
    starts = np.flatnonzero(np.diff(unit[order])) + 1
    for rows in np.split(order, starts) if len(order) else []:
        values, vectors = np.linalg.eigh(np.eye(len(rows)) - z[rows] @ z[rows].T)
        kept = values > NOISE
        scale = np.where(kept, 1 / np.sqrt(np.where(kept, values, 1)), 0)
        adjusted[rows] = (vectors * scale) @ vectors.T @ z[rows]
    return np.asarray(adjusted, dtype=np.float64)


def _satterthwaite(z: FloatArray, weight: FloatArray, unit: IntArray) -> float:
    """(tr P)^2 / tr(P P) of one sum; NaN where no unit says anything of it."""
    own = np.bincount(unit, weight**2)
    shared = np.column_stack([np.bincount(unit, column * weight) for column in z.T])
    common = (shared**2).sum(axis=1)
    squares = (own**2 - 2 * own * common).sum() + ((shared.T @ shared) ** 2).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.float64((own - common).sum()) ** 2 / squares)
