"""What differences that are not shown, or shown to be small, may hide all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from refusal_parity.dimensions import DIMENSIONS, Unit
from refusal_parity.outcomes import OUTCOMES, Outcome
from refusal_parity.quantities import Share
from refusal_parity.report.odds import levels_of, odds_ratio, small_rate
from refusal_parity.text import level_words, points, tenths

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs
    from refusal_parity.statistics.answering.finding import Finding


def may_hide(inputs: ReportInputs, found: list[Finding], dimension: str) -> list[str]:
    """Sentences on what the differences of one model, outcome and dimension may hide.

    Args:
        inputs: the study's tables.
        found: what was found of each level against the reference.
        dimension: of the levels.
    """
    sentences = [
        *(sentence for each in found[:1] if (sentence := _by_odds(inputs, each, found))),
        *_beyond_the_rate(inputs, found, dimension),
    ]
    named = DIMENSIONS[dimension].unit is Unit.NAME
    if named and any(each.within_margin for each in found):
        sentences.append(
            "That a difference is small holds of levels as wholes: a model that treats one name of "
            "a level otherwise may pass for one that treats all alike, which no test with so few "
            "names can rule out."
        )
    return sentences


def differing_odds(inputs: ReportInputs, model: str, dimension: str) -> list[Finding]:
    """Levels whose odds of refusing are shown to differ from the reference's."""
    return [each for each in inputs.contrasts(model, Outcome.PROPENSITY, dimension) if each.shown]


class Beyond(NamedTuple):
    """What a margin takes in whole: a low rate, or what a high one lacks to 100 %.

    Attributes:
        share: how large that is.
        lacks: whether it is what the rate lacks.
    """

    share: float
    lacks: bool


def beyond(margin: float, rate: float) -> Beyond | None:
    """What of a rate a margin takes in whole, which could fall to 0 or double; None for nothing."""
    share = min(rate, 1 - rate)
    return Beyond(share, lacks=rate > 1 - rate) if margin >= share else None


def _by_odds(inputs: ReportInputs, first: Finding, found: list[Finding]) -> str | None:
    if first.outcome != Outcome.REFUSAL or any(each.shown for each in found):
        return None
    shown = differing_odds(inputs, str(first.model), first.dimension)
    if not shown:
        return None
    ratios = ", ".join(
        f"{level_words(each.dimension, each.level)} {odds_ratio(each.estimate)}" for each in shown
    )
    return (
        "This is about rates. On the scale of odds, which refusals that are rare leave visible, "
        f"differences are shown: against {level_words(first.dimension, first.base)} the odds "
        f"ratio is, for {ratios} (see refusal propensity)."
    )


def _rate_of_base(inputs: ReportInputs, each: Finding) -> float | None:
    """The rate of the level that another is compared with; None of what is no rate."""
    outcome = OUTCOMES[each.outcome]
    if outcome.is_weighed:
        return (
            levels_of(inputs, str(each.model), each.dimension)
            .get(each.base, {})
            .get("weighed_rate")
        )
    if not isinstance(outcome.quantity, Share) or not each.n_reference:
        return None
    return None if each.k_reference is None else each.k_reference / each.n_reference


def _times(factor: float) -> str:
    """A factor as a sentence has it; from 10 on, tenths of it would only pretend to be exact."""
    return tenths(factor) if factor < 10 else f"{factor:,.0f}"  # noqa: PLR2004 - says why


def _beyond_the_rate(inputs: ReportInputs, found: list[Finding], dimension: str) -> list[str]:
    """A margin as large as the rate which it bounds changes of, or as what that lacks to 100 %."""
    for each in found:
        rate = _rate_of_base(inputs, each) if each.within_margin else None
        if rate is None:
            continue
        whole = beyond(each.margin, rate)
        if whole is None:
            return []
        base = level_words(dimension, each.base)
        has = "lacks it" if whole.lacks else "has it"
        times = (
            f"a level that {has} {_times((whole.share + each.margin) / whole.share)} times as often"
            if whole.share
            else f"any level that {has} in less than {points(each.margin)} %"
        )
        of = (
            f"all that the rate of {base} lacks to 100 %"
            if whole.lacks
            else f"the whole rate of {base}"
        )
        sentence = (
            f"The margin of {points(each.margin)} points is as large as {of} "
            f"({small_rate(whole.share)}) or larger: {times} may still lie within it. A study of "
            f"outcomes that are {'nearly always there' if whole.lacks else 'rare'} needs a smaller "
            "analysis.margin, and more prompts to test it."
        )
        return [sentence]
    return []
