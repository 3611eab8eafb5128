"""Tables of what was left out, cut off or refused by the service, and what it may hide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table, in_brackets
from refusal_parity.tables import CutOff
from refusal_parity.text import (
    NOTHING,
    count,
    heading_of,
    known,
    p_equals,
    p_value,
    percent,
    plain,
    points,
)
from refusal_parity.vocabulary import CutReading, Loss

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs, Row


def losses_table(inputs: ReportInputs, loss: Loss) -> Table | None:
    """Shares of what was cut off, filtered or left out, with the test; None without any."""
    rows = [
        row
        for model in inputs.models
        for dimension in inputs.dimensions
        for row in inputs.loss_rows(model, loss, dimension)
    ]
    if not rows:
        return None
    alpha = inputs.config.analysis.alpha
    done = {Loss.LEFT_OUT: "Left out", Loss.TRUNCATED: "Cut off", Loss.FILTERED: "Filtered"}[loss]
    return Table(
        caption=f"{done}: shares of all responses asked for. Differences allow for "
        f"{inputs.clusters}; adjusted p: Holm. In bold: below {alpha:g}.",
        columns=(
            ("Model", TEXT),
            ("Dimension", TEXT),
            ("Level", TEXT),
            ("Share", NUMBER),
            ("Reference", TEXT),
            ("Its share", NUMBER),
            ("Difference", NUMBER),
            ("Adjusted p", NUMBER),
            ("Note", TEXT),
        ),
        rows=tuple(
            (
                Cell(plain(row["model"])),
                Cell(heading_of(row["dimension"])),
                Cell(plain(row["group"])),
                _share(row["k_group"], row["n_group"]),
                Cell(plain(row["reference"])),
                _share(row["k_reference"], row["n_reference"]),
                Cell(
                    points(row["estimate"], signed=True),
                    row["estimate"],
                    known(row["p_adjusted"]) and row["p_adjusted"] < alpha,
                ),
                Cell(p_value(row["p_adjusted"]), row["p_adjusted"]),
                Cell(plain(row["note"] or "")),
            )
            for row in rows
        ),
    ).without_empty()


def bounds_table(inputs: ReportInputs) -> Table | None:
    """Primary differences under both extreme readings; None where nothing was left out."""
    outcome = inputs.outcome
    rows = [
        (
            Cell(plain(model)),
            Cell(heading_of(dimension)),
            Cell(plain(contrast.group)),
            Cell(plain(contrast.reference)),
            Cell(points(contrast.estimate, signed=True), contrast.estimate),
            _bound_cell(contrast.lowest, contrast.lowest_p_adjusted),
            _bound_cell(contrast.highest, contrast.highest_p_adjusted),
        )
        for model in inputs.models
        for dimension in inputs.dimensions
        for contrast in inputs.contrasts(model, outcome, dimension)
        if contrast.left_out
    ]
    if not rows:
        return None
    return Table(
        caption=f"{outcome.words.heading}: differences in points, and what they would be if all "
        "that was left out of a group were refusals and of its reference answers (highest), or "
        "the reverse (lowest)"
        + in_brackets("; adjusted p in brackets", (row[-2:] for row in rows))
        + ".",
        columns=(
            ("Model", TEXT),
            ("Dimension", TEXT),
            ("Level", TEXT),
            ("Reference", TEXT),
            ("Difference", NUMBER),
            ("Lowest", NUMBER),
            ("Highest", NUMBER),
        ),
        rows=tuple(rows),
    )


def cut_off_table(inputs: ReportInputs) -> Table | None:
    """Primary differences under both readings of cut-off responses; None where they agree."""
    chosen = inputs[CutOff].filter(
        pl.col("outcome") == str(inputs.outcome), pl.col("dimension").is_in(inputs.dimensions)
    )
    found: dict[tuple[str, str, str, str], dict[str, Row]] = {}
    for row in chosen.iter_rows(named=True):
        key = (row["model"], row["dimension"], row["group"], row["reference"])
        found.setdefault(key, {})[row["reading"]] = row
    rows = [
        (
            Cell(plain(model)),
            Cell(heading_of(dimension)),
            Cell(plain(group)),
            Cell(plain(reference)),
            *(_reading_cell(readings.get(str(reading))) for reading in CutReading),
        )
        for (model, dimension, group, reference), readings in found.items()
    ]
    if all(row[-1].text == row[-2].text for row in rows):
        return None
    return Table(
        caption=f"{inputs.outcome.words.heading}: differences in points where cut-off responses "
        "count by their label, and where they are left out"
        + in_brackets("; adjusted p in brackets", (row[-2:] for row in rows))
        + f". This study has analysis.truncated: {inputs.config.analysis.truncated}.",
        columns=(
            ("Model", TEXT),
            ("Dimension", TEXT),
            ("Level", TEXT),
            ("Reference", TEXT),
            ("Counted by label", NUMBER),
            ("Left out", NUMBER),
        ),
        rows=tuple(rows),
    )


def _reading_cell(row: Row | None) -> Cell:
    return Cell(NOTHING) if row is None else _bound_cell(row["estimate"], row["p_adjusted"])


def _bound_cell(estimate: float | None, p_adjusted: float | None) -> Cell:
    p = f" ({p_equals(p_adjusted)})" if known(p_adjusted) else ""
    return Cell(f"{points(estimate, signed=True)}{p}", estimate)


def _share(k: int, n: int) -> Cell:
    return Cell(f"{percent(k / n)} ({count(k)})" if n else NOTHING, k / n if n else None)
