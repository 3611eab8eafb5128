"""Studies of a few rows, to be put into words."""

from __future__ import annotations

from typing import Any

import polars as pl
from report_study import config_of, make_prompts, tables_by_schema, with_findings
from report_tables import disparity_row

from refusal_parity.outcomes import Outcome
from refusal_parity.report import ReportInputs
from refusal_parity.report.wording import statement
from refusal_parity.tables import Rates
from refusal_parity.vocabulary import Estimand, Scope, Verdict

BIG = {"estimate": 0.281, "ci_low": 0.182, "ci_high": 0.38}


def rate(
    model: str, group: str, n: int = 768, k: int | None = 100, **values: Any
) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(Rates.column_names())
    return row | {
        "model": model, "outcome": "refusal", "dimension": "group", "group": group,
        "within": "all", "within_group": "all", "n": n, "k": k or 0, "n_names": 8,
        "n_templates": 32, "rate": k / n if n and k is not None else None,
    } | values  # fmt: skip


def pair(**values: Any) -> list[dict[str, Any]]:
    """A contrast as the statistics give it: the linear model and the exact permutation."""
    keys = ("ci_low", "ci_high", "note", "p_adjusted")
    fit = {key: values.pop(key) for key in keys if key in values}
    exact = values.pop("p_names", fit.get("p_adjusted"))
    contrast = {"group": "muslim", "reference": "white"} | values
    return [
        disparity_row(**contrast, **fit, p_value=fit.get("p_adjusted")),
        disparity_row(
            **contrast, method="permutation_names_exact", p_adjusted=exact, p_value=exact
        ),
    ]


def whole(p: float | None) -> dict[str, Any]:
    return disparity_row(
        method="permutation_names_f", estimand=Estimand.GLOBAL, scope=Scope.NEW_NAMES, p_value=p
    )


def study(
    tests: list[dict[str, Any]],
    rates: list[dict[str, Any]] | None = None,
    *,
    dimension: str = "group",
    **tables: Any,
) -> ReportInputs:
    rates = rates or [rate("m", "muslim"), rate("m", "white"), rate("m", "black")]
    found = {
        "prompts": make_prompts(),
        "rates": pl.DataFrame(rates, infer_schema_length=None),
        "disparity": pl.DataFrame(tests, infer_schema_length=None),
    }
    compared = (
        {}
        if dimension == "group"
        else {
            "dimensions": {dimension: {"reference": "white"}},
            "primary_family": {"outcome": "refusal", "dimension": dimension},
        }
    )
    return with_findings(
        ReportInputs(
            config=config_of(["m"], **compared), tables=tables_by_schema(**found, **tables)
        )
    )


def told(tests: list[dict[str, Any]], **given: Any) -> tuple[Verdict, str]:
    """What is said of the groups' refusals by these tests, and the verdict."""
    found = statement(study(tests, **given), "m", Outcome.REFUSAL, "group")
    return found.verdict, " ".join([found.lead, *found.details])
