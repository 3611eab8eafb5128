"""Covariances by their roots R, with R' R the covariance.

A sandwich is a sum of squares of clusters' terms, and the terms are its root. A
contrast's variance as a sum of squares keeps all its digits, where the product
would lose them in a difference of large numbers: two groups whose names do not
differ, against a reference whose names do, have a variance of 0, not of 1e-17.
All functions take stacks: shapes (..., rows, q).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from refusal_parity.statistics.rounding import LOST_DIGITS, is_noise

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import BoolArray, FloatArray


def covariance(root: FloatArray) -> FloatArray:
    """R' R, shape (..., q, q)."""
    return np.asarray(np.swapaxes(root, -1, -2) @ root, dtype=np.float64)


def triangle(root: FloatArray) -> FloatArray:
    """A root of the same covariance with q rows, shape (..., q, q)."""
    rows, q = root.shape[-2:]
    if rows < q:
        root = np.concatenate([root, np.zeros((*root.shape[:-2], q - rows, q))], axis=-2)
    return np.asarray(np.linalg.qr(root, mode="r"), dtype=np.float64)


def root_of_difference(
    whole: FloatArray, part: FloatArray | float = 0.0, largest: FloatArray | float = 0.0
) -> FloatArray:
    """A root of a covariance less another; NaN where that leaves no covariance.

    It is one where all eigenvalues stand clear of what the subtraction loses,
    rows and columns divided by the roots of the whole's diagonal.

    Args:
        whole: covariances, shape (..., q, q).
        part: what is taken from them, same shape.
        largest: what each variance could be with outcomes of this size, so that
            rounding is none (`rounding.is_noise`), shape (..., q).

    Returns:
        Shape (..., q, q).
    """
    diagonal = np.diagonal(whole, axis1=-2, axis2=-1)
    usable = np.asarray(
        np.isfinite(whole).all(axis=(-2, -1)) & ~is_noise(diagonal, largest).any(axis=-1)
    )
    scale = np.sqrt(np.where(usable[..., None], diagonal, 1))
    both = scale[..., :, None] * scale[..., None, :]
    left = np.where(usable[..., None, None], (whole - part) / both, 0)
    usable &= np.linalg.eigvalsh(left)[..., 0] > LOST_DIGITS
    factor = np.linalg.cholesky(np.where(usable[..., None, None], left, np.eye(left.shape[-1])))
    root = np.swapaxes(factor, -1, -2) * scale[..., None, :]
    return np.asarray(np.where(usable[..., None, None], root, np.nan), dtype=np.float64)


def size(root: FloatArray, kept: BoolArray | None = None) -> FloatArray:
    """Sum of the variances of all pairs of levels: the same whichever is the reference.

    (q + 1) trace V - 1' V 1, of q contrasts with the reference.

    Args:
        root: shape (..., rows, q).
        kept: contrasts that count, shape (..., q); by default all.

    Returns:
        Shape (...).
    """
    kept = np.ones(root.shape[-1], dtype=np.bool_) if kept is None else kept
    left = np.where(kept[..., None, :], root, 0)
    own, together = (left**2).sum(axis=(-2, -1)), (left.sum(axis=-1) ** 2).sum(axis=-1)
    return np.asarray((kept.sum(axis=-1) + 1) * own - together, dtype=np.float64)


def quadratic(root: FloatArray, b: FloatArray) -> FloatArray:
    """The form b' (R' R)^-1 b; NaN where R' R has no inverse that is more than rounding.

    Args:
        root: shape (..., q, q).
        b: shape (..., q).
    """
    scale = np.sqrt((root**2).sum(axis=-2))
    usable: BoolArray = np.asarray((scale > 0).all(axis=-1) & np.isfinite(b).all(axis=-1))
    scale = np.where(usable[..., None], scale, 1)
    scaled = np.where(usable[..., None, None], root / scale[..., None, :], 0)
    values = np.linalg.svd(scaled, compute_uv=False)
    usable &= values[..., -1] > LOST_DIGITS * values[..., 0]
    safe = np.where(usable[..., None, None], scaled, np.eye(root.shape[-1]))
    solved = np.linalg.solve(np.swapaxes(safe, -1, -2), (b / scale)[..., None])[..., 0]
    return np.where(usable, (solved**2).sum(axis=-1), np.nan)
