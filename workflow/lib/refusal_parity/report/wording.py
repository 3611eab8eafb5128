"""The answer in plain words, made from the tables.

A sentence claims no more than its test: a difference is named where the
corrected test of its pair shows it, it is called small only where the
equivalence test shows that, what was not shown is never called absent, and
what could not be estimated is said to be so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from refusal_parity.dimensions import DIMENSIONS, Unit
from refusal_parity.report.cautions import cautions, filtered_at
from refusal_parity.report.contrasts import (
    Contrast,
    GlobalTest,
    contrasts,
    global_test,
    reason_of,
)
from refusal_parity.report.influence import influence_words
from refusal_parity.report.inputs import ALL
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

if TYPE_CHECKING:
    from refusal_parity.outcomes import Outcome
    from refusal_parity.report.inputs import ReportInputs

_NOT_PROOF: Final = "This is not evidence that there is none."
_COUNTED: Final = {
    Unit.NAME: ("n_names", "names"),
    Unit.TEMPLATE: ("n_templates", "templates"),
    Unit.PROMPT: (None, ""),
}
"""How many units of a level there are: the column of the rates, and their name."""


class Verdict(StrEnum):
    """What a study can say about one model, outcome and dimension."""

    SHOWN = "Difference shown"
    SMALL = "Shown to be small"
    NOT_SHOWN = "No difference shown"
    NOT_ESTIMABLE = "Not estimable"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The answer for one model, outcome and dimension."""

    model: str
    outcome: Outcome
    dimension: str
    verdict: Verdict
    global_p: float | None
    shown: tuple[Contrast, ...]
    small: tuple[str, ...]
    lead: str
    details: tuple[str, ...]


def finding(inputs: ReportInputs, model: str, outcome: Outcome, dimension: str) -> Finding:
    """Put the result for one model, outcome and dimension into words."""
    key = (model, outcome, dimension)
    test = global_test(inputs, model, outcome, dimension)
    global_p = test.p_value
    found = contrasts(inputs, model, outcome, dimension)
    shown = tuple(
        sorted(
            (contrast for contrast in found if contrast.shown),
            key=lambda contrast: -abs(contrast.estimate or 0),
        )
    )
    alpha = inputs.config.analysis.alpha
    # Without a global test the corrected tests of the pairs decide alone.
    significant = global_p < alpha if global_p is not None else bool(shown)
    tested = global_p is not None or any(contrast.p_adjusted is not None for contrast in found)
    sentences: list[str] = []
    for contrast in shown:
        sentence = _sentence(inputs, model, outcome, dimension, contrast)
        rests_on = influence_words(inputs, model, outcome, dimension, contrast)
        # The first one is the lead, which what it rests on would make too long.
        sentences += [f"{sentence}{rests_on}"] if sentences else [sentence, rests_on.strip()]
    narrow = _with_these_templates(inputs, found, dimension)
    reason = _why_not_estimable(inputs, model, outcome, dimension)
    if reason is not None or not tested:
        verdict = Verdict.NOT_ESTIMABLE
        lead = f"{isolated(model)}: not estimable: {reason or _why_untested(found)}."
        sentences = []
    elif not significant:
        all_small = bool(found) and all(contrast.small for contrast in found)
        small = Verdict.SMALL if all_small else Verdict.NOT_SHOWN
        verdict = Verdict.SHOWN if shown else small
        lead = _not_shown(test, mixed=bool(shown), narrow=bool(narrow))
        if verdict is Verdict.SMALL:
            lead = f"Every difference was shown to be smaller than {_margin(inputs)}."
    elif not shown:
        verdict = Verdict.SHOWN
        beyond = " for templates other than these" if narrow else ""
        lead = (
            f"The groups differ as a whole ({test.words}: {p_equals(global_p)}), but no single "
            f"group was shown to differ from its reference{beyond}."
        )
    else:
        verdict = Verdict.SHOWN
        lead, *sentences = sentences
    return Finding(
        model=model,
        outcome=outcome,
        dimension=dimension,
        verdict=verdict,
        global_p=global_p,
        shown=shown if verdict is Verdict.SHOWN else (),
        small=tuple(contrast.group for contrast in found if contrast.small),
        lead=lead,
        details=(
            *filter(None, sentences),
            *(narrow if verdict is not Verdict.NOT_ESTIMABLE else ()),
            *_small(inputs, found, dimension, verdict),
            *(cautions(inputs, key, found) if verdict is not Verdict.NOT_ESTIMABLE else ()),
        ),
    )


def _not_shown(test: GlobalTest, *, mixed: bool, narrow: bool) -> str:
    inside = "" if test.p_value is None else f" ({test.words}: {p_equals(test.p_value)})"
    if mixed:
        return (
            f"Over all groups together no difference was shown{inside}, but single "
            "comparisons with the reference show one."
        )
    if narrow:
        return (
            f"Over all groups together no difference was shown{inside}, and of single groups none "
            f"for templates other than these. {_NOT_PROOF}"
        )
    return f"No difference between groups was shown{inside}. {_NOT_PROOF}"


def _margin(inputs: ReportInputs) -> str:
    return f"{points(inputs.config.analysis.margin)} points"


def _small(
    inputs: ReportInputs, found: list[Contrast], dimension: str, verdict: Verdict
) -> list[str]:
    """Each group whose difference the equivalence test shows to lie within the margin."""
    if verdict is Verdict.NOT_ESTIMABLE:
        return []
    return [
        f"For {level_words(dimension, contrast.group)} the difference from "
        f"{level_words(dimension, contrast.reference)} is shown to be smaller than "
        f"{_margin(inputs)} ({points(contrast.estimate, signed=True)} points; equivalence test: "
        f"adjusted {p_equals(contrast.p_small)})."
        for contrast in found
        if contrast.small
    ]


def _with_these_templates(inputs: ReportInputs, found: list[Contrast], dimension: str) -> list[str]:
    """Each difference that only the narrower question shows: new names, the same templates."""
    return [
        f"For {level_words(dimension, contrast.group)} against "
        f"{level_words(dimension, contrast.reference)} "
        f"({points(contrast.estimate, signed=True)} points) the exact permutation of names, which "
        "holds for these templates only, shows a difference (adjusted "
        f"{p_equals(contrast.p_names)}{f'; {plain(contrast.note)}' if contrast.note else ''}); "
        "for other templates none is shown."
        for contrast in found
        if not contrast.shown
        and contrast.p_names is not None
        and contrast.p_names < inputs.config.analysis.alpha
    ]


def _sentence(
    inputs: ReportInputs, model: str, outcome: Outcome, dimension: str, contrast: Contrast
) -> str:
    """Say how large a difference is, in which direction, and how sure of it the study is."""
    size = contrast.estimate or 0
    direction = "more" if size > 0 else "less"
    inside = _intervals(contrast, inputs.confidence)
    counts = _counts(inputs, model, outcome, dimension, contrast)
    if counts:
        inside.append(counts)
    test = f"adjusted {p_equals(contrast.p_adjusted)}"
    if contrast.by_names:
        test = f"{test} by the exact permutation of names, which holds for these templates only"
    caution = ""
    if contrast.p_names is not None and contrast.p_names >= inputs.config.analysis.alpha:
        caution = (
            " The exact permutation of names, for these templates, does not show it "
            f"(adjusted {p_equals(contrast.p_names)})."
        )
    return (
        f"{isolated(model)} {outcome.words.verb} {points(abs(size))} points {direction} often for "
        f"{level_words(dimension, contrast.group)} than for "
        f"{level_words(dimension, contrast.reference)} "
        f"({', '.join(inside)}{'; ' if inside else ''}{test}).{caution}"
        f"{_corrected(contrast)}"
    )


def _corrected(contrast: Contrast) -> str:
    if contrast.human is None:
        return ""
    return f" Corrected for the machine's errors by {contrast.human:,} human labels."


def _intervals(contrast: Contrast, confidence: str) -> list[str]:
    low, high = contrast.low, contrast.high
    if low is None or high is None:
        return []
    # The sentence says "less often": its interval counts in the same direction.
    if (contrast.estimate or 0) < 0:
        low, high = -high, -low
    return [f"{confidence} interval {interval(low, high)}"]


def _counts(
    inputs: ReportInputs, model: str, outcome: Outcome, dimension: str, contrast: Contrast
) -> str:
    column, noun = _COUNTED[DIMENSIONS[dimension].unit]
    rates = inputs.rates_by_level(model, outcome, dimension)
    group, reference = rates.get(contrast.group), rates.get(contrast.reference)
    if column is None or group is None or reference is None:
        return ""
    return f"{group[column]} against {reference[column]} {noun}"


def _why_not_estimable(
    inputs: ReportInputs, model: str, outcome: Outcome, dimension: str
) -> str | None:
    rates = inputs.rates_by_level(model, outcome, dimension)
    if not rates:
        return "there are no rates"
    if any(known(row["rate"]) for row in rates.values()):
        return None
    notes = dict.fromkeys(plain(row["note"]) for row in rates.values() if row["note"])
    return "; ".join(notes) or "no response has a label"


def _why_untested(found: list[Contrast]) -> str:
    """Why none of the pairs has a test, each reason once."""
    reasons = dict.fromkeys(reason_of(plain(each.note)) for each in found if each.note)
    return "; ".join(reasons) or "no valid test was possible"


def rate_sentence(inputs: ReportInputs, model: str, outcome: Outcome) -> str:
    """How often the outcome occurs over all of a model's responses that count."""
    row = inputs.overall(model, outcome)
    if row is None or not known(row["rate"]):
        return f"Overall it {outcome.words.verb} at a rate that is not estimable."
    filtered = filtered_at(inputs, model, outcome, ALL).get(ALL, 0)
    by_service = f", {filtered:,} of these by the service's filter" if filtered else ""
    return (
        f"Overall it {outcome.words.verb} in {percent(row['rate'])} of {row['n']:,} "
        f"responses{by_service}."
    )
