"""Tables of a small study, and the finding that its rows come to."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import polars as pl

from refusal_parity.config import AnalysisConfig
from refusal_parity.statistics.answering.table import Evidence, findings
from refusal_parity.statistics.methods import METHODS
from refusal_parity.tables import TABLES, conform, empty
from refusal_parity.vocabulary import Estimand, Scope

ANALYSIS = AnalysisConfig.model_validate(
    {
        "dimensions": {"group": {"reference": "white"}, "arm": {"reference": "plain"}},
        "outcomes": ["refusal", "partial_answer", "answer_length"],
        "primary_family": {"outcome": "refusal", "dimension": "group"},
    }
)
FIT, EXACT, PEOPLE = (
    "ols_cr2_two_way",
    "permutation_names_exact",
    "design_based",
)


def filled(key: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """A table of these rows, with null for what they do not say."""
    schema = TABLES[key].schema
    if not rows:
        return empty(schema)
    blank = dict.fromkeys(schema.column_names())
    frame = pl.DataFrame([blank | {"model": "m"} | row for row in rows], infer_schema_length=None)
    return conform(frame, schema, where=key)


def a_row(method: str = FIT, **values: Any) -> dict[str, Any]:
    """A row of disparity.parquet for black against white names."""
    estimand = values.get("estimand", Estimand.RISK_DIFFERENCE)
    row: dict[str, Any] = {
        "outcome": "refusal", "dimension": "group", "group": "black", "reference": "white",
        "method": method, "estimand": estimand, "valid": METHODS[method].controls(estimand),
        "scope": Scope.NEW_NAMES if method is EXACT else Scope.NEW_NAMES_AND_TEMPLATES,
        "n_group": 60, "n_reference": 90, "k_group": 30, "k_reference": 18,
        "family": f"primary: refusal by group, {method}",
    } | values  # fmt: skip
    if "p_value" not in values:
        row["p_value"] = row.get("p_adjusted")
    return row


def together(p: float) -> dict[str, Any]:
    row = a_row("permutation_names_f", estimand=Estimand.GLOBAL, estimate=0.3, p_value=p)
    return row | {"group": None, "reference": None, "scope": Scope.NEW_NAMES, "family": None}


def level(group: str, dimension: str = "group", **values: Any) -> dict[str, Any]:
    """A row of rates.parquet."""
    return {
        "outcome": "refusal", "dimension": dimension, "group": group, "within": "all",
        "within_group": "all", "n": 60, "k": 12, "n_names": 6, "n_templates": 10, "rate": 0.2,
    } | values  # fmt: skip


LEVELS = [
    level("all", "all", n=150, n_names=15, n_templates=10),
    level("black"),
    level("white", n_names=9),
]


def found(
    tests: list[dict[str, Any]],
    group: str | None = "black",
    *,
    outcome: str = "refusal",
    dimension: str = "group",
    contrast: str | None = None,
    **tables: list[dict[str, Any]],
) -> dict[str, Any]:
    """The row of a question."""
    given = {"rates": LEVELS, "disparity": tests} | tables
    keys = [each.name for each in fields(Evidence)]
    table = findings(Evidence(**{key: filled(key, given.get(key, [])) for key in keys}), ANALYSIS)
    rows = table.filter(
        pl.col("group").eq_missing(pl.lit(group, pl.String)),
        pl.col("contrast").eq_missing(pl.lit(contrast, pl.String)),
        outcome=outcome,
        dimension=dimension,
    ).to_dicts()
    assert len(rows) == 1
    return rows[0]


SURE = {"estimate": 0.3, "ci_low": 0.1, "ci_high": 0.5, "p_adjusted": 0.01}
UNSURE = SURE | {"p_adjusted": 0.3}
NONE = {"note": "not estimable: nothing varies"}
