"""Normal equations of contrasts once template effects are eliminated, for many studies at once.

Template effects go before the contrasts are solved for (Frisch, Waugh and
Lovell), so that each study costs a matrix of the levels' size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.rounding import NOISE

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray


class Reduced(NamedTuple):
    """Normal equations of the contrasts once the template effects are eliminated.

    Attributes:
        inverse: S^-1, shape (..., q, q); NaN where there is none.
        share: each level's part of a template's weight, shape (..., levels, templates).
    """

    inverse: FloatArray
    share: FloatArray

    @property
    def influence(self) -> FloatArray:
        """What a residual moves each contrast by: S^-1 (d_g - share_t) without the first level.

        d_g is the unit vector of the residual's level; shape (..., levels, templates, q).
        """
        levels = self.share.shape[-2]
        share = np.swapaxes(self.share, -1, -2)[..., None, :, 1:]
        units = np.eye(levels)[:, None, 1:] - share
        return np.asarray(units @ self.inverse[..., None, :, :], dtype=np.float64)

    def step(self, residual: FloatArray) -> FloatArray:
        """The sum of all residuals times their influence.

        Args:
            residual: shape (..., levels, templates).

        Returns:
            Shape (..., q).
        """
        of_templates = residual.sum(axis=-2, keepdims=True)
        score = (residual - self.share * of_templates)[..., 1:, :].sum(axis=-1)
        return np.asarray((self.inverse @ score[..., None])[..., 0], dtype=np.float64)


def reduced(weights: FloatArray) -> Reduced:
    """S^-1 with S = diag(sum over t of w_t) - sum over t of w_t w_t' / sum of w_t.

    Args:
        weights: of each level and template, shape (..., levels, templates); a
            level or template of weight 0 is left out. Studies with a NaN have no
            inverse.
    """
    total = weights.sum(axis=-2, keepdims=True)
    share = weights / np.where(total > 0, total, 1)
    tested = weights[..., 1:, :]
    schur = -tested @ np.swapaxes(share[..., 1:, :], -1, -2)
    at = np.arange(tested.shape[-2])
    size = tested.sum(axis=-1)
    schur[..., at, at] += np.where(size > 0, size, 1)
    # Weights of a separated study may be NaN, of which LAPACK makes an error.
    broken = ~np.asarray(np.isfinite(schur).all(axis=(-2, -1)))
    schur[broken] = np.eye(len(at))
    # Of each level's own size, so that a small level is none that cannot be told apart.
    scale = np.sqrt(np.where(schur[..., at, at] > 0, schur[..., at, at], 1))
    eigenvalues = np.linalg.eigvalsh(schur / (scale[..., :, None] * scale[..., None, :]))
    singular = broken | ~(eigenvalues[..., 0] > NOISE)
    schur[singular] = np.eye(len(at))
    inverse = np.linalg.inv(schur)
    inverse[singular] = np.nan
    return Reduced(inverse, share)
