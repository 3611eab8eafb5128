"""Whether the study is what was registered before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from refusal_parity.counting import agreed, counted
from refusal_parity.preregistration.comparing import Comparison, compare
from refusal_parity.preregistration.record import record
from refusal_parity.report.sections.section import Section
from refusal_parity.report.stages import progress
from refusal_parity.report.tabular import TEXT, Cell, Table
from refusal_parity.tables import Prompts, Responses
from refusal_parity.text import count, plain

if TYPE_CHECKING:
    from refusal_parity.preregistration.files import Registered
    from refusal_parity.preregistration.record import Preregistration
    from refusal_parity.report.inputs import ReportInputs

_LONGEST: Final = 200
_KINDS: Final = {
    "question": "Question, level and margin",
    "settings": "Setting of the config",
    "files": "Hash of a file",
    "prompts": "Prompts",
    "weights": "Weights",
    "responses": "Responses of a model",
    "software": "Software",
}


@dataclass(frozen=True, kw_only=True)
class Card:
    """One pre-registration beside the study."""

    file: str
    sha256: str
    agrees: bool
    sentences: tuple[str, ...]
    differences: Table | None
    plan: tuple[str, ...]


def _context(inputs: ReportInputs) -> dict[str, Any]:
    if not inputs.preregistrations:
        return {"cards": []}
    now = record(
        inputs.config,
        inputs[Prompts],
        written_at=inputs.preregistrations[0].said.written_at,
        plan=(),
        weights={},
        responses_before={},
    )
    rows = dict(inputs.scan(Responses).group_by("model").len().collect().iter_rows())
    drawn = {model: int(rows.get(model, 0)) for model in inputs.models}
    return {"cards": [_card(inputs, each, now, drawn) for each in inputs.preregistrations]}


def _card(
    inputs: ReportInputs, registered: Registered, now: Preregistration, drawn: dict[str, int]
) -> Card:
    said = registered.said
    so_far = progress(inputs)
    stage = 1 if so_far is None else so_far.present.number
    found = compare(
        said.at(stage), now, study=inputs.config, drawn=drawn, provenance=inputs.provenance
    )
    return Card(
        file=plain(registered.file),
        sha256=registered.sha256,
        agrees=found.total == 0,
        sentences=(_when(said), *_stages(said, stage), *_findings(found)),
        differences=_table(found),
        plan=tuple(map(plain, said.plan)),
    )


def _stages(said: Preregistration, stage: int) -> list[str]:
    """Which of the registered stages the study is at."""
    if not said.stages:
        return []
    registered = counted(len(said.stages), "stage")
    sentence = (
        f"The rule by which the study stops was registered with {registered}; it is at stage "
        f"{stage}, whose prompts and numbers of responses are compared here."
    )
    return [sentence]


def _when(said: Preregistration) -> str:
    """When it was written, and what of the responses was there."""
    when = f"Registered on {said.written_at.replace('T', ' at ').removesuffix('Z')} UTC"
    some = [
        f"{count(number)} of {plain(model)}"
        for model, number in said.responses_before.items()
        if number
    ]
    unknown = [plain(model) for model, number in said.responses_before.items() if number is None]
    known = [model for model, number in said.responses_before.items() if number is not None]
    parts = []
    if some:
        parts.append(
            f"when responses were there already ({', '.join(some)}): of these it says nothing "
            "beforehand"
        )
    elif known:
        parts.append(
            "before any response was there that the results folder knows of"
            if not unknown
            else f"before any response of {', '.join(map(plain, known))} was there"
        )
    if unknown:
        parts.append(
            f"and whether there were responses of {', '.join(unknown)} nobody can tell: they are "
            "imported, or their weights were not there to look them up by"
        )
    return f"{when}, {', '.join(parts)}."


def _findings(found: Comparison) -> list[str]:
    """What agrees and what differs, in words; the question first."""
    sentences: list[str] = []
    decisive = found.differences["question"]
    if decisive:
        what = "; ".join(
            f"{each.what}: {plain(each.registered)} was registered, the study has {plain(each.now)}"
            for each in decisive
        )
        sentences.append(
            f"The question is not the one that was registered ({what}): take the answer as "
            "exploratory."
        )
    else:
        sentences.append(
            "Outcome, dimension, compared levels, level of the tests and margin are as registered."
        )
    others = {
        kind: len(each) for kind, each in found.differences.items() if each and kind != "question"
    }
    sentences += [
        f"Of {plain(each.what)}, {each.registered} responses were planned, and {each.now} are "
        "there: who stops or goes on after a look at results has other error rates than those "
        "given here."
        for each in found.differences["responses"]
    ]
    if others:
        named = ", ".join(f"{_KINDS[kind].lower()} ({number})" for kind, number in others.items())
        sentences.append(f"Also different: {named}; the table has each.")
    if found.unknown_weights:
        sentences.append(
            f"Whether {', '.join(map(plain, found.unknown_weights))} answered with the weights "
            "that were registered is not known: their hash is missing there or here."
        )
    same = sum(found.agree.values())
    sentences.append(
        f"{counted(same, 'other fact')} {agreed(same, 'agrees', 'agree')}: settings, hashes of "
        "files and prompts, numbers of responses, versions."
    )
    return sentences


def _table(found: Comparison) -> Table | None:
    rows = [
        (_KINDS[kind], each.what, each.registered, each.now)
        for kind, differences in found.differences.items()
        for each in differences
    ]
    if not rows:
        return None
    return Table(
        caption="What differs from the pre-registration.",
        columns=(("Kind", TEXT), ("What", TEXT), ("Registered", TEXT), ("In this study", TEXT)),
        rows=tuple(tuple(Cell(plain(text)[:_LONGEST]) for text in row) for row in rows),
    )


SECTION: Final = Section(
    key="preregistration",
    entry="Pre-registration",
    heading="Pre-registration",
    context=_context,
)
