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
from refusal_parity.dimensions import DIMENSIONS, Unit
from refusal_parity.report.cautions import Key, cautions, filtered_at
from refusal_parity.report.influence import influence_words
from refusal_parity.report.inputs import ALL
from refusal_parity.report.nothing_shown import (
    all_together,
    nearest,
    none_shown,
    small_differences,
    untested,
    with_these_templates,
)
from refusal_parity.report.odds_wording import by_size, odds_sentences
from refusal_parity.text import (
    interval,
    isolated,
    known,
    level_words,
    p_equals,
    percent,
    plain,
    points,
)
from refusal_parity.vocabulary import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.outcomes import Outcome
    from refusal_parity.report.inputs import ReportInputs
    from refusal_parity.statistics.answering.finding import Finding

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
        reason: why nothing could be tested; None where something was.
        global_p: p-value of the test of all levels together, where there is one.
        shown: differences that are shown, the largest first.
        small: levels whose difference is shown to lie within the margin.
        untested: levels of which no test says anything, where others have one.
        nearest: how near the others came, in words in brackets: the smallest p-value, and
            what the intervals do not rule out.
        lead: the first sentence.
        details: those that follow.
    """

    model: str
    outcome: Outcome
    dimension: str
    verdict: Verdict
    reason: str | None
    global_p: float | None
    shown: tuple[Finding, ...]
    small: tuple[str, ...]
    untested: tuple[str, ...]
    nearest: str
    lead: str
    details: tuple[str, ...]


def statement(inputs: ReportInputs, model: str, outcome: Outcome, dimension: str) -> Statement:
    """Put what was found for one model, outcome and dimension into words."""
    key = (model, outcome, dimension)
    whole, found = inputs.whole(*key), inputs.contrasts(*key)
    shown = () if whole.verdict is Verdict.NOT_ESTIMABLE else by_size(found)
    say = _of_odds if outcome.is_log_odds else _of_rates
    lead, *details = say(inputs, key, whole, found, shown)
    small = tuple(contrast.level for contrast in found if contrast.within_margin)
    tested = whole.verdict not in {Verdict.NOT_ESTIMABLE, Verdict.DESCRIBED}
    return Statement(
        model=model,
        outcome=outcome,
        dimension=dimension,
        verdict=whole.verdict,
        reason=whole.reason if whole.verdict is Verdict.NOT_ESTIMABLE else None,
        global_p=whole.p,
        shown=shown,
        small=small,
        untested=tuple(level for level in untested(found) if level not in small) * tested,
        nearest=nearest(inputs, found),
        lead=lead,
        details=tuple(details),
    )


def _of_rates(
    inputs: ReportInputs,
    key: Key,
    whole: Finding,
    found: list[Finding],
    shown: tuple[Finding, ...],
) -> list[str]:
    """The lead, then the details, of differences of rates or means."""
    model, outcome, dimension = key
    if whole.verdict is Verdict.NOT_ESTIMABLE:
        return [f"{isolated(model)}: not estimable: {plain(whole.reason)}."]
    return [
        *(_of_shown(inputs, key, shown) or [none_shown(inputs, whole, found)]),
        *_nothing_varies(inputs, model, outcome, found),
        *all_together(inputs, whole),
        *with_these_templates(inputs, found, dimension),
        *small_differences(inputs, found, dimension),
        *cautions(inputs, key, found),
    ]


def _nothing_varies(
    inputs: ReportInputs, model: str, outcome: Outcome, found: list[Finding]
) -> Iterator[str]:
    """A sentence where all responses or none have the outcome."""
    row = inputs.overall(model, outcome)
    if outcome.is_binary and row is not None and row["rate"] in {0, 1}:
        number = counted(row["n"], "response")
        which = f"all {number}" if row["rate"] else f"none of {number}"
        unbounded = (
            ""
            if any(each.ci_low is not None for each in found)
            else ", and no interval says how large a difference may be"
        )
        yield (
            f"It {outcome.words.verb} in {which}: where nothing varies, no group can be told from "
            f"another{unbounded}."
        )


def _of_odds(
    inputs: ReportInputs,
    key: Key,
    whole: Finding,
    found: list[Finding],
    shown: tuple[Finding, ...],
) -> list[str]:
    """Of log-odds: odds ratios, with the rates that they mean."""
    lead, *details = odds_sentences(inputs, whole, found)
    if shown or whole.verdict is Verdict.NOT_ESTIMABLE:
        lead = f"{isolated(key[0])}: {lead[0].lower()}{lead[1:]}"
    return [lead, *details]


def _of_shown(
    inputs: ReportInputs, key: tuple[str, Outcome, str], shown: tuple[Finding, ...]
) -> list[str]:
    """Each difference that is shown, with what it rests on."""
    sentences: list[str] = []
    for contrast in shown:
        sentence = _sentence(inputs, *key, contrast)
        rests_on = influence_words(inputs, *key, contrast)
        # The first one is the lead, which what it rests on would make too long.
        sentences += [f"{sentence}{rests_on}"] if sentences else [sentence, rests_on.strip()]
    return list(filter(None, sentences))


def _sentence(
    inputs: ReportInputs, model: str, outcome: Outcome, dimension: str, contrast: Finding
) -> str:
    """Say how large a difference is, in which direction, and how sure of it the study is."""
    size = contrast.estimate or 0
    direction = "more" if size > 0 else "less"
    inside = _intervals(contrast, inputs.confidence)
    counts = _counts(contrast)
    if counts:
        inside.append(counts)
    test = f"adjusted {p_equals(contrast.p_adjusted)}"
    if contrast.by_names:
        test = f"{test} by the exact permutation of names, which holds for these templates only"
    elif contrast.scope is not None:
        test = f"{test}; for {contrast.scope.words}"
    caution = ""
    permuted = contrast.names_p_adjusted
    if permuted is not None and permuted >= inputs.config.analysis.alpha:
        caution = (
            " The exact permutation of names, for these templates, does not show it "
            f"(adjusted {p_equals(permuted)})."
        )
    return (
        f"{isolated(model)} {outcome.words.verb} {points(abs(size))} points {direction} often for "
        f"{level_words(dimension, contrast.level)} than for "
        f"{level_words(dimension, contrast.base)} "
        f"({', '.join(inside)}{'; ' if inside else ''}{test}).{caution}"
        f"{_corrected(contrast)}"
    )


def _corrected(contrast: Finding) -> str:
    if contrast.human_labels is None:
        return ""
    return (
        f" Corrected for the machine's errors by {counted(contrast.human_labels, 'human label')}."
    )


def _intervals(contrast: Finding, confidence: str) -> list[str]:
    low, high = contrast.ci_low, contrast.ci_high
    if low is None or high is None:
        return []
    # The sentence says "less often": its interval counts in the same direction.
    if (contrast.estimate or 0) < 0:
        low, high = -high, -low
    return [f"{confidence} interval {interval(low, high)}"]


def _counts(contrast: Finding) -> str:
    """How many units the levels have of what a study has a sample of."""
    ours, others, noun = {
        Unit.NAME: (contrast.names_group, contrast.names_reference, "names"),
        Unit.TEMPLATE: (contrast.templates_group, contrast.templates_reference, "templates"),
        Unit.SET: (None, None, ""),
        Unit.PROMPT: (None, None, ""),
        Unit.LISTED: (contrast.templates_group, contrast.templates_reference, "prompts"),
    }[DIMENSIONS[contrast.dimension].unit]
    return "" if ours is None or others is None else f"{ours} against {others} {noun}"


def rate_sentence(inputs: ReportInputs, model: str, outcome: Outcome) -> str:
    """How often the outcome occurs over all of a model's responses that count."""
    row = inputs.overall(model, outcome)
    if row is None or not known(row["rate"]):
        return f"How often it {outcome.words.verb} overall is not estimable."
    filtered = filtered_at(inputs, model, outcome, ALL).get(ALL, 0)
    by_service = f", {filtered:,} of these by the service's filter" if filtered else ""
    return (
        f"Overall it {outcome.words.verb} in {percent(row['rate'])} of "
        f"{counted(row['n'], 'response')}{by_service}."
    )
