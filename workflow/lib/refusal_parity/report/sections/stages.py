"""How a study grew in stages, where it stopped, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.counting import counted
from refusal_parity.progress import widest
from refusal_parity.report.sections.section import Section
from refusal_parity.report.stages import progress
from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table
from refusal_parity.tables import Precision
from refusal_parity.text import count, heading_of, isolated, plain, points

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.progress import Progress
    from refusal_parity.report.inputs import ReportInputs

_UNCORRECTED: Final = (
    "The rule looks at intervals that people's labels have not corrected; one that they correct "
    "may be wider."
)


def _context(inputs: ReportInputs) -> dict[str, Any] | None:
    so_far = progress(inputs)
    if so_far is None:
        return None
    return {
        "sentences": [
            _rule(inputs, so_far),
            f"It {so_far.standing()}."
            if not so_far.is_due
            else f"{so_far.standing().capitalize()}. What stands on this page is interim.",
            _UNCORRECTED,
            *_openings(inputs, so_far),
            *_passed(so_far),
        ],
        "table": _table(inputs, so_far),
    }


def _rule(inputs: ReportInputs, so_far: Progress) -> str:
    family, rule = inputs.config.analysis.primary_family, so_far.rule
    rates = family.outcome.words.heading.lower()
    sizes = [so_far.sized(number) for number in range(1, len(rule.stages) + 1)]
    return (
        f"The study is drawn in stages that its config fixes: {', '.join(sizes[:-1])}, at most "
        f"{sizes[-1]}. It stops once no simultaneous interval of {rates} "
        f"by {heading_of(family.dimension)}, of any model, is wider than "
        f"±{points(rule.half_width)} points (analysis.stop_when)."
    )


def _openings(inputs: ReportInputs, so_far: Progress) -> Iterator[str]:
    """When stages were opened and on what, as the study's folder remembers it."""
    for each in inputs.opened.opened if inputs.opened else ():
        at = each.at.replace("T", " at ").removesuffix("Z")
        widths = ", ".join(
            f"{isolated(model)} {widest(width)}" for model, width in each.half_widths.items()
        )
        yield f"Stage {each.stage} was opened on {at} UTC, on these widest intervals: {widths}."
        if each.aim != so_far.rule.half_width:
            yield (
                f"At that time ±{points(each.aim)} points were asked for, and now "
                f"±{points(so_far.rule.half_width)}: the rule was changed after a look at the "
                "responses, and what is said of its error rates holds no longer."
            )


def _passed(so_far: Progress) -> Iterator[str]:
    for stage in so_far.passed:
        yield (
            f"Stage {stage.number} was narrow enough already, by the labels and the rule of today: "
            "the study went on although it need not have."
        )


def _table(inputs: ReportInputs, so_far: Progress) -> Table:
    rows = []
    for stage in so_far.stages:
        for model, width in stage.half_widths.items():
            of_both = inputs[Precision].filter(
                pl.col("model") == model, pl.col("stage") == stage.number
            )
            enough = int(of_both["enough"].sum())
            rows.append(
                (
                    Cell(str(stage.number), stage.number),
                    Cell(so_far.sized(stage.number), stage.size),
                    Cell(plain(model)),
                    Cell(widest(width), width),
                    Cell(f"{count(enough)} of {counted(len(of_both), 'comparison')}", enough),
                )
            )
    return Table(
        caption="Half of the widest simultaneous interval of each stage. Of earlier stages it is "
        "that of the responses that they had, with the labels of today.",
        columns=(
            ("Stage", NUMBER),
            ("Of", TEXT),
            ("Model", TEXT),
            ("Widest interval", NUMBER),
            ("Narrow enough", NUMBER),
        ),
        rows=tuple(rows),
    )


SECTION: Final = Section(key="stages", entry="Stages", heading="Stages", context=_context)
