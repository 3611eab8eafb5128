"""The report: one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from refusal_parity.counting import agreed
from refusal_parity.files import write_text
from refusal_parity.report.audit import pair_counts
from refusal_parity.report.drawing import Drawing, inline_svg
from refusal_parity.report.figure_registry import in_order
from refusal_parity.report.figures import draw_all
from refusal_parity.report.sections import sections_of
from refusal_parity.report.sections.section import FigureBlock, InlineFigure, undrawn
from refusal_parity.report.summary import exclusion_totals
from refusal_parity.statistics.uncounted import LABELLED
from refusal_parity.tables import Groups, Prompts
from refusal_parity.text import ISOLATES, NOTHING, count, percent, plain
from refusal_parity.textfiles import SIGNS
from refusal_parity.vocabulary import Exclusion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from refusal_parity.report.inputs import ReportInputs

_UNBROKEN: Final = re.compile(r"(?<=\d) (?=%)|(?<=\bp) (?=[<=>])|(?<=[<=>]) (?=\d)")
_TO_SIGNS: Final = str.maketrans({key: SIGNS[key] for key in SIGNS if key not in ISOLATES})
_SCRIPTS: Final = tuple(
    f"scripts/{name}.js"
    for name in ("saving", "tables", "responses", "cards", "pages", "browser", "pairs")
)


_LEDES: Final = {
    False: "Does a language model refuse harmless requests more often for some groups of people "
    "than for others?",
    True: "Whom do the answers refuse that people prefer?",
}
"""What the page is about, by whether it is of an audit of preference data."""


@dataclass(frozen=True, kw_only=True)
class RenderedSection:
    """A section as it stands in the page."""

    key: str
    entry: str
    heading: str
    body: Markup
    last_figures: tuple[FigureBlock, ...]


def write_report(
    inputs: ReportInputs, path: Path, *, drawings: Sequence[Drawing] | None = None
) -> None:
    """Write the report of a study as one self-contained HTML file.

    The same inputs give the same bytes. The file is written under a temporary
    name, then renamed.

    Args:
        inputs: the study's tables.
        path: the HTML file; its folder is made.
        drawings: the study's figures, if they were drawn already.

    Raises:
        InputError: the file cannot be written.
    """
    write_text(path, render_page(inputs, drawings=drawings))


def render_page(inputs: ReportInputs, *, drawings: Sequence[Drawing] | None = None) -> str:
    """The report's HTML."""
    environment = Environment(
        loader=PackageLoader("refusal_parity.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters["unbroken"] = _unbroken
    figures = _inline(draw_all(inputs) if drawings is None else drawings, inputs.models)
    script = "\n".join(_source(environment, name) for name in _SCRIPTS)
    return environment.get_template("report.html.j2").render(
        study=plain(inputs.config.study),
        lede=_LEDES[inputs.config.preference is not None],
        facts=_facts(inputs),
        sections=list(_sections(environment, inputs, figures)),
        script=Markup(script),  # noqa: S704 - files of this package
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _sections(
    environment: Environment, inputs: ReportInputs, blocks: Sequence[FigureBlock]
) -> Iterator[RenderedSection]:
    for section in sections_of(inputs.config):
        context = section.context(inputs)
        if context is None:
            continue
        own = [block for block in blocks if block.place.section == section.key]
        figures = [block for block in own if not block.place.last]
        body = environment.get_template(section.template).render(
            context, figures=figures, listed=inputs.listed
        )
        yield RenderedSection(
            key=section.key,
            entry=section.entry,
            heading=section.heading,
            body=Markup(body),  # noqa: S704 - rendered with escaping
            last_figures=tuple(block for block in own if block.place.last),
        )


def _source(environment: Environment, name: str) -> str:
    """A script as it stands in its file: it is no template."""
    loader = environment.loader
    return "" if loader is None else loader.get_source(environment, name)[0].strip()


def _inline(drawings: Iterable[Drawing], models: Sequence[str]) -> list[FigureBlock]:
    """The drawings by kind, in the order of the page."""
    found: dict[str, list[InlineFigure]] = defaultdict(list)
    for number, drawing in enumerate(drawings):
        found[drawing.kind].append(
            InlineFigure(
                kind=drawing.kind,
                model=plain(drawing.model),
                title=drawing.title,
                alt=drawing.alt,
                svg=inline_svg(drawing, f"f{number}"),
                stem=drawing.stem,
            )
        )
    return [
        FigureBlock(
            place=spec.place,
            figures=tuple(found[spec.key]),
            absent=undrawn([each.model for each in found[spec.key]], models),
        )
        for spec in in_order()
        if found[spec.key]
    ]


def _facts(inputs: ReportInputs) -> list[tuple[str, str]]:
    if inputs.config.preference is not None:
        mentioned = inputs[Groups].filter(pl.col("conversations") > 0)
        groups = agreed(len(mentioned), "group mentioned", "groups mentioned")
        counts = {**pair_counts(inputs), groups: len(mentioned)}
        return [(label, count(number)) for label, number in counts.items()]
    totals = exclusion_totals(inputs)
    asked = sum(totals.values())
    share = percent(totals.get(LABELLED, 0) / asked) if asked else NOTHING
    filtered = totals.get(Exclusion.FILTERED, 0)
    prompts = inputs[Prompts]
    return [
        _fact("model", len(inputs.models)),
        *(
            [_fact("prompt", prompts["template_id"].n_unique())]
            if inputs.listed
            else [
                _fact("group", prompts["group"].n_unique()),
                _fact("name", prompts["name_id"].n_unique()),
                _fact("template", prompts["template_id"].n_unique()),
            ]
        ),
        _fact("response", asked),
        ("labelled", share),
        *([("refused by the service", percent(filtered / asked))] if filtered else []),
    ]


def _fact(noun: str, number: int) -> tuple[str, str]:
    return agreed(number, noun, f"{noun}s"), count(number)


def _shown(value: Any) -> Any:
    """Text of others with signs for control characters; what is markup already is ours."""
    foreign = isinstance(value, str) and not isinstance(value, Markup)
    return value.translate(_TO_SIGNS) if foreign else value


def _unbroken(text: str) -> str:
    """A number stays on one line with its per cent sign, a p with its value."""
    return _UNBROKEN.sub("\u00a0", text)
