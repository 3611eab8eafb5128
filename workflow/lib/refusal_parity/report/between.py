"""The table of models against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table
from refusal_parity.tables import Comparison
from refusal_parity.text import interval, p_value, plain, points
from refusal_parity.vocabulary import ModelEstimand

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs, Row

_ESTIMANDS: Final = {
    ModelEstimand.RATE_DIFFERENCE: "rate",
    ModelEstimand.DISPARITY_DIFFERENCE: "disparity",
    ModelEstimand.RATE_TREND: "rate, each doubling",
    ModelEstimand.DISPARITY_TREND: "disparity, each doubling",
}


def comparison_table(inputs: ReportInputs) -> Table | None:
    """Differences and trends of the primary outcome, in both scopes."""
    if inputs[Comparison].is_empty():
        return None
    rows = (
        inputs[Comparison]
        .filter(
            pl.col("outcome").cast(pl.String) == inputs.outcome,
            pl.col("dimension").is_in(["all", inputs.dimension]),
        )
        .to_dicts()
    )
    if not rows:
        return None
    alpha = inputs.config.analysis.alpha
    return Table(
        caption=f"{inputs.outcome.words.heading}: models against each other, in points. "
        f"Adjusted p: Benjamini and Hochberg. In bold: below {alpha:g}.",
        columns=(
            ("Models", TEXT),
            ("What", TEXT),
            ("Holds for", TEXT),
            ("Difference", NUMBER),
            (f"{inputs.confidence} interval", NUMBER),
            ("Adjusted p", NUMBER),
            ("Prompts", NUMBER),
            ("Note", TEXT),
        ),
        rows=tuple(
            (
                Cell(plain(row["contrast"])),
                Cell(_what(row)),
                Cell(row["scope"]),
                Cell(points(row["estimate"], signed=True), row["estimate"], _is_shown(row, alpha)),
                Cell(interval(row["ci_low"], row["ci_high"]), row["ci_low"]),
                Cell(p_value(row["p_adjusted"]), row["p_adjusted"]),
                Cell(str(row["n_prompts"]), row["n_prompts"]),
                Cell(plain(row["note"] or "")),
            )
            for row in rows
        ),
    ).without_empty()


def _is_shown(row: Row, alpha: float) -> bool:
    return row["p_adjusted"] is not None and row["p_adjusted"] < alpha


def _what(row: Row) -> str:
    words = _ESTIMANDS[ModelEstimand(row["estimand"])]
    if row["group"] is None:
        return words
    return f"{words}, {plain(row['group'])} against {plain(row['reference'])}"
