"""The block 'for comparison': methods that only describe, each with why it is not used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.report.checking import false_positive_cells
from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table
from refusal_parity.statistics.methods import METHODS
from refusal_parity.tables import Disparity, SelfCheck
from refusal_parity.text import (
    NOTHING,
    heading_of,
    interval,
    known,
    p_value,
    plain,
    points,
    ratio,
)
from refusal_parity.vocabulary import Estimand

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs, Row

_ESTIMANDS: Final = {
    Estimand.RISK_DIFFERENCE: "difference in points",
    Estimand.RISK_RATIO: "risk ratio",
    Estimand.ODDS_RATIO: "odds ratio",
    Estimand.GLOBAL: "all groups together",
}


@dataclass(frozen=True, kw_only=True)
class NotUsed:
    """A method that only describes, and why."""

    name: str
    reason: str


def naive_methods(inputs: ReportInputs) -> list[NotUsed]:
    """The methods of which the study's tables have results that only describe."""
    used = set(inputs[Disparity].filter(~pl.col("valid"))["method"].cast(str).unique().to_list())
    return [
        NotUsed(name=method.heading, reason=method.describes.reason)
        for method in METHODS.values()
        if method.describes is not None and method in used
    ]


def naive_table(inputs: ReportInputs) -> Table:
    """Numbers of the descriptive methods, for the primary outcome and dimension."""
    configured = {str(key): each for key, each in inputs.config.analysis.dimensions.items()}
    reference = configured[inputs.dimension].reference if inputs.dimension in configured else None
    rows = [
        row
        for model in inputs.models
        for row in inputs.tests(model, inputs.outcome, inputs.dimension)
        if not row["valid"] and row["reference"] in {None, reference}
    ]
    checked = (
        {model: false_positive_cells(inputs, model) for model in inputs.models}
        if not inputs[SelfCheck].is_empty()
        else {}
    )
    return Table(
        caption="Naive methods, for description, not corrected for several tests. They do not "
        "control the type I error on this design: their p-values are no findings.",
        columns=(
            ("Model", TEXT),
            ("Method", TEXT),
            (heading_of(inputs.dimension).capitalize(), TEXT),
            ("What", TEXT),
            ("Value", NUMBER),
            (f"{inputs.confidence} interval", NUMBER),
            ("p, not valid", NUMBER),
            *((("Type I error rate here", NUMBER),) if checked else ()),
        ),
        rows=tuple(
            (
                Cell(plain(row["model"])),
                Cell(plain(METHODS[row["method"]].heading)),
                Cell(plain(row["group"] or "all")),
                Cell(_ESTIMANDS.get(row["estimand"], plain(row["estimand"]))),
                Cell(_value(row), row["estimate"]),
                Cell(_interval(row), row["ci_low"]),
                Cell(p_value(row["p_value"]), row["p_value"]),
                *(
                    (checked[row["model"]].get((row["method"], row["estimand"]), Cell(NOTHING)),)
                    if checked
                    else ()
                ),
            )
            for row in rows
        ),
    )


def _value(row: Row) -> str:
    if row["estimand"] == Estimand.RISK_DIFFERENCE:
        return points(row["estimate"], signed=True)
    return NOTHING if row["estimand"] == Estimand.GLOBAL else ratio(row["estimate"])


def _interval(row: Row) -> str:
    if row["estimand"] == Estimand.RISK_DIFFERENCE:
        return interval(row["ci_low"], row["ci_high"])
    # An odds ratio's interval may end at infinity: that is a bound, and it is said.
    if row["ci_low"] is None or row["ci_high"] is None or not known(row["ci_low"]):
        return NOTHING
    return f"{ratio(row['ci_low'])} to {ratio(row['ci_high'])}"
