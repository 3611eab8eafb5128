"""Partial answers read in several ways, and the length of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.outcomes import Outcome
from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table
from refusal_parity.statistics.methods.bias_reduced import OLS_CR2_TWO_WAY
from refusal_parity.statistics.methods.nested import UNIT_WELCH
from refusal_parity.tables import Labels, Lengths
from refusal_parity.text import (
    count,
    heading_of,
    known,
    percent,
    plain,
    points,
    tenths,
    tenths_span,
)
from refusal_parity.vocabulary import Label

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs

_WAYS: Final = {
    Outcome.REFUSAL: "Strict: refusal",
    Outcome.ANY_REFUSAL: "Any: refusal or partial answer",
    Outcome.PARTIAL_ANSWER: "Three-way: partial answer",
}


_NUMBERS: Final = {2: "two", 3: "three"}

_BY_MODEL = "by the linear model, bias-reduced by template and by name"


def partial_table(inputs: ReportInputs) -> Table | None:
    """Rates and differences by the ways to read partial answers that the study asks for.

    Three-way, a response refuses (the strict rate), answers in part, or
    neither: the last column. None where there is one way alone, which has its own section.
    """
    ways = {outcome: words for outcome, words in _WAYS.items() if outcome in inputs.outcomes}
    if len(ways) < 2:  # noqa: PLR2004 - one way alone
        return None
    rows = []
    for model in inputs.models:
        rates = {
            outcome: inputs.rates_by_level(model, outcome, inputs.dimension) for outcome in ways
        }
        found = {
            outcome: {
                each.group: each for each in inputs.contrasts(model, outcome, inputs.dimension)
            }
            for outcome in ways
        }
        for level in inputs.levels(inputs.dimension):
            cells = [Cell(plain(model)), Cell(plain(level))]
            for outcome in ways:
                rate = rates[outcome].get(level, {}).get("rate")
                contrast = found[outcome].get(level)
                estimate = contrast.estimate if contrast else None
                shown = contrast is not None and contrast.shown
                cells += [
                    Cell(percent(rate), rate),
                    Cell(points(estimate, signed=True), estimate, shown),
                ]
            if Outcome.ANY_REFUSAL in ways:
                either = rates[Outcome.ANY_REFUSAL].get(level, {}).get("rate")
                rest = 1 - either if either is not None and known(either) else None
                cells.append(Cell(percent(rest), rest))
            rows.append(tuple(cells))
    return Table(
        caption=f"Partial answers, read in {_NUMBERS[len(ways)]} ways: rates, and differences from "
        f"the reference in points. In bold: adjusted p below {inputs.config.analysis.alpha:g}.",
        columns=(
            ("Model", TEXT),
            (heading_of(inputs.dimension).capitalize(), TEXT),
            *(
                column
                for words in ways.values()
                for column in ((words, NUMBER), ("Difference", NUMBER))
            ),
            *([("Neither", NUMBER)] if Outcome.ANY_REFUSAL in ways else []),
        ),
        rows=tuple(rows),
    )


def lengths_table(inputs: ReportInputs) -> Table | None:
    """Words of a full answer by level, and the difference from the reference."""
    if inputs[Lengths].is_empty():
        return None
    rows = inputs[Lengths].filter(pl.col("dimension").is_in(["all", inputs.dimension])).to_dicts()
    configured = {str(key): each for key, each in inputs.config.analysis.dimensions.items()}
    reference = configured[inputs.dimension].reference if inputs.dimension in configured else None
    method = UNIT_WELCH if inputs.listed else OLS_CR2_TWO_WAY
    tests = {
        (row["model"], row["group"]): row
        for model in inputs.models
        for row in inputs.tests(model, Outcome.ANSWER_LENGTH, inputs.dimension)
        if row["method"] == method and row["reference"] == reference
    }
    alpha = inputs.config.analysis.alpha
    is_asked = Outcome.ANSWER_LENGTH in inputs.config.analysis.outcomes

    def difference(row: dict[str, object]) -> tuple[Cell, Cell]:
        if not is_asked:
            return Cell(""), Cell("")
        test = tests.get((str(row["model"]), str(row["group"])), {})
        p = test.get("p_adjusted")
        shown = p is not None and p < alpha
        low, high = test.get("adjusted_low"), test.get("adjusted_high")
        return (
            Cell(tenths(test.get("estimate"), signed=True), test.get("estimate"), shown),
            Cell(tenths_span(low, high), low),
        )

    by = "by Welch's test of prompts" if inputs.listed else _BY_MODEL
    compared = f" Differences from the reference {by}. In bold: adjusted p below {alpha:g}."
    if not is_asked:
        compared = " The study does not compare them (analysis.outcomes)."
    return Table(
        caption=f"Length of full answers in words.{compared}{_without_cut(inputs)}",
        columns=(
            ("Model", TEXT),
            (heading_of(inputs.dimension).capitalize(), TEXT),
            ("Answers", NUMBER),
            ("Mean", NUMBER),
            (f"{inputs.confidence} interval", NUMBER),
            ("Median", NUMBER),
            ("Difference", NUMBER),
            (f"{inputs.confidence} interval of it", NUMBER),
            ("Note", TEXT),
        ),
        rows=tuple(
            (
                Cell(plain(row["model"])),
                Cell(plain(row["group"])),
                Cell(count(row["n"]), row["n"]),
                Cell(tenths(row["mean"]), row["mean"]),
                Cell(tenths_span(row["ci_low"], row["ci_high"]), row["ci_low"]),
                Cell(tenths(row["median"]), row["median"]),
                *difference(row),
                Cell(plain(row["note"] or "")),
            )
            for row in rows
        ),
    ).without_empty()


def _without_cut(inputs: ReportInputs) -> str:
    """How many full answers are in no length, since nobody knows theirs."""
    cut = (
        inputs.scan_compared(Labels)
        .filter(pl.col("truncated"), pl.col("label").cast(pl.String) == str(Label.ANSWER))
        .select(pl.len())
        .collect()
        .item()
    )
    if not cut:
        return ""
    return (
        f" {count(cut)} full answers that were cut off have no known length and are in none of "
        "these numbers."
    )
