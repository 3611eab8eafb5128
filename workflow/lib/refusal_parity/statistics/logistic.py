"""Logistic regression with clustered errors: odds ratios within templates.

All of them describe and are never the test (docs/method.md): the plain sandwich
errors are far too small, those reduced in bias (CR2) are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.clusters import Covariance, Scores, inverse, one_way, two_way
from refusal_parity.statistics.cr2 import bias_reduced, hotelling
from refusal_parity.statistics.regressors import combine, too_few_clusters
from refusal_parity.statistics.results import Estimate, none_estimable, with_lost_levels
from refusal_parity.statistics.separation import is_separated, trim
from refusal_parity.statistics.wald import Fit, contrasts, joint
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from collections.abc import Container

    from refusal_parity.statistics.design import Design, FloatArray

METHODS = (
    Method.GLM_CLUSTER_NAME,
    Method.GLM_CLUSTER_TEMPLATE,
    Method.GLM_CLUSTER_TWO_WAY,
    Method.GLM_CR2_NAME,
)


class _Fitted(NamedTuple):
    """A fit: coefficients, what its sandwiches need, and its expected shares by cell."""

    coefficients: FloatArray
    scores: Scores
    x: FloatArray
    probability: FloatArray


def logistic(design: Design, alpha: float) -> list[Estimate]:
    """Odds ratios within templates under four covariances, from one fit.

    logit P(y = 1) = sum over levels of b_l [level = l] + sum over templates
    of c_t [template = t]; sandwich covariances of `clusters`, t and F with the
    (smaller) number of clusters less 1; CR2 by name with Satterthwaite's
    degrees of freedom and HTZ (`cr2`), with p's derivatives as regressors and
    p (1 - p) as working variance. Templates where the outcome does not
    vary are dropped, which the note says; a level where it does not vary is
    not estimable, and with it the global test.

    Returns:
        For each of `METHODS` one row for each pair of levels, and the global test.
    """
    trimmed = trim(design)
    left = trimmed.design
    if len(left.levels) < 2:  # noqa: PLR2004 - a contrast needs two
        reason = ", ".join(trimmed.levels.values()) or "the outcome does not vary within templates"
        return _none(design.levels, reason)
    fitted = _fit(left)
    if isinstance(fitted, str):
        return _none(design.levels, fitted)
    dropped = (
        f"without templates where the outcome does not vary ({trimmed.templates})"
        if trimmed.templates
        else None
    )
    estimates: list[Estimate] = []
    for method in METHODS:
        estimates += [
            row.noting(dropped)
            for row in with_lost_levels(
                _one_clustering(left, fitted, method, alpha),
                Estimand.ODDS_RATIO,
                design.levels,
                trimmed.levels | _single(left, method),
            )
        ]
    return estimates


def _clusterings(method: Method) -> tuple[bool, bool]:
    """Whether a method clusters by name, and by template."""
    by_template = method in {Method.GLM_CLUSTER_TEMPLATE, Method.GLM_CLUSTER_TWO_WAY}
    return method is not Method.GLM_CLUSTER_TEMPLATE, by_template


def _single(design: Design, method: Method) -> dict[str, str]:
    by_name, by_template = _clusterings(method)
    return too_few_clusters(design, names=by_name, templates=by_template)


def _one_clustering(
    design: Design, fitted: _Fitted, method: Method, alpha: float
) -> list[Estimate]:
    """All pairs of fitted levels; those of one cluster are struck out by the caller."""
    by_name, by_template = _clusterings(method)
    clusters = min(
        int(codes.max()) + 1
        for used, codes in ((by_name, design.name), (by_template, design.template))
        if used
    )
    if clusters == 1:
        return none_estimable(method, Estimand.ODDS_RATIO, design.levels, "one cluster only")
    tested = len(design.levels) - 1
    single = _single(design, method)
    if method is Method.GLM_CR2_NAME:
        fit = _bias_reduced_fit(design, fitted)
        rows = contrasts(fit, method, Estimand.ODDS_RATIO, alpha)
        return [*_without(rows, single), hotelling(fit, method)]
    if by_name and by_template:
        covariance = two_way(fitted.scores, design.name, design.template, tested)
    else:
        codes = design.name if by_name else design.template
        covariance = Covariance(one_way(fitted.scores, codes)[:tested, :tested], None)
    fit = Fit(
        levels=design.levels,
        coefficients=fitted.coefficients[:tested],
        covariance=covariance.matrix,
        df=clusters - 1,
        note=covariance.note,
    )
    rows = contrasts(fit, method, Estimand.ODDS_RATIO, alpha)
    return [*_without(rows, single), joint(fit, method)]


def _without(rows: list[Estimate], levels: Container[str]) -> list[Estimate]:
    return [row for row in rows if row.group not in levels and row.reference not in levels]


def _bias_reduced_fit(design: Design, fitted: _Fitted) -> Fit:
    tested = len(design.levels) - 1
    variance = fitted.probability * (1 - fitted.probability)
    root = np.sqrt(design.n)
    found = bias_reduced(
        (root * variance)[:, None] * fitted.x,
        root * (design.k / design.n - fitted.probability),
        variance,
        design.name,
        tested,
    )
    coefficients = fitted.coefficients[:tested]
    return Fit(design.levels, coefficients, found.covariance, found.df_joint, None, found.df)


def _fit(design: Design) -> _Fitted | str:
    """The fit, or why there is none."""
    combined = combine(design)
    x, n, k = combined.x, combined.n, combined.k
    if not combined.is_full_rank():
        return "levels and templates cannot be told apart"
    if is_separated(x, k, n):
        return "separation: levels and templates predict the outcome without error"
    # Takes seconds, and most jobs that come by here fit none.
    from statsmodels.genmod.families import Binomial  # noqa: PLC0415
    from statsmodels.genmod.generalized_linear_model import GLM  # noqa: PLC0415

    model = GLM(np.column_stack([k, n - k]), x, family=Binomial())
    result = model.fit(maxiter=100, tol=1e-10, tol_criterion="params")
    if not result.converged:
        return "the fit did not converge"
    probability = np.asarray(result.fittedvalues, dtype=np.float64)
    bread = inverse(x.T @ ((n * probability * (1 - probability))[:, None] * x))
    scores = combined.scores(design, probability)
    coefficients = np.asarray(result.params, dtype=np.float64)
    return _Fitted(
        coefficients,
        Scores(scores, bread, rows=int(n.sum())),
        x[combined.of_cell],
        probability[combined.of_cell],
    )


def _none(levels: tuple[str, ...], reason: str) -> list[Estimate]:
    return [
        row
        for method in METHODS
        for row in none_estimable(method, Estimand.ODDS_RATIO, levels, reason)
    ]
