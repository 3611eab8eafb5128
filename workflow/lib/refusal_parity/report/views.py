"""Tables of rates: by level, and by group within another dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table, in_brackets, rate_cell
from refusal_parity.text import count, heading_of, interval, percent, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from refusal_parity.outcomes import Outcome
    from refusal_parity.report.inputs import ReportInputs, Row


def rates_table(inputs: ReportInputs, outcome: Outcome, dimension: str) -> Table:
    """Rates of all models by level, with both intervals."""
    units = "n_templates" if inputs.listed else "n_names"
    return Table(
        caption=f"{outcome.words.heading} rate by {heading_of(dimension)}. Clustered intervals "
        f"allow for {inputs.clusters}; Wilson's treat responses as independent.",
        columns=(
            ("Model", TEXT),
            (heading_of(dimension).capitalize(), TEXT),
            ("Rate", NUMBER),
            (f"{inputs.confidence} interval, clustered", NUMBER),
            ("Wilson", NUMBER),
            ("Responses", NUMBER),
            ("Prompts" if inputs.listed else "Names", NUMBER),
            ("Note", TEXT),
        ),
        rows=tuple(
            (
                Cell(plain(model)),
                Cell(plain(row["group"])),
                Cell(percent(row["rate"]), row["rate"]),
                Cell(interval(row["ci_low"], row["ci_high"]), row["ci_low"]),
                Cell(interval(row["wilson_low"], row["wilson_high"]), row["wilson_low"]),
                Cell(count(row["n"]), row["n"]),
                Cell(count(row[units]), row[units]),
                Cell(plain(row["note"] or "")),
            )
            for model in inputs.models
            for row in _in_order(inputs, inputs.rate_rows(model, outcome, dimension), dimension)
        ),
    ).without_empty()


def crossed_table(inputs: ReportInputs, within: str) -> Table | None:
    """Rates of the groups within another dimension; None where nothing was crossed."""
    outcome = inputs.outcome
    found = {
        (model, row["group"], row["within_group"]): row
        for model in inputs.models
        for row in inputs.rate_rows(model, outcome, "group", within=within)
    }
    inner = list(dict.fromkeys(level for _, _, level in found))
    if not inner:
        return None
    rows = tuple(
        (
            Cell(plain(model)),
            Cell(plain(group)),
            *(rate_cell(found.get((model, group, level))) for level in inner),
        )
        for model in inputs.models
        for group in inputs.levels("group")
        if any((model, group, level) in found for level in inner)
    )
    return Table(
        caption=f"{outcome.words.heading} rate by group within {heading_of(within)}"
        + in_brackets(f". {inputs.confidence} clustered intervals in brackets", rows)
        + ".",
        columns=(("Model", TEXT), ("Group", TEXT), *((plain(level), NUMBER) for level in inner)),
        rows=rows,
    )


def _in_order(inputs: ReportInputs, rows: Iterable[Row], dimension: str) -> list[Row]:
    order = {level: at for at, level in enumerate(inputs.levels(dimension))}
    return sorted(rows, key=lambda row: order.get(row["group"], len(order)))
