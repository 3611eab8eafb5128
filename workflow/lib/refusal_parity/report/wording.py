"""The answer in plain words, made from the tables.

A sentence claims no more than its test: a difference is named where the
corrected test of its pair shows it, it is called small only where the
equivalence test shows that, what was not shown is never called absent, and
what could not be estimated is said to be so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from refusal_parity.counting import counted
from refusal_parity.dimensions import DIMENSIONS
from refusal_parity.outcomes import OUTCOMES
from refusal_parity.report.cautions import cautions, filtered_at
from refusal_parity.report.difference_wording import (
    difference_sentence,
    margin_words,
    small_differences,
    with_these_templates,
)
from refusal_parity.report.influence import influence_words
from refusal_parity.report.inputs import ALL
from refusal_parity.report.odds_wording import by_size, odds_sentences
from refusal_parity.statistics.methods import METHODS
from refusal_parity.text import (
    interval,
    isolated,
    known,
    p_equals,
    percent,
    plain,
)
from refusal_parity.vocabulary import Verdict

if TYPE_CHECKING:
    from refusal_parity.outcomes import Outcome
    from refusal_parity.report.inputs import ReportInputs
    from refusal_parity.statistics.answering.finding import Finding

_NOT_PROOF: Final = "This is not evidence that there is none."

VERDICTS: Final = {
    Verdict.SHOWN: "Difference shown",
    Verdict.EQUIVALENT: "Shown to be small",
    Verdict.NOT_SHOWN: "No difference shown",
    Verdict.DESCRIBED: "Description, no finding",
    Verdict.NOT_ESTIMABLE: "Not estimable",
}


@dataclass(frozen=True, kw_only=True)
class Statement:
    """The answer for one model, outcome and dimension, in words.

    Attributes:
        model: its key.
        outcome: what was compared.
        dimension: between whose levels.
        verdict: of all comparisons together.
        global_p: p-value of the test of all levels together, where there is one.
        shown: differences that are shown, the largest first.
        small: levels whose difference is shown to lie within the margin.
        nearest: how near the others came, in words in brackets: the smallest p-value, and
            what the intervals do not rule out.
        lead: the first sentence.
        details: those that follow.
    """

    model: str
    outcome: Outcome
    dimension: str
    verdict: Verdict
    global_p: float | None
    shown: tuple[Finding, ...]
    small: tuple[str, ...]
    nearest: str
    lead: str
    details: tuple[str, ...]


def statement(inputs: ReportInputs, model: str, outcome: Outcome, dimension: str) -> Statement:
    """Put what was found for one model, outcome and dimension into words."""
    key = (model, outcome, dimension)
    whole, found = inputs.whole(*key), inputs.contrasts(*key)
    shown: tuple[Finding, ...] = ()
    if outcome.is_log_odds:
        return _of_odds(inputs, whole, found, outcome)
    small = tuple(contrast.level for contrast in found if contrast.within_margin)
    if whole.verdict is Verdict.NOT_ESTIMABLE:
        lead, details = f"{isolated(model)}: not estimable: {plain(whole.reason)}.", []
    else:
        shown = by_size(found)
        sentences = _of_shown(inputs, key, shown)
        narrow = with_these_templates(inputs, found, dimension)
        lead = _lead(inputs, whole, found, shown=bool(shown))
        if not lead:
            lead, *sentences = sentences
        details = [
            *filter(None, sentences),
            *_together(inputs, whole),
            *narrow,
            *small_differences(inputs, found, dimension),
            *cautions(inputs, key, found),
        ]
    return Statement(
        model=model,
        outcome=outcome,
        dimension=dimension,
        verdict=whole.verdict,
        global_p=whole.p,
        shown=shown,
        small=small,
        nearest=_nearest(inputs, found),
        lead=lead,
        details=tuple(details),
    )


def _of_odds(
    inputs: ReportInputs, whole: Finding, found: list[Finding], outcome: Outcome
) -> Statement:
    """Of log-odds: odds ratios, with the rates that they mean."""
    lead, *details = odds_sentences(inputs, whole, found)
    return Statement(
        model=str(whole.model),
        outcome=outcome,
        dimension=whole.dimension,
        verdict=whole.verdict,
        global_p=whole.p,
        shown=by_size(found),
        small=tuple(contrast.level for contrast in found if contrast.within_margin),
        nearest=_nearest(inputs, found),
        lead=lead,
        details=tuple(details),
    )


def _of_shown(
    inputs: ReportInputs, key: tuple[str, Outcome, str], shown: tuple[Finding, ...]
) -> list[str]:
    """Each difference that is shown, with what it rests on."""
    sentences: list[str] = []
    for contrast in shown:
        sentence = difference_sentence(inputs, *key, contrast)
        rests_on = influence_words(inputs, *key, contrast)
        # The first one is the lead, which what it rests on would make too long.
        sentences += [f"{sentence}{rests_on}"] if sentences else [sentence, rests_on.strip()]
    return sentences


def _lead(inputs: ReportInputs, whole: Finding, found: list[Finding], *, shown: bool) -> str:
    """What one family of tests says, and for what; empty where the largest difference leads."""
    if shown:
        return ""
    holds = _holds_for(found)
    if whole.verdict is Verdict.EQUIVALENT:
        return f"Every difference{holds} was shown to be smaller than {margin_words(inputs)}."
    levels = DIMENSIONS[whole.dimension].plural
    return f"No difference between {levels} was shown{holds}{_nearest(inputs, found)}. {_NOT_PROOF}"


def _nearest(inputs: ReportInputs, found: list[Finding]) -> str:
    """The smallest p-value of some comparisons and what they do not rule out, in brackets."""
    p_values = [each.p_adjusted for each in found if each.p_adjusted is not None]
    if not p_values:
        return ""
    of_all = f" of {counted(len(p_values), 'comparison')}" if len(p_values) > 1 else ""
    smallest = "smallest adjusted" if of_all else "adjusted"
    left = _not_ruled_out(inputs, found)
    return f" ({smallest} {p_equals(min(p_values))}{of_all}{left})"


def _not_ruled_out(inputs: ReportInputs, found: list[Finding]) -> str:
    """How large the differences of rates may be, by the intervals of those that have one."""
    tested = [
        each for each in found if each.p_adjusted is not None and OUTCOMES[each.outcome].is_binary
    ]
    ends = [
        (each.ci_low, each.ci_high)
        for each in tested
        if each.ci_low is not None and each.ci_high is not None
    ]
    if not ends:
        return ""
    reach = interval(min(low for low, _ in ends), max(high for _, high in ends))
    if len(tested) == 1:
        return f"; {inputs.confidence} interval {reach} points"
    rest = len(tested) - len(ends)
    without = f", {rest} without one" if rest else ""
    return f"; {inputs.confidence} intervals from {reach} points{without}"


def _holds_for(found: list[Finding]) -> str:
    """To what the tests that decide generalise, as words after a noun."""
    scopes = dict.fromkeys(str(each.scope) for each in found if each.scope is not None)
    return f" for {' or '.join(scopes)}" if scopes else ""


def _together(inputs: ReportInputs, whole: Finding) -> list[str]:
    """What the test of all levels says where no single one is shown."""
    if whole.verdict is Verdict.SHOWN or whole.method is None or whole.p is None:
        return []
    if whole.p >= inputs.config.analysis.alpha:
        return []
    sentence = (
        f"The test of all {DIMENSIONS[whole.dimension].plural} together has "
        f"{p_equals(whole.p)} ({METHODS[whole.method].heading}). It holds for {whole.scope} "
        "and decides nothing: the single comparisons do."
    )
    return [sentence]


def rate_sentence(inputs: ReportInputs, model: str, outcome: Outcome) -> str:
    """How often the outcome occurs over all of a model's responses that count."""
    row = inputs.overall(model, outcome)
    if row is None or not known(row["rate"]):
        return f"Overall it {outcome.words.verb} at a rate that is not estimable."
    filtered = filtered_at(inputs, model, outcome, ALL).get(ALL, 0)
    by_service = f", {filtered:,} of these by the service's filter" if filtered else ""
    return (
        f"Overall it {outcome.words.verb} in {percent(row['rate'])} of "
        f"{counted(row['n'], 'response')}{by_service}."
    )
