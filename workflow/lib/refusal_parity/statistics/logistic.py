"""Logistic regression with clustered errors: odds ratios within templates.

All of them describe and are never the test (docs/method.md): the plain sandwich
errors are far too small, those reduced in bias (CR2) are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.clusters import Covariance, Moves, one_way, two_way
from refusal_parity.statistics.cr2 import bias_reduced, hotelling
from refusal_parity.statistics.failures import NotConvergedError
from refusal_parity.statistics.regressors import (
    absorb,
    are_told_apart,
    is_separated,
    of_one_cluster,
    too_few_clusters,
)
from refusal_parity.statistics.repeated.logits import fit_logistic
from refusal_parity.statistics.results import (
    Estimate,
    none_estimable,
    with_lost_levels,
    without_pairs,
)
from refusal_parity.statistics.separation import trim
from refusal_parity.statistics.wald import Fit, contrasts, joint
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from refusal_parity.statistics.design import Design, FloatArray
    from refusal_parity.statistics.regressors import Absorbed

METHODS = (
    Method.GLM_CLUSTER_NAME,
    Method.GLM_CLUSTER_TEMPLATE,
    Method.GLM_CLUSTER_TWO_WAY,
    Method.GLM_CR2_NAME,
)


class _Fitted(NamedTuple):
    """A fit.

    Attributes:
        coefficients: log odds ratios with the first level, shape (q,).
        absorbed: contrasts, with p (1 - p) of each cell as working variance.
        residual: sum over the responses of each cell, shape (cells,).
    """

    coefficients: FloatArray
    absorbed: Absorbed
    residual: FloatArray


def logistic(design: Design, alpha: float, *, method: Method) -> list[Estimate]:
    """Odds ratios within templates under one of four covariances.

    logit P(y = 1) = sum over levels of b_l [level = l] + sum over templates
    of c_t [template = t]; sandwich covariances of `clusters`, t and F with the
    (smaller) number of clusters less 1; CR2 by name with Satterthwaite's
    degrees of freedom and HTZ (`cr2`), with p's derivatives as regressors and
    p (1 - p) as working variance. Templates where the outcome does not
    vary are dropped, which the note says; a level where it does not vary is
    not estimable, and with it the global test.

    Args:
        design: counts of one outcome.
        alpha: 1 less the level of the intervals.
        method: one of `METHODS`.

    Returns:
        One row for each pair of levels, and the global test.
    """
    trimmed = trim(design)
    left = trimmed.design
    if len(left.levels) < 2:  # noqa: PLR2004 - a contrast needs two
        reason = ", ".join(trimmed.levels.values()) or "the outcome does not vary within templates"
        return none_estimable(method, Estimand.ODDS_RATIO, design.levels, reason)
    fitted = _fit(left)
    if isinstance(fitted, str):
        return none_estimable(method, Estimand.ODDS_RATIO, design.levels, fitted)
    dropped = (
        f"without templates where the outcome does not vary ({trimmed.templates})"
        if trimmed.templates
        else None
    )
    by_name, by_template = _clusterings(method)
    single = too_few_clusters(left, names=by_name, templates=by_template)
    return [
        row.noting(dropped)
        for row in with_lost_levels(
            [
                row
                for row in _one_clustering(left, fitted, method, alpha)
                if row.group not in single and row.reference not in single
            ],
            Estimand.ODDS_RATIO,
            design.levels,
            trimmed.levels | single,
        )
    ]


def _clusterings(method: Method) -> tuple[bool, bool]:
    """Whether a method clusters by name, and by template."""
    by_template = method in {Method.GLM_CLUSTER_TEMPLATE, Method.GLM_CLUSTER_TWO_WAY}
    return method is not Method.GLM_CLUSTER_TEMPLATE, by_template


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
    lost = of_one_cluster(design, names=by_name, templates=by_template)
    largest = fitted.absorbed.bread * design.n.sum()
    if method is Method.GLM_CR2_NAME:
        found = bias_reduced(fitted.absorbed, fitted.residual, design.name)
        fit = Fit(
            levels=design.levels,
            coefficients=fitted.coefficients,
            root=found.root,
            largest=largest,
            df=found.df_joint,
            note=None,
            pair_df=found.df,
        )
        rows = contrasts(fit, method, Estimand.ODDS_RATIO, alpha)
        return without_pairs([*rows, hotelling(fit, method)], lost)
    absorbed = fitted.absorbed
    moves = Moves(
        absorbed.influence * fitted.residual[:, None],
        rows=int(design.n.sum()),
        parameters=absorbed.parameters,
        largest=largest,
    )
    if by_name and by_template:
        covariance = two_way(moves, design.name, design.template)
    else:
        codes = design.name if by_name else design.template
        covariance = Covariance(one_way(moves, codes), None)
    fit = Fit(
        levels=design.levels,
        coefficients=fitted.coefficients,
        root=covariance.root,
        largest=largest,
        df=clusters - 1,
        note=covariance.note,
    )
    rows = contrasts(fit, method, Estimand.ODDS_RATIO, alpha)
    return without_pairs([*rows, joint(fit, method)], lost)


def _fit(design: Design) -> _Fitted | str:
    """The fit, or why there can be none.

    Raises:
        NotConvergedError: Newton's steps did not come down.
    """
    if not are_told_apart(design):
        return "levels and templates cannot be told apart"
    if is_separated(design):
        return "separation: levels and templates predict the outcome without error"
    n, k = (counts.T[None] for counts in design.by_template())
    found = fit_logistic(n, k)
    if np.isnan(found.coefficients).any():
        message = "the fit did not converge"
        raise NotConvergedError(message)
    chance = found.chance[0, design.level, design.template]
    return _Fitted(
        coefficients=found.coefficients[0],
        absorbed=absorb(design, variance=chance * (1 - chance)),
        residual=design.k - design.n * chance,
    )
