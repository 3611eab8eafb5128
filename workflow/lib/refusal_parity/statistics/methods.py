"""Which methods suit a dimension, and all of them run on its counts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from refusal_parity.statistics.bootstrap import Resamples, bootstrap_intervals
from refusal_parity.statistics.cr2 import ols_cr2_name
from refusal_parity.statistics.cr2_two_way import ols_cr2_two_way
from refusal_parity.statistics.equivalence import equivalence
from refusal_parity.statistics.exact import exact_tests
from refusal_parity.statistics.linear import ols_two_way
from refusal_parity.statistics.logistic import METHODS as LOGISTIC
from refusal_parity.statistics.logistic import logistic
from refusal_parity.statistics.mantel_haenszel import mantel_haenszel
from refusal_parity.statistics.name_rates import name_rate_tests
from refusal_parity.statistics.proportions import chi_square, katz, newcombe
from refusal_parity.statistics.randomisation import Draws, randomisation_tests
from refusal_parity.statistics.results import Estimate, heard_warnings
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.design import Design
    from refusal_parity.vocabulary import Outcome

    Runner = Callable[[Design, float], list[Estimate]]

OF_NAMES: Final = frozenset({"group", "gender", "commonness"})
"""Dimensions whose levels are properties of names, so that names can be dealt anew."""

OF_TEMPLATES: Final = frozenset({"family"})
"""Dimensions whose levels are properties of templates, so that templates have no effects."""

ESTIMANDS: Final[dict[Method, tuple[Estimand, ...]]] = {
    Method.NEWCOMBE: (Estimand.RISK_DIFFERENCE,),
    Method.KATZ: (Estimand.RISK_RATIO,),
    Method.CHI_SQUARE: (Estimand.RISK_DIFFERENCE, Estimand.GLOBAL),
    Method.MANTEL_HAENSZEL: (Estimand.ODDS_RATIO, Estimand.GLOBAL),
    Method.OLS_TWO_WAY: (Estimand.RISK_DIFFERENCE, Estimand.GLOBAL),
    Method.EQUIVALENCE: (Estimand.RISK_DIFFERENCE,),
    **dict.fromkeys(LOGISTIC, (Estimand.ODDS_RATIO, Estimand.GLOBAL)),
    Method.OLS_CR2_NAME: (Estimand.RISK_DIFFERENCE, Estimand.GLOBAL),
    Method.OLS_CR2_TWO_WAY: (Estimand.RISK_DIFFERENCE,),
    Method.PERMUTATION_NAMES: (Estimand.GLOBAL,),
    Method.PERMUTATION_NAMES_F: (Estimand.GLOBAL,),
    Method.PERMUTATION_NAMES_EXACT: (Estimand.RISK_DIFFERENCE,),
    Method.WELCH_NAMES: (Estimand.RISK_DIFFERENCE,),
    Method.ANOVA_NAMES: (Estimand.GLOBAL,),
    Method.BOOTSTRAP_NAMES: (Estimand.RISK_DIFFERENCE,),
    Method.BOOTSTRAP_PIGEONHOLE: (Estimand.RISK_DIFFERENCE,),
}
"""What each method gives: one row for each group, one global row, or both."""

_OTHER_TEMPLATES: Final = (
    "levels are of templates: other sentences are compared, without template effects"
)


def methods_for(dimension: str) -> list[Method]:
    """The methods that make sense for a dimension, in the order of the table.

    Levels of templates leave nothing to compare within templates, and only
    levels of names can be dealt anew, or drawn anew within, over names.
    """
    within_templates = {Method.MANTEL_HAENSZEL, *LOGISTIC, Method.OLS_CR2_NAME}
    over_names = {
        Method.PERMUTATION_NAMES,
        Method.PERMUTATION_NAMES_F,
        Method.PERMUTATION_NAMES_EXACT,
        Method.WELCH_NAMES,
        Method.ANOVA_NAMES,
        Method.BOOTSTRAP_NAMES,
        Method.BOOTSTRAP_PIGEONHOLE,
    }
    left_out = (within_templates if dimension in OF_TEMPLATES else set()) | (
        set() if dimension in OF_NAMES else over_names
    )
    return [method for method in ESTIMANDS if method not in left_out]


def run_methods(
    designs: Mapping[Outcome, Design], dimension: str, analysis: AnalysisConfig
) -> dict[Outcome, list[Estimate]]:
    """Run all methods that suit a dimension.

    Args:
        designs: counts of each outcome, of the same labelled responses, with
            two levels or more.
        dimension: what the levels are.
        analysis: alpha, margin, permutations, bootstraps and seed.

    Returns:
        The estimates of each outcome; a library's warnings stand in their notes.
    """
    draws = Draws(analysis.permutations, analysis.seed)
    runners: list[Runner] = [newcombe, katz, chi_square]
    runners.append(partial(_linear, dimension=dimension, margin=analysis.margin))
    if dimension not in OF_TEMPLATES:
        runners += [mantel_haenszel, logistic, ols_cr2_name]
    if dimension in OF_NAMES:
        runners += [partial(exact_tests, draws=draws), name_rate_tests]
    found = {
        outcome: [row for runner in runners for row in _run(runner, design, analysis.alpha)]
        for outcome, design in designs.items()
    }
    if dimension in OF_NAMES:
        each = list(designs.values())
        resamples = Resamples(analysis.bootstraps, analysis.seed)
        dealt = randomisation_tests(each, draws)
        drawn = bootstrap_intervals(each, analysis.alpha, resamples)
        for outcome, tests, intervals in zip(designs, dealt, drawn, strict=True):
            found[outcome] += [*tests, *intervals]
    return found


def _run(runner: Runner, design: Design, alpha: float) -> list[Estimate]:
    with heard_warnings() as texts:
        rows = runner(design, alpha)
    return [row.noting(*texts) for row in rows]


def _linear(design: Design, alpha: float, *, dimension: str, margin: float) -> list[Estimate]:
    """The linear model under two covariances, and the equivalence test on the second."""
    between = dimension in OF_TEMPLATES
    reduced = ols_cr2_two_way(design, alpha, template_effects=not between)
    rows = ols_two_way(design, alpha, template_effects=not between)
    rows += [*reduced, *equivalence(reduced, margin=margin, alpha=alpha)]
    return [row.noting(_OTHER_TEMPLATES) for row in rows] if between else rows
