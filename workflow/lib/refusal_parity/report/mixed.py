"""Odds ratios and variances of the mixed models, for one name and one template."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table
from refusal_parity.tables import MixedModels
from refusal_parity.text import NOTHING, known, percent, plain, question, ratio
from refusal_parity.vocabulary import MixedQuantity

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs, Row


def mixed_table(inputs: ReportInputs) -> Table | None:
    """Odds ratios and variances of the primary outcome and dimension; None where none were fitted.

    Without p-values: the model's tests reject too often on this design.
    """
    if inputs[MixedModels].is_empty():
        return None
    of_model = {model: at for at, model in enumerate(inputs.models)}
    rows = (
        inputs[MixedModels]
        .filter(
            pl.col("outcome").cast(pl.String) == inputs.outcome,
            pl.col("dimension") == inputs.dimension,
            pl.col("quantity").cast(pl.String) != MixedQuantity.LIKELIHOOD_RATIO.value,
        )
        .sort(pl.col("model").replace_strict(of_model, default=len(of_model)), maintain_order=True)
    )
    return Table(
        caption=f"{question(inputs.outcome, inputs.dimension)}: logistic model with "
        "random intercepts of names and templates. Odds ratios compare one name with another on "
        "one template; they lie further from 1 than those of whole groups.",
        columns=(
            ("Model", TEXT),
            ("What", TEXT),
            ("Of", TEXT),
            ("Value", NUMBER),
            (f"{inputs.confidence} interval", NUMBER),
            ("Share of variance", NUMBER),
            ("Note", TEXT),
        ),
        rows=tuple(
            (
                Cell(plain(row["model"])),
                Cell("odds ratio" if row["reference"] else "variance"),
                Cell(_term(row)),
                Cell(ratio(row["estimate"]), row["estimate"]),
                Cell(_interval(row), row["ci_low"]),
                Cell("" if row["share"] is None else percent(row["share"]), row["share"]),
                Cell(plain(row["note"] or "")),
            )
            for row in rows.to_dicts()
        ),
    ).without_empty()


def _term(row: Row) -> str:
    if row["reference"]:
        return f"{plain(row['term'])} against {plain(row['reference'])}"
    return f"{plain(row['term'])}s"


def _interval(row: Row) -> str:
    if not known(row["ci_low"]) or row["ci_high"] is None:
        return NOTHING if row["reference"] else ""
    return f"{ratio(row['ci_low'])} to {ratio(row['ci_high'])}"
