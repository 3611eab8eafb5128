"""Differences between groups at each level of a crossed factor, in words and as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refusal_parity.counting import counted, enumerated
from refusal_parity.dimensions import DIMENSIONS
from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table
from refusal_parity.text import (
    heading_of,
    interval,
    isolated,
    level_words,
    p_equals,
    p_value,
    plain,
    points,
    question,
)

if TYPE_CHECKING:
    from refusal_parity.outcomes import Outcome
    from refusal_parity.report.inputs import ReportInputs
    from refusal_parity.statistics.answering.finding import Finding


def factors_of(found: list[Finding]) -> list[str]:
    """The crossed factors of some findings, in their order."""
    return list(dict.fromkeys(each.factor for each in found if each.factor is not None))


def sentences(inputs: ReportInputs, model: str, outcome: Outcome, dimension: str) -> list[str]:
    """What was found of one model at the levels of each factor, and between these."""
    found = inputs.interactions(model, outcome, dimension)
    said: list[str] = []
    for factor in factors_of(found):
        rows = [each for each in found if each.factor == factor]
        said += _at_levels(inputs, outcome, rows, dimension, factor)
        said += _between(inputs, rows, dimension, factor)
        said += [plain(each.warning) for each in rows if each.warning is not None]
    return said


def _at_levels(
    inputs: ReportInputs, outcome: Outcome, rows: list[Finding], dimension: str, factor: str
) -> list[str]:
    """Which differences are shown at each level, by themselves."""
    parts = []
    for level in dict.fromkeys(each.factor_level or "" for each in rows):
        here = [each for each in rows if each.factor_level == level and each.factor_base is None]
        shown = [
            f"{level_words(dimension, each.level)} {points(each.estimate, signed=True)} "
            f"(interval {interval(each.ci_low, each.ci_high)})"
            for each in here
            if each.shown
        ]
        without = list(dict.fromkeys(each.level for each in here if each.p_adjusted is None))
        if here and len(without) == len({each.level for each in here}):
            words = f"nothing could be tested{_because(here)}"
        else:
            words = ", ".join(shown) or "no difference was shown"
            if without:
                named = [level_words(dimension, each) for each in without]
                words += f" (without a test: {enumerated(named)}{_because(here)})"
        parts.append(f"{level_words(factor, level)}: {words}")
    references = ", ".join(
        dict.fromkeys(level_words(dimension, each.base) for each in rows if each.base)
    )
    start = f"{isolated(rows[0].model)}, {outcome.words.heading.lower()} against {references}"
    said = _capital("; ".join(parts))
    return [f"{start} in percentage points, with {inputs.confidence} intervals. {said}."]


def _between(inputs: ReportInputs, rows: list[Finding], dimension: str, factor: str) -> list[str]:
    """Which differences are shown to differ between two levels."""
    contrasts = [each for each in rows if each.factor_base is not None]
    shown = [each for each in contrasts if each.shown]
    said = [_change(inputs, each, dimension, factor) for each in shown]
    untold = [each for each in contrasts if each.estimate is None]
    if untold:
        reasons = "; ".join(dict.fromkeys(plain(each.reason) for each in untold if each.reason))
        said.append(
            f"Not estimable for {counted(len(untold), 'change')} with the "
            f"{heading_of(factor)}: {reasons}."
        )
    tested = [each for each in contrasts if each.p_adjusted is not None]
    alike = [each for each in contrasts if each.estimate == 0 and each.p_adjusted is None]
    if not tested and not alike:
        said.append(
            f"Whether the differences between {DIMENSIONS[dimension].plural} change with the "
            f"{heading_of(factor)} cannot be tested here."
        )
    elif not shown:
        said.append(
            f"That the differences between {DIMENSIONS[dimension].plural} change with the "
            f"{heading_of(factor)} was not shown. This is not evidence that they do not."
        )
    return said


def _because(found: list[Finding]) -> str:
    """Why some of them have no test, each reason once."""
    reasons = [plain(each.reason) for each in found if each.p_adjusted is None and each.reason]
    return f": {'; '.join(dict.fromkeys(reasons))}" if reasons else ""


def _change(inputs: ReportInputs, found: Finding, dimension: str, factor: str) -> str:
    """How much a difference changes from a level of a factor to another."""
    size = found.estimate or 0
    return (
        f"With {level_words(factor, found.factor_level or '')} the difference of "
        f"{level_words(dimension, found.level)} from {level_words(dimension, found.base)} is "
        f"{points(abs(size))} points {'higher' if size > 0 else 'lower'} than with "
        f"{level_words(factor, found.factor_base or '')} (change {points(size, signed=True)}, "
        f"{inputs.confidence} interval {interval(found.ci_low, found.ci_high)}; adjusted "
        f"{p_equals(found.p_adjusted)})."
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def interactions_table(
    inputs: ReportInputs, outcome: Outcome, dimension: str, factor: str
) -> Table | None:
    """Each group's difference at the levels of a factor, then between these; None for none."""
    rows = tuple(
        (
            Cell(plain(model)),
            Cell(plain(each.group), strong=each.shown),
            Cell(plain(each.reference)),
            Cell(plain(each.factor_level)),
            Cell("" if each.factor_base is None else plain(each.factor_base)),
            Cell(points(each.estimate, signed=True), each.estimate, each.shown),
            Cell(interval(each.ci_low, each.ci_high), each.ci_low),
            Cell(p_value(each.p_adjusted), each.p_adjusted),
            Cell(plain(each.note or "")),
        )
        for model in inputs.models
        for each in inputs.interactions(model, outcome, dimension)
        if each.factor == factor
    )
    if not rows:
        return None
    return Table(
        caption=f"{question(outcome, dimension)} at each {heading_of(factor)} (exploratory): "
        "differences in percentage points, or between two levels the difference of both. In bold: "
        f"adjusted p below {inputs.config.analysis.alpha:g}.",
        columns=(
            ("Model", TEXT),
            (heading_of(dimension).capitalize(), TEXT),
            ("Reference", TEXT),
            (heading_of(factor).capitalize(), TEXT),
            ("Less that at", TEXT),
            ("Difference", NUMBER),
            (f"{inputs.confidence} interval", NUMBER),
            ("Adjusted p", NUMBER),
            ("Note", TEXT),
        ),
        rows=rows,
    ).without_empty()
