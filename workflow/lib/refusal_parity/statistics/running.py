"""The methods that suit a dimension and outcome, run on a study's counts."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from refusal_parity.dimensions import DIMENSIONS, Unit
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.failures import Guard, guarded
from refusal_parity.statistics.methods import METHODS
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.outcomes import Outcome
    from refusal_parity.statistics.designs.counts import Design
    from refusal_parity.statistics.designs.kinds import DesignKind
    from refusal_parity.statistics.registry import Method
    from refusal_parity.statistics.results import Estimate


def methods_for(
    dimension: str, outcome: Outcome, kind: DesignKind, *, primary: bool = False
) -> dict[Method, tuple[Estimand, ...]]:
    """The methods of machine labels that suit, and what each estimates; the narrowest scope first.

    A difference of means is one of rates where the outcome is yes or no.

    Args:
        dimension: what the levels are.
        outcome: what is compared.
        kind: how the units stand to each other.
        primary: whether these two are those of the primary family.
    """
    suited = [
        method
        for method in METHODS.values()
        if method.run is not None
        and method.suits(dimension, outcome, kind)
        and (primary or not method.needs.primary)
    ]
    order = list(Scope)
    return {
        method: tuple(_read(estimand, outcome) for estimand in method.estimands)
        for method in sorted(suited, key=lambda method: order.index(method.scope))
    }


def _read(estimand: Estimand, outcome: Outcome) -> Estimand:
    is_risk = estimand is Estimand.RISK_DIFFERENCE
    return Estimand.MEAN_DIFFERENCE if is_risk and not outcome.is_rate else estimand


def run_methods(
    designs: Mapping[Outcome, Design],
    dimension: str,
    analysis: AnalysisConfig,
    guard: Guard | None = None,
) -> dict[Outcome, list[Estimate]]:
    """Run all methods that suit a dimension, each on all outcomes at once.

    One that fails numerically is run on each outcome alone; where it still fails it
    gives rows without numbers, and the others go on.

    Args:
        designs: counts of each outcome, of the same labelled responses, with
            two levels or more; of yes-or-no outcomes, or of one mean.
        dimension: what the levels are.
        analysis: alpha, margins, permutations, bootstraps and seed.
        guard: of one model and dimension, to be told of failures.
    """
    found: dict[Outcome, list[Estimate]] = {outcome: [] for outcome in designs}
    studies = _studies(list(designs.values()), dimension)
    first = next(iter(designs))
    chosen = {
        outcome: design
        for outcome, design in designs.items()
        if analysis.is_primary(outcome, dimension)
    }
    kind = designs[first].kind
    for method in methods_for(dimension, first, kind, primary=bool(chosen)):
        given, counted = designs, studies
        if method.needs.primary:
            given, counted = chosen, _studies(list(chosen.values()), dimension)
        rows = _of_method(method, given, dimension, analysis, guard or Guard(), counted)
        for outcome in given:
            found[outcome] += rows[outcome]
    return found


def run_method(  # noqa: PLR0913, PLR0917 - what a method is run on
    method: Method,
    design: Design,
    dimension: str,
    outcome: Outcome,
    analysis: AnalysisConfig,
    guard: Guard,
) -> list[Estimate]:
    """Run one method on one outcome; see `run_methods`."""
    studies = _studies([design], dimension)
    return _of_method(method, {outcome: design}, dimension, analysis, guard, studies)[outcome]


def _of_method(  # noqa: PLR0913, PLR0917 - likewise
    method: Method,
    designs: Mapping[Outcome, Design],
    dimension: str,
    analysis: AnalysisConfig,
    guard: Guard,
    studies: Studies,
) -> dict[Outcome, list[Estimate]]:
    outcomes = list(designs)
    run = partial(_rows, method, analysis)
    all_rows = Guard().run("", partial(run, studies, outcomes), lambda _: None)
    found = {}
    for at, (outcome, design) in enumerate(designs.items()):
        compute = (
            partial(_alone, run, _studies([design], dimension), outcome)
            if all_rows is None
            else partial(all_rows.__getitem__, at)
        )
        found[outcome] = [
            replace(row, estimand=_read(row.estimand, outcome))
            for row in guarded(guard.of(str(outcome)), [method], design.levels, compute)
        ]
    return found


def _studies(designs: list[Design], dimension: str) -> Studies:
    return Studies.of(designs, template_effects=DIMENSIONS[dimension].unit is not Unit.TEMPLATE)


def _rows(
    method: Method, analysis: AnalysisConfig, studies: Studies, outcomes: list[Outcome]
) -> list[list[Estimate]]:
    """The rows of each outcome; all of them have one margin."""
    assert method.run is not None  # noqa: S101 - of `methods_for`
    setting = Setting(
        analysis.alpha,
        analysis.margin_of(outcomes[0]),
        Draws(analysis.permutations, analysis.seed),
        Resamples(analysis.bootstraps, analysis.seed),
        binary=outcomes[0].is_binary,
        across_models=analysis.across_models != "none",
    )
    answers = method.run(studies, setting)
    return [[row for each in answers for row in each.of_study(at)] for at in range(len(outcomes))]


def _alone(
    run: Callable[[Studies, list[Outcome]], list[list[Estimate]]],
    studies: Studies,
    outcome: Outcome,
) -> list[Estimate]:
    return run(studies, [outcome])[0]
