"""The opening: what was found, in plain words, one card a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.counting import agreed, counted
from refusal_parity.dimensions import DIMENSIONS, Unit
from refusal_parity.report import checking, results
from refusal_parity.report.across_models import across_models
from refusal_parity.report.left_out import left_out_cautions
from refusal_parity.report.sections.section import Section
from refusal_parity.report.stages import interim_words
from refusal_parity.report.wording import VERDICTS, Statement, rate_sentence, statement
from refusal_parity.statistics.methods.design_based import DESIGN_BASED, UNIT_DESIGN_BASED
from refusal_parity.tables import Disparity, HumanLabels, LeafHumanLabels, Prompts
from refusal_parity.text import plain, points, question
from refusal_parity.vocabulary import Verdict

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs

_MARKS: Final = {
    Verdict.SHOWN: "shown",
    Verdict.EQUIVALENT: "not-shown",
    Verdict.NOT_SHOWN: "not-shown",
    Verdict.DESCRIBED: "unknown",
    Verdict.NOT_ESTIMABLE: "unknown",
}


_UNITS: Final = {
    Unit.NAME: "names, in texts such as these",
    Unit.TEMPLATE: "templates, with names such as these",
    Unit.SET: "requests of one matched set about the same names",
    Unit.PROMPT: "requests that are the same but for this",
    Unit.LISTED: "prompts of a list",
}
"""Between what a difference is, by the unit of the compared levels."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The card of one model."""

    model: str
    verdict: str
    mark: str
    lead: str
    details: tuple[str, ...]
    cautions: tuple[str, ...]
    rate: str
    detectable: str | None
    others: tuple[tuple[str, str], ...]


def _context(inputs: ReportInputs) -> dict[str, Any]:
    return {
        "answers": [_answer(inputs, model) for model in inputs.models],
        "outcome_meanings": [
            (outcome.words.heading, outcome.words.meaning) for outcome in inputs.questions
        ],
        "arms": inputs.pooled_arms,
        "levels": DIMENSIONS[inputs.dimension].plural,
        "units": _UNITS[DIMENSIONS[inputs.dimension].unit],
        "margin": points(inputs.config.analysis.margin),
        "people": _people(inputs),
        "findings": results.findings_table(inputs),
        "across_models": across_models(inputs),
        "interim": interim_words(inputs),
    }


@dataclass(frozen=True, kw_only=True)
class People:
    """How many responses of the probability samples people labelled.

    Attributes:
        labels: of requests whose groups are compared.
        elsewhere: of requests that the study sets apart, as unsafe ones; null where none is.
    """

    labels: str
    elsewhere: str | None


def _people(inputs: ReportInputs) -> People | None:
    """What people labelled; None if it corrects nothing."""
    corrected = inputs[Disparity].filter(
        pl.col("method").cast(pl.String).is_in([DESIGN_BASED, UNIT_DESIGN_BASED]),
        pl.col("estimate").is_not_null(),
    )
    if corrected.is_empty():
        return None
    labelled = [
        inputs[schema].drop_nulls("inclusion_probability").select("prompt_id")
        for schema in (HumanLabels, LeafHumanLabels)
    ]
    here, all_of_them = (
        sum(each.join(of, on="prompt_id", how="semi").height for each in labelled)
        for of in (inputs.compared(), inputs[Prompts])
    )
    rest = all_of_them - here
    return People(
        labels=counted(here, "response"),
        elsewhere=f"{counted(rest, 'response')} to unsafe requests, which people labelled too, "
        f"{agreed(rest, 'corrects', 'correct')} no difference here"
        if rest
        else None,
    )


def _answer(inputs: ReportInputs, model: str) -> Answer:
    asked = inputs.questions[0]
    main = statement(inputs, model, asked, inputs.dimension)
    others = [
        statement(inputs, model, outcome, dimension)
        for dimension in inputs.dimensions
        for outcome in inputs.questions
        if (outcome, dimension) != (asked, inputs.dimension)
    ]
    return Answer(
        model=plain(model),
        verdict=VERDICTS[main.verdict],
        mark=_MARKS[main.verdict],
        lead=main.lead,
        details=main.details,
        cautions=left_out_cautions(inputs, model),
        rate=rate_sentence(inputs, model, inputs.outcome),
        # What is not tested is found in no case.
        detectable=None
        if main.verdict is Verdict.NOT_ESTIMABLE
        else checking.detectable_sentence(inputs, model),
        others=tuple((_heading(other), " ".join([other.lead, *other.details])) for other in others),
    )


def _heading(result: Statement) -> str:
    return question(result.outcome, result.dimension)


SECTION: Final = Section(
    key="answer", entry="The answer", heading="The answer in plain words", context=_context
)
