"""The block 'for comparison': classics that only describe, each with why it is not used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.report.checking import false_positive_cells
from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table
from refusal_parity.report.text import (
    METHOD_NAMES,
    NOTHING,
    interval,
    known,
    p_value,
    plain,
    points,
    ratio,
)
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs, Row

_NAIVE: Final = (
    "takes every response for independent, but responses to one prompt are nearly copies of each "
    "other and names and templates differ"
)
WHY_NOT_USED: Final = {
    Method.NEWCOMBE: f"{_NAIVE}: the interval is far too narrow",
    Method.KATZ: f"{_NAIVE}: the interval is far too narrow",
    Method.CHI_SQUARE: f"{_NAIVE}: it raised a false alarm in 67 to 86 % of simulated studies "
    "without any difference, instead of 5 %",
    Method.MANTEL_HAENSZEL: "allows for templates but not for names: false alarm in 52 to 95 % of "
    "simulated studies without any difference",
    Method.OLS_TWO_WAY: "its standard errors are too small with few names in a group: false alarm "
    "in 7 to 10 % of simulated studies without any difference for one group, in up to 16 % for all "
    "groups together, instead of 5 %",
    Method.GLM_CLUSTER_NAME: "its standard errors are too small with few names in a group: false "
    "alarm in 18 to 30 % of simulated studies without any difference",
    Method.GLM_CLUSTER_TEMPLATE: "takes names for copies of each other: false alarm in 72 to 97 % "
    "of simulated studies without any difference",
    Method.GLM_CLUSTER_TWO_WAY: "its standard errors are too small with few names in a group: "
    "false alarm in 16 to 28 % of simulated studies without any difference",
    Method.OLS_CR2_NAME: "with few names in a group, or few refusals, its test of all groups "
    "together is too ready to see a difference: false alarm in 5 to 10 % of simulated studies "
    "without any, and in 19 % where 1.5 % of responses are refusals; its tests of single groups "
    "are used",
    Method.GLM_CR2_NAME: "an odds ratio within templates says nothing of those without a refusal; "
    "its test was not tried on studies without any difference",
    Method.BOOTSTRAP_NAMES: "percentiles of few names make its interval too narrow: it misses the "
    "truth in 9 % of studies with eight names a group and in 14 % with four, instead of 5 %",
    Method.BOOTSTRAP_PIGEONHOLE: "percentiles of few names make its interval too narrow: it covers "
    "the truth in 90 to 94 % of simulated studies, instead of 95 %",
}
_ESTIMANDS: Final = {
    Estimand.RISK_DIFFERENCE: "difference in points",
    Estimand.RISK_RATIO: "risk ratio",
    Estimand.ODDS_RATIO: "odds ratio",
    Estimand.GLOBAL: "all groups together",
}


@dataclass(frozen=True, kw_only=True)
class Classic:
    """A method that only describes, and why."""

    name: str
    reason: str


def classics(inputs: ReportInputs) -> list[Classic]:
    """The methods of which the study's tables have results that only describe."""
    used = set(inputs.disparity.filter(~pl.col("valid"))["method"].cast(str).unique().to_list())
    return [
        Classic(name=METHOD_NAMES[method], reason=reason)
        for method, reason in WHY_NOT_USED.items()
        if method in used
    ]


def classics_table(inputs: ReportInputs) -> Table:
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
        if inputs.selfcheck is not None
        else {}
    )
    return Table(
        caption="Descriptive classics, not corrected. Their p-values do not hold their level on "
        "this design and are no findings.",
        columns=(
            ("Model", TEXT),
            ("Method", TEXT),
            (inputs.dimension.capitalize(), TEXT),
            ("What", TEXT),
            ("Value", NUMBER),
            (f"{inputs.confidence} interval", NUMBER),
            ("p, not valid", NUMBER),
            *((("False positives here", NUMBER),) if checked else ()),
        ),
        rows=tuple(
            (
                Cell(plain(row["model"])),
                Cell(METHOD_NAMES.get(row["method"], plain(row["method"]))),
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
