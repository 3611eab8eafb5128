"""The report: one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from refusal_parity.files import write_text
from refusal_parity.report import between, describing, making, readings, results, views
from refusal_parity.report.drawing import inline_svg
from refusal_parity.report.figures import draw_all
from refusal_parity.report.inputs import ALL
from refusal_parity.report.summary import LABELLED, exclusion_totals
from refusal_parity.report.text import (
    NOTHING,
    OUTCOME_MEANINGS,
    OUTCOME_NAMES,
    count,
    percent,
    plain,
    points,
)
from refusal_parity.report.wording import Finding, Verdict, finding, rate_sentence

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.report.inputs import ReportInputs

_UNBROKEN: Final = re.compile(r"(?<=\d) (?=%)|(?<=\bp) (?=[<=>])|(?<=[<=>]) (?=\d)")


@dataclass(frozen=True, kw_only=True)
class InlineFigure:
    """A figure as it stands in the page."""

    kind: str
    model: str
    title: str
    alt: str
    svg: Markup


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The opening card of one model."""

    model: str
    verdict: str
    mark: str
    lead: str
    details: tuple[str, ...]
    rate: str
    others: tuple[tuple[str, str], ...]


_MARKS: Final = {
    Verdict.SHOWN: "shown",
    Verdict.SMALL: "not-shown",
    Verdict.NOT_SHOWN: "not-shown",
    Verdict.NOT_ESTIMABLE: "unknown",
}


def write_report(inputs: ReportInputs, path: Path) -> None:
    """Write the report of a study as one self-contained HTML file.

    The same inputs give the same bytes. The file is written under a temporary
    name, then renamed.

    Args:
        inputs: the study's tables.
        path: the HTML file; its folder is made.

    Raises:
        InputError: the file cannot be written.
    """
    write_text(path, render_page(inputs))


def render_page(inputs: ReportInputs) -> str:
    """The report's HTML."""
    environment = Environment(
        loader=PackageLoader("refusal_parity.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unbroken"] = _unbroken
    source = (
        environment.loader.get_source(environment, "report.js")[0] if environment.loader else ""
    )
    script = source.strip()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("report.html.j2").render(
        script=Markup(script),  # noqa: S704 - a file of this package
        script_hash=digest,
        **_context(inputs),
    )


def _context(inputs: ReportInputs) -> dict[str, Any]:
    pairs = [(outcome, dimension) for dimension in inputs.dimensions for outcome in inputs.outcomes]
    crossed = [views.crossed_table(inputs, within) for within in ("gender", "commonness")]
    ledger = [results.exclusions_table(inputs, level) for level in (ALL, *inputs.dimensions)]
    return {
        "study": plain(inputs.config.study),
        "analysis": inputs.config.analysis,
        "sampling": inputs.config.sampling,
        "samples": inputs.config.samples,
        "confidence": inputs.confidence,
        "outcome_name": OUTCOME_NAMES[inputs.outcome],
        "outcome_meanings": [
            (OUTCOME_NAMES[outcome], OUTCOME_MEANINGS[outcome]) for outcome in inputs.outcomes
        ],
        "dimension": inputs.dimension,
        "models": [plain(model) for model in inputs.models],
        "facts": _facts(inputs),
        "answers": [_answer(inputs, model) for model in inputs.models],
        "figures": _figures(inputs),
        "findings": results.findings_table(inputs),
        "rate_tables": [views.rates_table(inputs, *pair) for pair in pairs],
        "crossed_tables": [table for table in crossed if table is not None],
        "difference_tables": [results.differences_table(inputs, *pair) for pair in pairs],
        "classics": describing.classics(inputs),
        "classics_table": describing.classics_table(inputs),
        "names_table": views.names_table(inputs),
        "templates_table": views.templates_table(inputs),
        "overview_table": results.overview_table(inputs),
        "comparison_table": between.comparison_table(inputs),
        "partial_table": readings.partial_table(inputs),
        "lengths_table": readings.lengths_table(inputs),
        "pairs_table": results.pairs_table(inputs),
        "margin": points(inputs.config.analysis.margin),
        "human_labels": human_count(inputs),
        "exclusion_tables": [table for table in ledger if table is not None],
        "config_yaml": making.config_yaml(inputs),
        "records": making.model_records(inputs),
        "versions_table": making.versions_table(inputs),
        "git_commit": plain(inputs.git_commit or ""),
        "column_tables": making.column_tables(),
    }


def human_count(inputs: ReportInputs) -> str | None:
    """How many responses of the probability sample people labelled, or None."""
    if inputs.human is None:
        return None
    return count(inputs.human.drop_nulls(["inclusion_probability", "label"]).height)


def _answer(inputs: ReportInputs, model: str) -> Answer:
    main = finding(inputs, model, inputs.outcome, inputs.dimension)
    others = [
        finding(inputs, model, outcome, dimension)
        for dimension in inputs.dimensions
        for outcome in inputs.outcomes
        if (outcome, dimension) != (inputs.outcome, inputs.dimension)
    ]
    return Answer(
        model=plain(model),
        verdict=main.verdict.value,
        mark=_MARKS[main.verdict],
        lead=main.lead,
        details=main.details,
        rate=rate_sentence(inputs, model, inputs.outcome),
        others=tuple((_heading(other), " ".join([other.lead, *other.details])) for other in others),
    )


def _heading(result: Finding) -> str:
    return f"{OUTCOME_NAMES[result.outcome]} by {result.dimension}"


def _facts(inputs: ReportInputs) -> list[tuple[str, str]]:
    totals = exclusion_totals(inputs)
    asked = sum(totals.values())
    share = percent(totals.get(LABELLED, 0) / asked) if asked else NOTHING
    prompts = inputs.prompts
    return [
        ("models", count(len(inputs.models))),
        ("groups", count(prompts["group"].n_unique())),
        ("names", count(prompts["name_id"].n_unique())),
        ("templates", count(prompts["template_id"].n_unique())),
        ("responses", count(asked)),
        ("labelled", share),
    ]


def _figures(inputs: ReportInputs) -> dict[str, list[InlineFigure]]:
    by_kind: dict[str, list[InlineFigure]] = {
        kind: [] for kind in ("rates", "labels", "differences", "names", "templates")
    }
    for number, drawing in enumerate(draw_all(inputs)):
        by_kind[drawing.kind].append(
            InlineFigure(
                kind=drawing.kind,
                model=plain(drawing.model),
                title=drawing.title,
                alt=drawing.alt,
                svg=inline_svg(drawing, f"f{number}"),
            )
        )
    return by_kind


def _unbroken(text: str) -> str:
    """A number stays on one line with its per cent sign, a p with its value."""
    return _UNBROKEN.sub("\u00a0", text)
