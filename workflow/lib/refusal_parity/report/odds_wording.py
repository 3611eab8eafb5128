"""What was found of refusal propensities, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refusal_parity.counting import counted
from refusal_parity.dimensions import DIMENSIONS
from refusal_parity.report.odds import (
    effects_of,
    odds_interval,
    odds_margins,
    odds_ratio,
    small_rate,
)
from refusal_parity.report.propensity import cautions
from refusal_parity.text import level_words, p_equals, plain
from refusal_parity.vocabulary import Verdict

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs
    from refusal_parity.statistics.answering.finding import Finding

_NOT_PROOF = "This is not evidence that there is none."


def odds_sentences(inputs: ReportInputs, whole: Finding, found: list[Finding]) -> list[str]:
    """The lead, then the details, of one model's odds ratios of one dimension; none names it.

    Args:
        inputs: the study's tables.
        whole: whether the levels differ at all.
        found: each level against the reference.
    """
    model, dimension = str(whole.model), whole.dimension
    if whole.verdict is Verdict.NOT_ESTIMABLE:
        return [f"Not estimable: {plain(whole.reason)}."]
    sentences = [_of_pair(inputs, each) for each in by_size(found)] or [
        _none_shown(inputs, whole, found)
    ]
    return [
        *sentences,
        *(_small(inputs, each) for each in found if each.within_margin),
        *(
            f"Not estimable for {level_words(dimension, each.level)}: {plain(each.reason)}."
            for each in found
            if each.reason is not None
        ),
        *cautions(inputs, model, dimension),
    ]


def by_size(found: list[Finding]) -> tuple[Finding, ...]:
    """Differences that are shown, the largest first."""
    shown = (each for each in found if each.shown)
    return tuple(sorted(shown, key=lambda each: -abs(each.estimate or 0)))


def _of_pair(inputs: ReportInputs, each: Finding) -> str:
    dimension = each.dimension
    level, base = (level_words(dimension, key) for key in (each.level, each.base))
    effect = effects_of(inputs, str(each.model), dimension).get(each.level, {})
    means = (
        f" That is {small_rate(effect['typical_rate_group'])} instead of "
        f"{small_rate(effect['typical_rate_reference'])} at the typical prompt, and "
        f"{small_rate(effect['mean_rate_group'])} instead of "
        f"{small_rate(effect['mean_rate_reference'])} over all prompts."
        if effect.get("mean_rate_group") is not None
        and effect.get("mean_rate_reference") is not None
        else ""
    )
    scope = f"; for {each.scope.words}" if each.scope is not None else ""
    return (
        f"For {level} the odds that a response opens as a refusal are {odds_ratio(each.estimate)} "
        f"times those for {base} ({inputs.confidence} interval "
        f"{odds_interval(each.ci_low, each.ci_high)}; adjusted {p_equals(each.p_adjusted)}{scope})."
        f"{means}"
    )


def _none_shown(inputs: ReportInputs, whole: Finding, found: list[Finding]) -> str:
    levels = DIMENSIONS[whole.dimension].plural
    if whole.verdict is Verdict.EQUIVALENT:
        return f"Every odds ratio between {levels} was shown to lie within {odds_margins(inputs)}."
    p_values = [each.p_adjusted for each in found if each.p_adjusted is not None]
    inside = (
        f" (smallest adjusted {p_equals(min(p_values))} of {counted(len(p_values), 'comparison')})"
        if p_values
        else ""
    )
    return f"No difference between {levels} in the odds was shown{inside}. {_NOT_PROOF}"


def _small(inputs: ReportInputs, each: Finding) -> str:
    return (
        f"For {level_words(each.dimension, each.level)} the odds ratio is shown to lie within "
        f"{odds_margins(inputs)} ({odds_ratio(each.estimate)}; equivalence test: adjusted "
        f"{p_equals(each.p_small)})."
    )
