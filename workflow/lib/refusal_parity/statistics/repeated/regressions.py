"""The regressions of the package over many studies at once."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.cr2 import spread
from refusal_parity.statistics.cr2_two_way import both_ways, level_of, one_way
from refusal_parity.statistics.design import Design
from refusal_parity.statistics.distributions import f_sf
from refusal_parity.statistics.grid import by_level
from refusal_parity.statistics.logistic import METHODS as LOGISTIC
from refusal_parity.statistics.regressors import absorb
from refusal_parity.statistics.repeated.fits import (
    Counts,
    Fitted,
    contrasts,
    counted,
    joint,
    quadratic,
    reduced,
    sandwich,
    with_fallback,
)
from refusal_parity.statistics.repeated.logits import both_outcomes, fit_logistic
from refusal_parity.statistics.repeated.results import Repeated, Studies
from refusal_parity.statistics.roots import triangle
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from refusal_parity.statistics.design import BoolArray, FloatArray
    from refusal_parity.statistics.grid import Grid
    from refusal_parity.statistics.regressors import Absorbed


def ols_two_way(studies: Studies, alpha: float) -> list[Repeated]:
    """`linear.ols_two_way`, for levels of names."""
    thin = _thin(studies, templates=True)
    kept = studies.keep(np.flatnonzero(~thin))
    groups = studies.grid.levels[1:]
    method, estimand = Method.OLS_TWO_WAY, Estimand.RISK_DIFFERENCE
    if thin[0] or len(kept.grid.levels) == 1:
        return _unanswered(method, estimand, groups, len(studies.k))
    counts = counted(kept.grid)
    coefficients, residual = _least_squares(kept)
    moved = reduced(kept.level_n).influence[None]
    found = sandwich(kept.grid, residual, moved, counts)
    largest = _largest(kept)
    root = with_fallback(found, np.ones(coefficients.shape, dtype=np.bool_), largest)
    df = np.minimum(counts.names, counts.templates) - 1
    fitted = Fitted(kept.grid.levels[1:], coefficients, root, largest, df)
    rows = contrasts(fitted, method, estimand, alpha)
    if thin.any():
        return [_spread_out(rows, groups), _no_global(method, len(studies.k))]
    return [rows, joint(fitted, method)]


def ols_cr2_name(studies: Studies, alpha: float) -> list[Repeated]:
    """`cr2.ols_cr2_name`: degrees of freedom are of the design, the same for all studies."""
    thin = _thin(studies, templates=False)
    kept = studies.keep(np.flatnonzero(~thin))
    groups = studies.grid.levels[1:]
    method, estimand = Method.OLS_CR2_NAME, Estimand.RISK_DIFFERENCE
    if thin[0] or len(kept.grid.levels) == 1:
        return _unanswered(method, estimand, groups, len(studies.k))
    fits = _bias_reduced(kept)
    terms, df, eta = fits.terms("name")
    largest = _largest(kept)
    fitted = Fitted(kept.grid.levels[1:], fits.coefficients, triangle(terms), largest, df)
    rows = contrasts(fitted, method, estimand, alpha)
    if thin.any():
        return [_spread_out(rows, groups), _no_global(method, len(studies.k))]
    return [rows, _hotelling(fitted, eta)]


def ols_cr2_two_way(studies: Studies, alpha: float) -> Repeated:
    """`cr2_two_way.ols_cr2_two_way`."""
    thin = _thin(studies, templates=True)
    kept = studies.keep(np.flatnonzero(~thin))
    groups = studies.grid.levels[1:]
    method, estimand = Method.OLS_CR2_TWO_WAY, Estimand.RISK_DIFFERENCE
    if thin[0] or len(kept.grid.levels) == 1:
        return _unanswered(method, estimand, groups, len(studies.k))[0]
    fits = _bias_reduced(kept)
    design = fits.design
    name, template = (
        one_way(terms, df, level_of(design.level, getattr(design, kind)))
        for kind in ("name", "template")
        for terms, df, _ in (fits.terms(kind),)
    )
    cells = len(design.n)
    # A name is of one level, so that each row is a cell of its own (`cr2_two_way.cell_variance`).
    squares = by_level(kept.grid, fits.residual**2).reshape(len(fits.residual), -1)
    moved = reduced(kept.level_n).influence
    cell = squares @ moved.reshape(-1, moved.shape[-1]) ** 2
    cell *= cells / max(cells - fits.absorbed.parameters, 1)
    both = both_ways(name, template, cell)
    diagonal = np.sqrt(both.variance)[:, None] * np.eye(cell.shape[1])
    fitted = Fitted(kept.grid.levels[1:], fits.coefficients, diagonal, _largest(kept), both.df)
    return _spread_out(contrasts(fitted, method, estimand, alpha), groups)


class _BiasReduced(NamedTuple):
    """Least squares fits of many studies.

    Attributes:
        grid: names and templates.
        design: the cells, in the order of the grid's rows.
        absorbed: their contrasts.
        coefficients: contrasts, shape (studies, q).
        residual: sums of residuals, shape (studies, names, templates).
    """

    grid: Grid
    design: Design
    absorbed: Absorbed
    coefficients: FloatArray
    residual: FloatArray

    def terms(self, kind: str) -> tuple[FloatArray, FloatArray, float]:
        """Clusters' terms, shape (studies, clusters, q), and degrees of freedom."""
        found = spread(self.absorbed, getattr(self.design, kind))
        tested = self.coefficients.shape[1]
        weights = np.zeros((*self.grid.n.shape, tested))
        weights[np.nonzero(self.grid.n)] = found.weights / np.sqrt(self.design.n)[:, None]
        if kind == "name":
            terms = np.swapaxes(self.residual, 0, 1) @ weights
        else:
            # Copied so that matrices lie in one piece, or their product takes ten times as long.
            by_template = np.ascontiguousarray(self.residual.transpose(2, 0, 1))
            terms = by_template @ np.ascontiguousarray(np.swapaxes(weights, 0, 1))
        # The pairs with the first level come first.
        return np.swapaxes(terms, 0, 1), found.df[:tested], found.df_joint


@lru_cache(maxsize=1)
def _bias_reduced(studies: Studies) -> _BiasReduced:
    design = _design(studies.grid)
    return _BiasReduced(studies.grid, design, absorb(design), *_least_squares(studies))


def _hotelling(fitted: Fitted, eta: float) -> Repeated:
    """Hotelling's T^2 with eta degrees of freedom (HTZ)."""
    q = len(fitted.groups)
    rest = eta - q + 1
    if rest <= 0:
        return _no_global(Method.OLS_CR2_NAME, len(fitted.estimate))
    return quadratic(
        fitted, Method.OLS_CR2_NAME, lambda wald, _: f_sf(rest / (eta * q) * wald, q, rest)
    )


def logistic(studies: Studies, alpha: float) -> list[Repeated]:
    """`logistic.logistic`; log odds ratios, so that 0 is no difference."""
    grid, n = studies.grid, studies.level_n
    kept = both_outcomes(n, studies.level_k)
    sizes, hits = np.where(kept, n, 0), np.where(kept, studies.level_k, 0)
    levels = np.asarray(kept.any(axis=2))
    answered = levels[:, 0] & (levels.sum(axis=1) > 1)
    fits = fit_logistic(np.where(answered[:, None, None], sizes, 0), hits)
    inside = np.asarray(kept[:, grid.level] & (grid.n > 0), dtype=np.bool_)
    residual = np.where(inside, studies.k - grid.n * fits.chance[:, grid.level], 0)
    templates = kept.any(axis=1).sum(axis=1)
    counts = Counts(
        names=inside.any(axis=2).sum(axis=1).astype(np.float64),
        templates=templates.astype(np.float64),
        cells=inside.sum(axis=(1, 2)).astype(np.float64),
        rows=sizes.sum(axis=(1, 2)),
        parameters=templates + levels.sum(axis=1) - 1.0,
    )
    weighted = reduced(fits.weights)
    found = sandwich(grid, residual, weighted.influence, counts)
    largest = np.diagonal(weighted.inverse, axis1=1, axis2=2) * sizes.sum(axis=(1, 2))[:, None]
    named = np.asarray(inside.any(axis=2), dtype=np.float64)[..., None]
    few_names = by_level(grid, named)[..., 0] < 2  # noqa: PLR2004 - one is no sample
    few_templates = kept.sum(axis=2) < 2  # noqa: PLR2004
    rows: list[Repeated] = []
    both = with_fallback(found, levels[:, 1:], largest)
    for method, root, few, df in (
        (LOGISTIC[0], found.by_name, few_names, counts.names - 1),
        (LOGISTIC[1], found.by_template, few_templates, counts.templates - 1),
        (
            LOGISTIC[2],
            both,
            few_names | few_templates,
            np.minimum(counts.names, counts.templates) - 1,
        ),
    ):
        lost = few | ~levels
        none = lost[:, 1:] | (lost[:, :1] | ~answered[:, None])
        estimate = np.where(none, np.nan, fits.coefficients)
        fitted = Fitted(grid.levels[1:], estimate, root, largest, np.maximum(df, 1)[:, None])
        rows += [contrasts(fitted, method, Estimand.ODDS_RATIO, alpha), joint(fitted, method)]
    return rows


@lru_cache(maxsize=1)
def _largest(studies: Studies) -> FloatArray:
    """Variances of the contrasts if residuals were as large as outcomes, shape (studies, q)."""
    n = studies.grid.n
    squares = np.einsum("rnt,rnt,nt->r", studies.k, studies.k, 1 / np.where(n > 0, n, 1))
    return np.asarray(np.outer(squares, np.diag(reduced(studies.level_n).inverse)))


@lru_cache(maxsize=1)
def _least_squares(studies: Studies) -> tuple[FloatArray, FloatArray]:
    """Contrasts, NaN where the outcome does not vary, and sums of residuals by cell."""
    n, k = studies.level_n, studies.level_k
    total = n.sum(axis=0)
    coefficients = reduced(n).step(k)
    levels = np.concatenate([np.zeros((len(k), 1)), coefficients], axis=1)
    effects = (k.sum(axis=1) - levels @ n) / np.where(total > 0, total, 1)
    fitted = levels[..., None] + effects[:, None]
    residual = np.empty_like(studies.k)
    # Study by study: all at once do not fit the processor's cache.
    for left, seen, expected in zip(residual, studies.k, fitted, strict=True):
        np.subtract(seen, studies.grid.n * expected[studies.grid.level], out=left)
    hits = k.sum(axis=(1, 2))
    flat = (hits == 0) | (hits == n.sum())
    return np.where(flat[:, None], np.nan, coefficients), residual


def _thin(studies: Studies, *, templates: bool) -> BoolArray:
    """Levels with one name, or with one template (`regressors.too_few_clusters`)."""
    grid = studies.grid
    thin = np.bincount(grid.level) == 1
    if templates:
        thin |= np.count_nonzero(studies.level_n, axis=1) == 1
    return np.asarray(thin, dtype=np.bool_)


def _design(grid: Grid) -> Design:
    """The grid as a design without outcomes, cells in the order of its rows."""
    name, template = np.nonzero(grid.n)
    n = grid.n[name, template]
    _, coded = np.unique(template, return_inverse=True)
    return Design(grid.levels, grid.level[name], name, coded, n, np.zeros(len(n)))


def _unanswered(
    method: Method, estimand: Estimand, groups: tuple[str, ...], studies: int
) -> list[Repeated]:
    nothing = np.full((studies, len(groups)), np.nan)
    rows = Repeated(
        method=method,
        estimand=estimand,
        groups=groups,
        estimate=nothing,
        std_error=nothing,
        df=np.array(1.0),
        p_value=nothing,
        low=nothing,
        high=nothing,
    )
    return [rows, _no_global(method, studies)]


def _no_global(method: Method, studies: int) -> Repeated:
    return Repeated(
        method=method,
        estimand=Estimand.GLOBAL,
        groups=(None,),
        p_value=np.full((studies, 1), np.nan),
    )


def _spread_out(rows: Repeated, groups: tuple[str, ...]) -> Repeated:
    """The rows of some groups among all groups, NaN for those left out."""
    at = [groups.index(str(group)) for group in rows.groups]

    def spread_out(values: FloatArray | None) -> FloatArray:
        full = np.full((len(rows.p_value if rows.p_value is not None else []), len(groups)), np.nan)
        if values is not None:
            full[:, at] = values
        return full

    return Repeated(
        method=rows.method,
        estimand=rows.estimand,
        groups=groups,
        estimate=spread_out(rows.estimate),
        std_error=spread_out(rows.std_error),
        df=spread_out(rows.df),
        p_value=spread_out(rows.p_value),
        low=spread_out(rows.low),
        high=spread_out(rows.high),
    )
