"""Which methods suit a dimension, and all of them run on its counts."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from refusal_parity.dimensions import DIMENSIONS, Unit
from refusal_parity.statistics.bootstrap import METHODS as BOOTSTRAPS
from refusal_parity.statistics.bootstrap import Resamples, bootstrap_intervals
from refusal_parity.statistics.cr2 import ols_cr2_name
from refusal_parity.statistics.cr2_two_way import ols_cr2_two_way
from refusal_parity.statistics.equivalence import equivalence
from refusal_parity.statistics.exact import exact_tests
from refusal_parity.statistics.failures import Guard, guarded
from refusal_parity.statistics.linear import ols_two_way
from refusal_parity.statistics.logistic import METHODS as LOGISTIC
from refusal_parity.statistics.logistic import logistic
from refusal_parity.statistics.mantel_haenszel import mantel_haenszel
from refusal_parity.statistics.name_rates import anova_names, welch_names
from refusal_parity.statistics.proportions import chi_square, katz, newcombe
from refusal_parity.statistics.randomisation import Draws, randomisation_tests
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.outcomes import Outcome
    from refusal_parity.statistics.design import Design
    from refusal_parity.statistics.results import Estimate

    Runner = Callable[[Design, float], list[Estimate]]
    Batch = Callable[[list[Design]], list[list[Estimate]]]

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

_LINEAR: Final = frozenset({Method.OLS_TWO_WAY, Method.OLS_CR2_TWO_WAY, Method.EQUIVALENCE})
"""Methods that compare levels of templates too."""

_OTHER_TEMPLATES: Final = (
    "levels are of templates: other sentences are compared, without template effects"
)


def methods_for(dimension: str, outcome: Outcome) -> dict[Method, tuple[Estimand, ...]]:
    """The methods that make sense for a dimension and outcome, and what each estimates.

    Levels of templates leave nothing to compare within templates, and only
    levels of names can be permuted, or drawn anew within levels, over names.
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
    designs: Mapping[Outcome, Design],
    dimension: str,
    analysis: AnalysisConfig,
    guard: Guard | None = None,
) -> dict[Outcome, list[Estimate]]:
    """Run all methods that suit a dimension.

    One that fails numerically gives rows without numbers, and the others go on.

    Args:
        designs: counts of each outcome, of the same labelled responses, with
            two levels or more; of yes-or-no outcomes, or of one mean.
        dimension: what the levels are.
        analysis: alpha, margins, permutations, bootstraps and seed.
        guard: of one model and dimension, to be told of failures.
    """
    guard = guard or Guard()
    found: dict[Outcome, list[Estimate]] = {}
    for outcome, design in designs.items():
        suited = methods_for(dimension, outcome)
        runners = _alone(dimension, outcome, analysis)
        found[outcome] = [
            row
            for method in suited.keys() & runners.keys()
            for row in guarded(
                guard.of(str(outcome)),
                {method: _ESTIMANDS[method]},
                design.levels,
                partial(runners[method], design, analysis.alpha),
            )
        ]
    if DIMENSIONS[dimension].unit is Unit.NAME:
        for methods, runner in _over_draws(analysis).items():
            for outcome, rows in _together(designs, methods, runner, guard).items():
                found[outcome] += rows
    between = _OTHER_TEMPLATES if DIMENSIONS[dimension].unit is Unit.TEMPLATE else None
    return {
        outcome: [
            replace(row, estimand=_read(row.estimand, outcome)).noting(
                between if row.method in _LINEAR else None
            )
            for row in rows
        ]
        for outcome, rows in found.items()
    }


def _alone(dimension: str, outcome: Outcome, analysis: AnalysisConfig) -> dict[Method, Runner]:
    """The methods that take one outcome at a time."""
    draws = Draws(analysis.permutations, analysis.seed)
    margin = analysis.margin_of(outcome)
    effects = DIMENSIONS[dimension].unit is not Unit.TEMPLATE
    two_way = partial(ols_cr2_two_way, template_effects=effects)

    def shown_to_be_small(design: Design, alpha: float) -> list[Estimate]:
        return equivalence(two_way(design, alpha), margin=margin, alpha=alpha)

    return {
        Method.NEWCOMBE: newcombe,
        Method.KATZ: katz,
        Method.CHI_SQUARE: chi_square,
        Method.MANTEL_HAENSZEL: mantel_haenszel,
        Method.OLS_TWO_WAY: partial(ols_two_way, template_effects=effects),
        Method.OLS_CR2_TWO_WAY: two_way,
        Method.EQUIVALENCE: shown_to_be_small,
        Method.OLS_CR2_NAME: ols_cr2_name,
        **{method: partial(logistic, method=method) for method in LOGISTIC},
        Method.PERMUTATION_NAMES_EXACT: partial(exact_tests, draws=draws),
        Method.WELCH_NAMES: welch_names,
        Method.ANOVA_NAMES: anova_names,
    }


def _over_draws(analysis: AnalysisConfig) -> dict[tuple[Method, ...], Batch]:
    """The methods over names whose random draws all outcomes share."""
    draws = Draws(analysis.permutations, analysis.seed)
    resamples = Resamples(analysis.bootstraps, analysis.seed)
    bootstraps: dict[tuple[Method, ...], Batch] = {
        (method,): partial(
            bootstrap_intervals, alpha=analysis.alpha, resamples=resamples, method=method
        )
        for method in BOOTSTRAPS
    }
    permuted = (Method.PERMUTATION_NAMES, Method.PERMUTATION_NAMES_F)
    return {permuted: partial(randomisation_tests, draws=draws), **bootstraps}


def _together(
    designs: Mapping[Outcome, Design], methods: tuple[Method, ...], runner: Batch, guard: Guard
) -> dict[Outcome, list[Estimate]]:
    """All outcomes at once, or one by one where one of them fails."""
    each = list(designs.values())
    found = Guard().run("", lambda: runner(each), lambda _: None)
    return {
        outcome: guarded(
            guard.of(str(outcome)),
            {method: _ESTIMANDS[method] for method in methods},
            design.levels,
            partial(found.__getitem__, at) if found else partial(_first, runner, design),
        )
        for at, (outcome, design) in enumerate(designs.items())
    }


def _first(runner: Batch, design: Design) -> list[Estimate]:
    return runner([design])[0]
