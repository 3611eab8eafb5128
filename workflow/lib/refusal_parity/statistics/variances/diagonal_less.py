"""The inverse square root of a diagonal matrix less one of low rank, without its eigenvectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ellipj, ellipkm1

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray

_CLEAR: Final = 1e-3
"""What is taken away leaves this share of the diagonal, or the difference has lost digits."""

_FLAT: Final = 1e-8
"""The smallest eigenvalue as a share of the largest, below which nodes lose digits."""

_NODES: Final = 1.75
"""Nodes by log(largest / smallest) + 3: the error falls as exp(-2 pi^2 nodes / that), to 1e-15."""


def times_inverse_root(
    diagonal: FloatArray, factor: FloatArray, right: FloatArray
) -> FloatArray | None:
    """(D - F F')^(-1/2) R, to some 1e-13.

    It is 2/pi times the integral over s from 0 of (D - F F' + s^2)^(-1) R, at whose
    nodes only matrices of q rows are solved for (Woodbury). The midpoint rule
    after the substitution by an elliptic function converges geometrically
    (Hale, Higham and Trefethen 2008, SIAM Journal on Numerical Analysis 46:2505-2523).

    Args:
        diagonal: D, shape (rows,).
        factor: F, shape (rows, q).
        right: R, shape (rows, columns).

    Returns:
        Shape (rows, columns); None where the matrix is singular or close to it.
    """
    if not (diagonal > 0).all():
        return None
    taken = float(np.linalg.eigvalsh(factor.T @ (factor / diagonal[:, None]))[-1])
    largest = float(diagonal.max())
    smallest = float(diagonal.min()) * (1 - taken)
    if taken > 1 - _CLEAR or smallest < _FLAT * largest:
        return None
    nodes, weights = _rule(smallest, largest)
    (rows, q), columns = factor.shape, right.shape[1]
    inverse = 1 / (diagonal + nodes[:, None] ** 2)
    products = (factor[:, :, None] * np.hstack([factor, right])[:, None]).reshape(rows, -1)
    small = (inverse @ products).reshape(-1, q, q + columns)
    solved = np.linalg.solve(np.eye(q) - small[..., :q], small[..., q:])
    weighted = weights[:, None] * inverse
    moved = (weighted.T @ solved.reshape(len(nodes), -1)).reshape(rows, q, columns)
    found = weighted.sum(axis=0)[:, None] * right + np.einsum("rq,rqc->rc", factor, moved)
    return np.asarray(found, dtype=np.float64)


def _rule(smallest: float, largest: float) -> tuple[FloatArray, FloatArray]:
    """Nodes s and weights of 2/pi times the integral, for eigenvalues between two bounds.

    s = sqrt(smallest) sc(u), with the modulus sqrt(1 - smallest / largest).
    """
    share = smallest / largest
    number = int(np.ceil(_NODES * (3 - np.log(share)) / 2)) + 1
    period = float(ellipkm1(share))
    # Nodes of the upper half are those of the lower half, turned about the middle.
    half = (np.arange(number) + 0.5) * period / (2 * number)
    sine, cosine, *_ = ellipj(half, 1 - share)
    lower = np.sqrt(smallest) * sine / cosine
    nodes = np.concatenate([lower, np.sqrt(smallest * largest) / lower])
    slope = np.sqrt((smallest + nodes**2) * (1 + nodes**2 / largest))
    return nodes, np.asarray(2 / np.pi * period / (2 * number) * slope, dtype=np.float64)
