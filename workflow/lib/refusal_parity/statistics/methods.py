"""Which methods suit a dimension, and all of them run on its counts."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from refusal_parity.dimensions import DIMENSIONS, Unit
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
    from refusal_parity.outcomes import Outcome
    from refusal_parity.statistics.design import Design

    Runner = Callable[[Design, float], list[Estimate]]

_RISK: Final = (Estimand.RISK_DIFFERENCE,)
_TESTED_RISK: Final = (Estimand.RISK_DIFFERENCE, Estimand.GLOBAL)

_ESTIMANDS: Final[dict[Method, tuple[Estimand, ...]]] = {
    Method.NEWCOMBE: _RISK,
    Method.KATZ: (Estimand.RISK_RATIO,),
    Method.CHI_SQUARE: _TESTED_RISK,
    Method.MANTEL_HAENSZEL: (Estimand.ODDS_RATIO, Estimand.GLOBAL),
    Method.OLS_TWO_WAY: _TESTED_RISK,
    Method.EQUIVALENCE: _RISK,
    **dict.fromkeys(LOGISTIC, (Estimand.ODDS_RATIO, Estimand.GLOBAL)),
    Method.OLS_CR2_NAME: _TESTED_RISK,
    Method.OLS_CR2_TWO_WAY: _RISK,
    Method.PERMUTATION_NAMES: (Estimand.GLOBAL,),
    Method.PERMUTATION_NAMES_F: (Estimand.GLOBAL,),
    Method.PERMUTATION_NAMES_EXACT: _RISK,
    Method.WELCH_NAMES: _RISK,
    Method.ANOVA_NAMES: (Estimand.GLOBAL,),
    Method.BOOTSTRAP_NAMES: _RISK,
    Method.BOOTSTRAP_PIGEONHOLE: _RISK,
}
"""What each method gives: one row for each pair of levels, one global row, or both."""

_BINARY: Final = frozenset(
    {Method.NEWCOMBE, Method.KATZ, Method.CHI_SQUARE, Method.MANTEL_HAENSZEL, *LOGISTIC}
)
"""Methods that need counts of yes and no."""

_OTHER_TEMPLATES: Final = (
    "levels are of templates: other sentences are compared, without template effects"
)


def methods_for(dimension: str, outcome: Outcome) -> dict[Method, tuple[Estimand, ...]]:
    """The methods that make sense for a dimension and outcome, and what each estimates.

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
    left_out = (
        (within_templates if DIMENSIONS[dimension].unit is Unit.TEMPLATE else set())
        | (set() if DIMENSIONS[dimension].unit is Unit.NAME else over_names)
        | (set() if outcome.is_binary else _BINARY)
    )
    return {
        method: tuple(_read(estimand, outcome) for estimand in estimands)
        for method, estimands in _ESTIMANDS.items()
        if method not in left_out
    }


def _read(estimand: Estimand, outcome: Outcome) -> Estimand:
    """A difference of means is one of rates where the outcome is yes or no."""
    is_risk = estimand is Estimand.RISK_DIFFERENCE
    return Estimand.MEAN_DIFFERENCE if is_risk and not outcome.is_binary else estimand


def run_methods(
    designs: Mapping[Outcome, Design], dimension: str, analysis: AnalysisConfig
) -> dict[Outcome, list[Estimate]]:
    """Run all methods that suit a dimension.

    Args:
        designs: counts of each outcome, of the same labelled responses, with
            two levels or more; of yes-or-no outcomes, or of one mean.
        dimension: what the levels are.
        analysis: alpha, margins, permutations, bootstraps and seed.

    Returns:
        The estimates of each outcome; a library's warnings stand in their notes.
    """
    draws = Draws(analysis.permutations, analysis.seed)
    binary = all(outcome.is_binary for outcome in designs)
    margin = analysis.margin_of(next(iter(designs)))
    runners: list[Runner] = [newcombe, katz, chi_square] if binary else []
    runners.append(partial(_linear, dimension=dimension, margin=margin))
    if DIMENSIONS[dimension].unit is not Unit.TEMPLATE:
        if binary:
            runners += [mantel_haenszel, *(partial(logistic, method=each) for each in LOGISTIC)]
        runners.append(ols_cr2_name)
    if DIMENSIONS[dimension].unit is Unit.NAME:
        runners += [partial(exact_tests, draws=draws), name_rate_tests]
    found = {
        outcome: [row for runner in runners for row in _run(runner, design, analysis.alpha)]
        for outcome, design in designs.items()
    }
    if DIMENSIONS[dimension].unit is Unit.NAME:
        each = list(designs.values())
        resamples = Resamples(analysis.bootstraps, analysis.seed)
        dealt = randomisation_tests(each, draws)
        drawn = bootstrap_intervals(each, analysis.alpha, resamples)
        for outcome, tests, intervals in zip(designs, dealt, drawn, strict=True):
            found[outcome] += [*tests, *intervals]
    return {
        outcome: [replace(row, estimand=_read(row.estimand, outcome)) for row in rows]
        for outcome, rows in found.items()
    }


def _run(runner: Runner, design: Design, alpha: float) -> list[Estimate]:
    with heard_warnings() as texts:
        rows = runner(design, alpha)
    return [row.noting(*texts) for row in rows]


def _linear(design: Design, alpha: float, *, dimension: str, margin: float) -> list[Estimate]:
    """The linear model under two covariances, and the equivalence test on the second."""
    between = DIMENSIONS[dimension].unit is Unit.TEMPLATE
    reduced = ols_cr2_two_way(design, alpha, template_effects=not between)
    rows = ols_two_way(design, alpha, template_effects=not between)
    rows += [*reduced, *equivalence(reduced, margin=margin, alpha=alpha)]
    return [row.noting(_OTHER_TEMPLATES) for row in rows] if between else rows
