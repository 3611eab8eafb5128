"""Linear probability model with two-way clustered errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refusal_parity.statistics.clusters import Moves, two_way
from refusal_parity.statistics.regressors import (
    absorb,
    are_told_apart,
    least_squares,
    of_one_cluster,
    too_few_clusters,
)
from refusal_parity.statistics.results import (
    Estimate,
    none_estimable,
    with_lost_levels,
    without_pairs,
)
from refusal_parity.statistics.wald import Fit, contrasts, joint
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from refusal_parity.statistics.design import Design

_METHOD = Method.OLS_TWO_WAY


def ols_two_way(design: Design, alpha: float, *, template_effects: bool = True) -> list[Estimate]:
    """Risk differences by least squares, clustered by template and by name.

    y = sum over levels of b_l [level = l] + sum over templates of c_t
    [template = t] + e, covariance by `clusters.two_way`; t tests with
    min(G) - 1 degrees of freedom, and the joint F test with (q, min(G) - 1).
    With few names in a group it rejects too often (docs/method.md).

    Args:
        design: counts of one outcome.
        alpha: 1 less the level of the intervals.
        template_effects: False where levels are a property of templates, whose
            effects would take the contrasts up.

    Returns:
        One row for each pair of levels, and the global test.
    """
    single = too_few_clusters(design)
    rows = _fit(design.without(single), alpha, template_effects=template_effects)
    return with_lost_levels(rows, Estimand.RISK_DIFFERENCE, design.levels, single)


def _none(design: Design, reason: str) -> list[Estimate]:
    return none_estimable(_METHOD, Estimand.RISK_DIFFERENCE, design.levels, reason)


def _fit(design: Design, alpha: float, *, template_effects: bool) -> list[Estimate]:
    levels = len(design.levels)
    if levels <= 1:
        return _none(design, "there is nothing to compare the reference with")
    if design.k.sum() in (0, design.n.sum()):
        return _none(design, "the outcome does not vary")
    if not are_told_apart(design, template_effects=template_effects):
        return _none(design, "levels and templates cannot be told apart")
    absorbed = absorb(design, template_effects=template_effects)
    found = least_squares(design, absorbed)
    moved = absorbed.influence * found.residual[:, None]
    moves = Moves(
        moved,
        rows=int(design.n.sum()),
        parameters=absorbed.parameters,
        largest=absorbed.bread * (design.k**2 / design.n).sum(),
    )
    covariance = two_way(moves, design.name, design.template)
    clusters = min(int(design.name.max()), int(design.template.max())) + 1
    fit = Fit(
        levels=design.levels,
        coefficients=found.coefficients,
        root=covariance.root,
        largest=moves.largest,
        df=clusters - 1,
        note=covariance.note,
    )
    estimates = contrasts(fit, _METHOD, Estimand.RISK_DIFFERENCE, alpha)
    lost = of_one_cluster(design) if template_effects else {}
    return without_pairs([*estimates, joint(fit, _METHOD)], lost)
