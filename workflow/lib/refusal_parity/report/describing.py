"""The block 'for comparison': methods that only describe, each with why it is not used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.report.checking import false_positive_cells
from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table
from refusal_parity.statistics.false_alarms import (
    COVERAGE,
    FALSE_ALARMS,
    FALSE_ALARMS_TOGETHER,
    FEW_REFUSALS,
    MISSES,
)
from refusal_parity.tables import Disparity, SelfCheck
from refusal_parity.text import (
    METHOD_NAMES,
    NOTHING,
    heading_of,
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
    "treats all responses as independent, but those to one name and those to one template are alike"
)
_NULL: Final = "of simulated studies without any difference"
_FEW_NAMES: Final = "its standard errors are too small with few names in a group"


def _rejects(method: Method) -> str:
    return f"it rejects in {FALSE_ALARMS[method].words} {_NULL}, instead of 5 %"


WHY_NOT_USED: Final = {
    Method.NEWCOMBE: f"{_NAIVE}: the interval is far too narrow",
    Method.KATZ: f"{_NAIVE}: the interval is far too narrow",
    Method.CHI_SQUARE: f"{_NAIVE}: {_rejects(Method.CHI_SQUARE)}",
    Method.MANTEL_HAENSZEL: "allows for templates but not for names: "
    f"{_rejects(Method.MANTEL_HAENSZEL)}",
    Method.OLS_TWO_WAY: f"{_FEW_NAMES}: {_rejects(Method.OLS_TWO_WAY)}, when it tests one group, "
    f"and in up to {FALSE_ALARMS_TOGETHER[Method.OLS_TWO_WAY].high} % when it tests all groups "
    "together",
    Method.GLM_CLUSTER_NAME: f"{_FEW_NAMES}: {_rejects(Method.GLM_CLUSTER_NAME)}",
    Method.GLM_CLUSTER_TEMPLATE: "ignores that names differ: "
    f"{_rejects(Method.GLM_CLUSTER_TEMPLATE)}",
    Method.GLM_CLUSTER_TWO_WAY: f"{_FEW_NAMES}: {_rejects(Method.GLM_CLUSTER_TWO_WAY)}",
    Method.OLS_CR2_NAME: "with few names in a group, or few refusals, its test of all groups "
    f"together rejects in {FALSE_ALARMS_TOGETHER[Method.OLS_CR2_NAME].words} {_NULL}, and in "
    f"{FEW_REFUSALS[Method.OLS_CR2_NAME]} % where 1.5 % of responses are refusals, instead of "
    "5 %; its tests of single groups are used",
    Method.GLM_CR2_NAME: "an odds ratio within templates says nothing of those without a refusal; "
    "its type I error rate was not simulated",
    Method.BOOTSTRAP_NAMES: "percentiles of few names make its interval too narrow: it misses the "
    f"truth in {MISSES[Method.BOOTSTRAP_NAMES][8]} % of studies with eight names a group and in "
    f"{MISSES[Method.BOOTSTRAP_NAMES][4]} % with four, instead of 5 %",
    Method.BOOTSTRAP_PIGEONHOLE: "percentiles of few names make its interval too narrow: it covers "
    f"the truth in {COVERAGE[Method.BOOTSTRAP_PIGEONHOLE].words} of simulated studies, instead of "
    "95 %",
}
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
        NotUsed(name=METHOD_NAMES[method], reason=reason)
        for method, reason in WHY_NOT_USED.items()
        if method in used
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
