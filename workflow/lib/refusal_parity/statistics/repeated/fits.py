"""Regression with template effects, over many studies at once.

Template effects are eliminated before the contrasts are solved for (Frisch,
Waugh and Lovell), so that each study costs a matrix of the levels' size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.distributions import f_sf, t_isf, t_sf
from refusal_parity.statistics.grid import by_level
from refusal_parity.statistics.repeated.results import Repeated
from refusal_parity.statistics.roots import covariance, root_of_difference, size, triangle
from refusal_parity.statistics.roots import quadratic as quadratic_form
from refusal_parity.statistics.rounding import NOISE, exceeds, is_noise
from refusal_parity.vocabulary import Estimand

if TYPE_CHECKING:
    from collections.abc import Callable

    from refusal_parity.statistics.design import BoolArray, FloatArray
    from refusal_parity.statistics.grid import Grid
    from refusal_parity.vocabulary import Method


class Counts(NamedTuple):
    """How many clusters, responses and coefficients a fit has; each broadcasts to (studies,)."""

    names: FloatArray
    templates: FloatArray
    cells: FloatArray
    rows: FloatArray
    parameters: FloatArray


class Sandwich(NamedTuple):
    """Covariances of the contrasts: roots (`roots`) of shape (studies, q, q).

    `by_cell` is the covariance itself.
    """

    by_name: FloatArray
    by_template: FloatArray
    by_cell: FloatArray


def counted(grid: Grid) -> Counts:
    """Counts of a regression on all levels and templates of a grid."""
    n = grid.n
    used = n.sum(axis=0) > 0
    sizes = (len(n), used.sum(), np.count_nonzero(n), n.sum(), len(grid.levels) - 1 + used.sum())
    return Counts(*(np.array(float(size)) for size in sizes))


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


def sandwich(grid: Grid, residual: FloatArray, moved: FloatArray, counts: Counts) -> Sandwich:
    """CR1S covariances by name, by template and by cell (`clusters.one_way`) for many studies.

    Args:
        grid: names and templates.
        residual: sums of residuals, shape (studies, names, templates).
        moved: `Reduced.influence`, shape (studies or 1, levels, templates, q).
        counts: clusters, responses and coefficients.
    """
    rest = (counts.rows - 1) / (counts.rows - counts.parameters)
    factors = [
        (size / np.maximum(size - 1, 1) * rest)[..., None, None]
        for size in (counts.names, counts.templates, counts.cells)
    ]
    names = np.concatenate(
        [residual[:, grid.level == at] @ moved[:, at] for at in range(len(grid.levels))], axis=1
    )
    templates = np.einsum("rgt,rgtq->rtq", by_level(grid, residual), moved)
    cells = (np.sqrt(by_level(grid, residual**2))[..., None] * moved).reshape(
        len(residual), -1, moved.shape[-1]
    )
    return Sandwich(
        np.sqrt(factors[0]) * triangle(names),
        np.sqrt(factors[1]) * triangle(templates),
        factors[2] * covariance(cells),
    )


def with_fallback(found: Sandwich, kept: BoolArray, largest: FloatArray) -> FloatArray:
    """Root of the two-way covariance, or where there is none the larger one-way root.

    `clusters.two_way` for many studies.

    Args:
        found: covariances.
        kept: contrasts that were fitted, shape (studies, q).
        largest: of the variances that outcomes of this size can give, same shape.

    Returns:
        Shape (studies, q, q).
    """
    whole = covariance(found.by_name) + covariance(found.by_template)
    part = found.by_cell.copy()
    at = np.arange(kept.shape[1])
    # A contrast left out must not count as an eigenvalue of 0.
    whole[:, at, at] = np.where(kept, whole[:, at, at], 1)
    part[:, at, at] = np.where(kept, part[:, at, at], 0)
    root = root_of_difference(whole, part, np.where(kept, largest, 0))
    root = np.where(kept[:, None], root, 0)
    by_name, by_template = (size(each, kept) for each in found[:2])
    most = kept.shape[1] * np.where(kept, largest, 0).sum(axis=1)
    template = exceeds(by_template, by_name, most)[:, None, None]
    larger = np.where(template, found.by_template, found.by_name)
    lost = np.asarray(np.isnan(root).any(axis=(1, 2)), dtype=np.bool_)
    return np.where(lost[:, None, None], larger, root)


class Fitted(NamedTuple):
    """Contrasts of many studies under one covariance (`wald.Fit`).

    Attributes:
        groups: level of each contrast.
        estimate: shape (studies, q); NaN where there is none.
        root: of the covariance (`roots`), shape (studies, q, q).
        largest: of the variances that outcomes of this size can give, shape (studies, q).
        df: degrees of freedom, broadcasts to (studies, q).
    """

    groups: tuple[str, ...]
    estimate: FloatArray
    root: FloatArray
    largest: FloatArray
    df: FloatArray

    @property
    def variance(self) -> FloatArray:
        """Shape (studies, q); NaN where it is 0 but for rounding."""
        variance = (self.root**2).sum(axis=1)
        return np.where(is_noise(variance, self.largest), np.nan, variance)


def contrasts(fitted: Fitted, method: Method, estimand: Estimand, alpha: float) -> Repeated:
    """`wald.contrasts`: t tests and intervals; odds ratios stay on the log scale here."""
    std_error = np.sqrt(fitted.variance)
    reach = t_isf(alpha / 2, fitted.df) * std_error
    return Repeated(
        method=method,
        estimand=estimand,
        groups=fitted.groups,
        estimate=fitted.estimate,
        std_error=std_error,
        df=np.broadcast_to(fitted.df, std_error.shape),
        p_value=np.asarray(2 * t_sf(np.abs(fitted.estimate / std_error), fitted.df)),
        low=fitted.estimate - reach,
        high=fitted.estimate + reach,
    )


def joint(fitted: Fitted, method: Method) -> Repeated:
    """`wald.joint`: b' V^-1 b / q as F with (q, df), the same df for all contrasts of a study."""
    q = len(fitted.groups)
    df = np.broadcast_to(fitted.df, fitted.estimate.shape)[:, 0]
    return quadratic(fitted, method, lambda wald, at: np.asarray(f_sf(wald / q, q, df[at])))


def quadratic(
    fitted: Fitted, method: Method, p_value: Callable[[FloatArray, BoolArray], FloatArray]
) -> Repeated:
    """A joint test by b' V^-1 b, NaN where V is not positive definite or b unknown.

    Args:
        fitted: contrasts.
        method: named in the result.
        p_value: from the quadratic forms of the studies that have one, and which these are.
    """
    estimate = np.where(np.isnan(fitted.variance), np.nan, fitted.estimate)
    wald = quadratic_form(fitted.root, estimate)
    usable = np.asarray(~np.isnan(wald), dtype=np.bool_)
    found = np.full((len(usable), 1), np.nan)
    found[usable, 0] = p_value(wald[usable], usable)
    return Repeated(method=method, estimand=Estimand.GLOBAL, groups=(None,), p_value=found)
