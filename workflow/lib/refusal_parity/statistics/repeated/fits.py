"""Regression with template effects, over many studies at once.

Template effects are eliminated before the contrasts are solved for (Frisch,
Waugh and Lovell), so that each study costs a matrix of the levels' size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.clusters import are_positive_definite
from refusal_parity.statistics.distributions import f_sf, t_isf, t_sf
from refusal_parity.statistics.grid import by_level
from refusal_parity.statistics.repeated.results import NO_ERROR, Repeated
from refusal_parity.statistics.rounding import NOTHING
from refusal_parity.vocabulary import Estimand

if TYPE_CHECKING:
    from collections.abc import Callable

    from refusal_parity.statistics.design import BoolArray, FloatArray
    from refusal_parity.statistics.grid import Grid
    from refusal_parity.vocabulary import Method

_SINGULAR = 1e-12


class Counts(NamedTuple):
    """How many clusters, responses and coefficients a fit has; each broadcasts to (studies,)."""

    names: FloatArray
    templates: FloatArray
    cells: FloatArray
    rows: FloatArray
    parameters: FloatArray


class Sandwich(NamedTuple):
    """Covariances of the contrasts, each of shape (studies, q, q)."""

    by_name: FloatArray
    by_template: FloatArray
    both: FloatArray


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
    eigenvalues = np.linalg.eigvalsh(schur)
    singular = broken | ~(eigenvalues[..., 0] > _SINGULAR * eigenvalues[..., -1])
    schur[singular] = np.eye(len(at))
    inverse = np.linalg.inv(schur)
    inverse[singular] = np.nan
    return Reduced(inverse, share)


def sandwich(grid: Grid, residual: FloatArray, moved: FloatArray, counts: Counts) -> Sandwich:
    """CR1S covariances by name and template, and the two-way one before any fallback.

    `clusters.one_way` and `clusters.two_way` for many studies.

    Args:
        grid: names and templates.
        residual: sums of residuals, shape (studies, names, templates).
        moved: `Reduced.influence`, shape (studies or 1, levels, templates, q).
        counts: clusters, responses and coefficients.
    """
    by_name = np.zeros((len(residual), moved.shape[-1], moved.shape[-1]))
    for at in range(len(grid.levels)):
        sums = residual[:, grid.level == at] @ moved[:, at]
        by_name += np.swapaxes(sums, 1, 2) @ sums
    sums = np.einsum("rgt,rgtq->rtq", by_level(grid, residual), moved)
    by_template = np.swapaxes(sums, 1, 2) @ sums
    spread = (np.sqrt(by_level(grid, residual**2))[..., None] * moved).reshape(
        len(residual), -1, moved.shape[-1]
    )
    by_cell = np.swapaxes(spread, 1, 2) @ spread
    rest = (counts.rows - 1) / (counts.rows - counts.parameters)
    scaled = [
        (size / np.maximum(size - 1, 1) * rest)[..., None, None] * matrix
        for size, matrix in (
            (counts.names, by_name),
            (counts.templates, by_template),
            (counts.cells, by_cell),
        )
    ]
    return Sandwich(scaled[0], scaled[1], scaled[0] + scaled[1] - scaled[2])


def with_fallback(found: Sandwich, kept: BoolArray) -> FloatArray:
    """The two-way covariance, or where it is not positive definite the larger one-way one.

    Args:
        found: covariances.
        kept: contrasts that were fitted, shape (studies, q).
    """
    both = found.both.copy()
    at = np.arange(kept.shape[1])
    # A contrast left out must not count as an eigenvalue of 0.
    filler = np.abs(both[:, at, at]).max(axis=1, keepdims=True)
    padded = both.copy()
    padded[:, at, at] = np.where(kept, both[:, at, at], filler)
    scale = found.by_name + found.by_template
    scale[:, at, at] = np.where(kept, scale[:, at, at], filler)
    bad = ~are_positive_definite(padded, scale)
    by_name, by_template = (
        np.trace(each, axis1=1, axis2=2) for each in (found.by_name, found.by_template)
    )
    template = (by_template > by_name * (1 + NOTHING))[:, None, None]
    larger = np.where(template, found.by_template, found.by_name)
    both[bad] = larger[bad]
    return both


class Fitted(NamedTuple):
    """Contrasts of many studies under one covariance (`wald.Fit`).

    Attributes:
        groups: level of each contrast.
        estimate: shape (studies, q); NaN where there is none.
        covariance: shape (studies, q, q).
        df: degrees of freedom, broadcasts to (studies, q).
    """

    groups: tuple[str, ...]
    estimate: FloatArray
    covariance: FloatArray
    df: FloatArray


def contrasts(fitted: Fitted, method: Method, estimand: Estimand, alpha: float) -> Repeated:
    """`wald.contrasts`: t tests and intervals; odds ratios stay on the log scale here."""
    with np.errstate(invalid="ignore"):
        std_error = np.sqrt(np.diagonal(fitted.covariance, axis1=1, axis2=2))
        std_error = np.where(std_error > NO_ERROR, std_error, np.nan)
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
    usable = are_positive_definite(fitted.covariance) & ~np.isnan(fitted.estimate).any(axis=1)
    estimate, covariance = fitted.estimate[usable], fitted.covariance[usable]
    solved = np.linalg.solve(covariance, estimate[..., None])[..., 0]
    found = np.full((len(usable), 1), np.nan)
    found[usable, 0] = p_value(np.einsum("rq,rq->r", estimate, solved), usable)
    return Repeated(method=method, estimand=Estimand.GLOBAL, groups=(None,), p_value=found)
