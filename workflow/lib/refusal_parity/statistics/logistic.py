"""Logistic regression with clustered errors: a description, never the test (docs/method.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM

from refusal_parity.statistics.clusters import Covariance, Scores, inverse, one_way, two_way
from refusal_parity.statistics.regressors import combine, too_few_clusters
from refusal_parity.statistics.results import Estimate, not_estimable
from refusal_parity.statistics.separation import is_separated, trim
from refusal_parity.statistics.wald import Fit, contrasts, joint
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from collections.abc import Iterable

    from refusal_parity.statistics.design import Design, FloatArray

METHODS = (
    Method.GLM_CLUSTER_NAME,
    Method.GLM_CLUSTER_TEMPLATE,
    Method.GLM_CLUSTER_TWO_WAY,
)


class _Fitted(NamedTuple):
    coefficients: FloatArray
    scores: Scores


def logistic(design: Design, alpha: float) -> list[Estimate]:
    """Odds ratios within templates under three clusterings, from one fit.

    logit P(y = 1) = sum over levels of b_l [level = l] + sum over templates
    of c_t [template = t]; sandwich covariances of `clusters`; t and F with the
    (smaller) number of clusters less 1. Templates where the outcome does not
    vary are dropped, which the note says; a level where it does not vary is
    not estimable, and with it the global test.

    Returns:
        For each of `METHODS` one row for each level but the reference, and the
        global test.
    """
    reference = design.levels[0]
    trimmed = trim(design)
    left = trimmed.design
    if reference in trimmed.levels:
        return _none(design.levels, METHODS, trimmed.levels[reference])
    if len(left.levels) < 2:  # noqa: PLR2004 - a contrast needs two
        reason = ", ".join(trimmed.levels.values()) or "the outcome does not vary within templates"
        return _none(design.levels, METHODS, reason)
    fitted = _fit(left)
    if isinstance(fitted, str):
        return _none(design.levels, METHODS, fitted)
    dropped = (
        f"without templates where the outcome does not vary ({trimmed.templates})"
        if trimmed.templates
        else None
    )
    estimates: list[Estimate] = []
    for method in METHODS:
        estimates += [
            row.noting(dropped)
            for row in _one_clustering(left, fitted, method, trimmed.levels, alpha)
        ]
    return estimates


def _one_clustering(
    design: Design, fitted: _Fitted, method: Method, unvaried: dict[str, str], alpha: float
) -> list[Estimate]:
    by_name = method is not Method.GLM_CLUSTER_TEMPLATE
    by_template = method is not Method.GLM_CLUSTER_NAME
    single = too_few_clusters(design, names=by_name, templates=by_template)
    if design.levels[0] in single:
        levels = (*design.levels, *unvaried)
        return _none(levels, (method,), single[design.levels[0]])
    clusters = min(
        int(codes.max()) + 1
        for used, codes in ((by_name, design.name), (by_template, design.template))
        if used
    )
    tested = len(design.levels) - 1
    if by_name and by_template:
        covariance = two_way(fitted.scores, design.name, design.template, tested)
    else:
        codes = design.name if by_name else design.template
        covariance = Covariance(one_way(fitted.scores, codes)[:tested, :tested], None)
    fit = Fit(
        groups=design.levels[1:],
        coefficients=fitted.coefficients[:tested],
        covariance=covariance.matrix,
        df=clusters - 1,
        note=covariance.note,
    )
    lost = unvaried | single
    rows = [
        row for row in contrasts(fit, method, Estimand.ODDS_RATIO, alpha) if row.group not in lost
    ]
    rows += [not_estimable(method, Estimand.ODDS_RATIO, *pair) for pair in lost.items()]
    if lost:
        reason = ", ".join(lost.values())
        return [*rows, not_estimable(method, Estimand.GLOBAL, None, reason)]
    return [*rows, joint(fit, method)]


def _fit(design: Design) -> _Fitted | str:
    """The fit, or why there is none."""
    combined = combine(design)
    x, n, k = combined.x, combined.n, combined.k
    if not combined.is_full_rank():
        return "levels and templates cannot be told apart"
    if is_separated(x, k, n):
        return "separation: levels and templates predict the outcome without error"
    model = GLM(np.column_stack([k, n - k]), x, family=Binomial())
    result = model.fit(maxiter=100, tol=1e-10, tol_criterion="params")
    if not result.converged:
        return "the fit did not converge"
    probability = np.asarray(result.fittedvalues, dtype=np.float64)
    bread = inverse(x.T @ ((n * probability * (1 - probability))[:, None] * x))
    scores = combined.scores(design, probability)
    coefficients = np.asarray(result.params, dtype=np.float64)
    return _Fitted(coefficients, Scores(scores, bread, rows=int(n.sum())))


def _none(levels: tuple[str, ...], methods: Iterable[Method], reason: str) -> list[Estimate]:
    return [
        estimate
        for method in methods
        for estimate in (
            *(not_estimable(method, Estimand.ODDS_RATIO, group, reason) for group in levels[1:]),
            not_estimable(method, Estimand.GLOBAL, None, reason),
        )
    ]
