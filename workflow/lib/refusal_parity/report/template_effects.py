"""How differences vary from template to template, in words and as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.counting import counted
from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table
from refusal_parity.tables import TemplateEffects
from refusal_parity.text import (
    count,
    heading_of,
    interval,
    isolated,
    level_words,
    p_equals,
    p_value,
    percent,
    plain,
    points,
)

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs, Row


def effect_rows(inputs: ReportInputs, model: str, dimension: str) -> list[Row]:
    """Rows of a model's primary outcome and a dimension, in the order of its levels."""
    order = {level: at for at, level in enumerate(inputs.levels(dimension))}
    rows = inputs[TemplateEffects].filter(
        pl.col("model") == model,
        pl.col("outcome").cast(pl.String) == str(inputs.outcome),
        pl.col("dimension") == dimension,
    )
    return sorted(rows.to_dicts(), key=lambda row: order.get(row["group"], len(order)))


def varies(inputs: ReportInputs, row: Row) -> bool:
    """Whether it is shown that a difference varies between templates."""
    return row["p_adjusted"] is not None and row["p_adjusted"] < inputs.config.analysis.alpha


def effect_sentences(inputs: ReportInputs) -> list[str]:
    """What was found of each model's differences in the primary dimension."""
    return [
        _sentence(inputs, model, rows)
        for model in inputs.models
        if (rows := effect_rows(inputs, model, inputs.dimension))
    ]


def _sentence(inputs: ReportInputs, model: str, rows: list[Row]) -> str:
    shown = [row for row in rows if varies(inputs, row)]
    tested = [row for row in rows if row["p_value"] is not None]
    parts = [
        f"{level_words(inputs.dimension, row['group'])}: standard deviation "
        f"{points(row['sd'])} points{_interval_words(inputs, row)}, adjusted "
        f"{p_equals(row['p_adjusted'])}"
        for row in shown
    ]
    said = (
        f"the difference was shown to vary between templates for {'; '.join(parts)}"
        if shown
        else "that a difference varies between templates was not shown, which is no evidence that "
        "it does not"
        if tested
        else "whether differences vary between templates is not estimable"
    )
    untold = len(rows) - len(tested)
    rest = ""
    if untold and tested:
        rest = f" Not estimable for {counted(untold, 'comparison')}; the table says why."
    return f"{isolated(model)}: {said}.{rest}"


def _interval_words(inputs: ReportInputs, row: Row) -> str:
    if row["sd_high"] is None:
        return " (no interval)"
    return f" ({inputs.confidence} interval {interval(row['sd_low'], row['sd_high'])})"


def effects_table(inputs: ReportInputs) -> Table | None:
    """Spread of the primary outcome's differences over templates; None where there is none."""
    rows = tuple(
        (
            Cell(plain(model)),
            Cell(heading_of(dimension).capitalize()),
            Cell(plain(row["group"]), strong=varies(inputs, row)),
            Cell(plain(row["reference"])),
            Cell(count(row["templates"]), row["templates"]),
            Cell(points(row["estimate"], signed=True), row["estimate"]),
            Cell(points(row["sd"]), row["sd"], varies(inputs, row)),
            Cell(interval(row["sd_low"], row["sd_high"]), row["sd_low"]),
            Cell(p_value(row["p_adjusted"]), row["p_adjusted"]),
            Cell(interval(row["new_low"], row["new_high"]), row["new_low"]),
            Cell("" if row["new_level"] is None else percent(row["new_level"]), row["new_level"]),
            Cell(plain(row["note"] or "")),
        )
        for model in inputs.models
        for dimension in inputs.dimensions
        for row in effect_rows(inputs, model, dimension)
    )
    if not rows:
        return None
    return Table(
        caption=f"{inputs.outcome.words.heading}: how differences vary between templates "
        "(exploratory). In percentage points; in the mean every template counts alike, whatever "
        "was left out; standard deviation beyond what names and samples make of it. In bold: "
        "adjusted p below "
        f"{inputs.config.analysis.alpha:g}.",
        columns=(
            ("Model", TEXT),
            ("By", TEXT),
            ("Level", TEXT),
            ("Reference", TEXT),
            ("Templates", NUMBER),
            ("Mean difference", NUMBER),
            ("Standard deviation", NUMBER),
            (f"Its {inputs.confidence} interval", NUMBER),
            ("Adjusted p", NUMBER),
            ("In a new template", NUMBER),
            ("Of them at least", NUMBER),
            ("Note", TEXT),
        ),
        rows=rows,
    ).without_empty()
