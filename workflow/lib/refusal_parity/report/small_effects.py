"""What differences that are not shown, or shown to be small, may hide all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refusal_parity.dimensions import DIMENSIONS, Unit
from refusal_parity.outcomes import OUTCOMES, Outcome
from refusal_parity.quantities import Share
from refusal_parity.report.odds import odds_ratio, small_rate
from refusal_parity.text import level_words, points, ratio

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
        *_beyond_the_rate(found, dimension),
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


def is_beyond(margin: float, rate: float) -> bool:
    """Whether a margin takes in all that a rate could do: fall to 0, or double."""
    return margin >= rate


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


def _beyond_the_rate(found: list[Finding], dimension: str) -> list[str]:
    """A margin that is as large as the rate which it bounds changes of."""
    for each in found:
        share = isinstance(OUTCOMES[each.outcome].quantity, Share)
        if not (each.within_margin and share and each.n_reference) or each.k_reference is None:
            continue
        rate = each.k_reference / each.n_reference
        if not is_beyond(each.margin, rate):
            return []
        base = level_words(dimension, each.base)
        times = (
            f"a level that has it {ratio((rate + each.margin) / rate)} times as often"
            if rate
            else f"any level that has it in less than {points(each.margin)} %"
        )
        sentence = (
            f"The margin of {points(each.margin)} points is as large as the whole rate of {base} "
            f"({small_rate(rate)}) or larger: {times} may still lie within it. A study of rare "
            "outcomes needs a smaller `analysis.margin`, and more prompts to test it."
        )
        return [sentence]
    return []
