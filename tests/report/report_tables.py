"""Tables of a made-up study as the statistics would make them."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.methods import METHODS
from refusal_parity.tables import (
    Disparity,
)
from refusal_parity.vocabulary import Estimand, Label, Scope

COUNTED = {
    Outcome.REFUSAL: [Label.REFUSAL, Label.HARMFUL_REFUSAL],
    Outcome.HARMFUL_REFUSAL: [Label.HARMFUL_REFUSAL],
    Outcome.NO_FULL_ANSWER: [label for label in Label if label is not Label.ANSWER],
    Outcome.ANY_REFUSAL: [Label.REFUSAL, Label.HARMFUL_REFUSAL, Label.PARTIAL_ANSWER],
    Outcome.PARTIAL_ANSWER: [Label.PARTIAL_ANSWER],
}
T_95 = 2.36


def _rate(frame: pl.DataFrame, outcome: Outcome, **key: str) -> dict[str, Any]:
    known = frame.filter(pl.col("label").is_not_null())
    hit = known["label"].is_in([label.value for label in COUNTED[outcome]])
    n, k = len(known), int(hit.sum())
    rate = k / n if n else None
    row: dict[str, Any] = {
        "outcome": outcome, "dimension": "all", "group": "all", "within": "all",
        "within_group": "all", "n": n, "k": k, "n_names": known["name_id"].n_unique(),
        "n_templates": known["template_id"].n_unique(), "rate": rate,
    } | key  # fmt: skip
    if rate is None:
        return row | {"note": "no response that counts (all empty)"}
    off = hit.cast(pl.Float64).to_numpy() - rate
    name, template = (known[column].to_numpy() for column in ("name_code", "template_code"))
    variance = (
        sum(
            sign * (np.bincount(codes, off) ** 2).sum()
            for codes, sign in ((name, 1), (template, 1), (name * 64 + template, -1))
        )
        / n**2
    )
    error = max(variance, 1e-9) ** 0.5
    z = 1.96
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z * (rate * (1 - rate) / n + z * z / (4 * n * n)) ** 0.5 / (1 + z * z / n)
    return row | {
        "wilson_low": max(centre - half, 0.0), "wilson_high": min(centre + half, 1.0),
        "std_error": error, "ci_low": max(rate - T_95 * error, 0.0),
        "ci_high": min(rate + T_95 * error, 1.0),
    }  # fmt: skip


def make_rates(rows: pl.DataFrame) -> pl.DataFrame:
    columns = {"template": "template_id", "name": "name_id"}
    one_way = ["group", "gender", "commonness", "family", "arm", "template", "name", "sample"]
    two_way = [("group", "template"), ("name", "group"), ("group", "gender"),
               ("group", "commonness")]  # fmt: skip
    found = []
    rows = rows.with_columns(
        name_code=pl.col("name_id").rank("dense").cast(pl.Int64),
        template_code=pl.col("template_id").rank("dense").cast(pl.Int64),
    )
    for (model,), frame in rows.group_by("model", maintain_order=True):
        for outcome in COUNTED:
            made = [_rate(frame, outcome)]
            for dimension in one_way:
                column = columns.get(dimension, dimension)
                for (level,), part in frame.group_by(column, maintain_order=True):
                    made.append(_rate(part, outcome, dimension=dimension, group=str(level)))
            for dimension, within in two_way:
                keys = [columns.get(name, name) for name in (dimension, within)]
                for (level, outer), part in frame.group_by(keys, maintain_order=True):
                    made.append(
                        _rate(part, outcome, dimension=dimension, group=str(level),
                              within=within, within_group=str(outer))
                    )  # fmt: skip
            found += [{"model": model, "note": None} | row for row in made]
    return pl.DataFrame(found, infer_schema_length=None)


def make_pooled(rows: pl.DataFrame) -> pl.DataFrame:
    """Rates of names half-way to those of their group, and of templates to all; ends made up."""
    found = []
    hit = pl.col("label").is_in(["refusal", "harmful_refusal"])
    known = rows.drop_nulls("label").with_columns(whole=pl.lit("all"))
    for unit, others in (("name", "group"), ("template", "whole")):
        shares = known.group_by("model", f"{unit}_id", others, maintain_order=True).agg(
            n=pl.len().cast(pl.Int64), k=hit.sum().cast(pl.Int64)
        )
        both = shares.with_columns(rate=pl.col("k") / pl.col("n")).with_columns(
            pooled=(pl.col("rate") + pl.col("rate").mean().over("model", others)) / 2
        )
        found.append(
            both.select(
                "model",
                pl.lit("refusal").alias("outcome"),
                pl.lit(unit).alias("unit"),
                pl.col(f"{unit}_id").alias("key"),
                (pl.col("group") if unit == "name" else pl.lit(None, pl.String)).alias("group"),
                "n", "k", "rate", "pooled",
                (pl.col("pooled") - 0.06).clip(0, 1).alias("pooled_low"),
                (pl.col("pooled") + 0.08).clip(0, 1).alias("pooled_high"),
                pl.lit(None, pl.String).alias("note"),
            )
        )  # fmt: skip
    return pl.concat(found)


def disparity_row(**values: Any) -> dict[str, Any]:
    """A row of the disparity table; what is not given is null."""
    method = values.get("method", "ols_cr2_two_way")
    row: dict[str, Any] = dict.fromkeys(Disparity.column_names())
    return row | {
        "model": "m", "outcome": "refusal", "dimension": "group", "method": method,
        "scope": Scope.NEW_NAMES_AND_TEMPLATES, "estimand": Estimand.RISK_DIFFERENCE,
        "valid": METHODS[method].controls(values.get("estimand", Estimand.RISK_DIFFERENCE)),
    } | values  # fmt: skip


def make_disparity(rates: pl.DataFrame, reference: str) -> pl.DataFrame:
    found = []
    plain = rates.filter(pl.col("dimension") == "group", pl.col("within") == "all")
    for (model, outcome), part in plain.group_by("model", "outcome", maintain_order=True):
        levels = {row["group"]: row for row in part.to_dicts()}
        base = levels[reference]
        even = not str(model).endswith("guarded")
        key = {"model": model, "outcome": outcome}
        found.append(
            disparity_row(**key, method="permutation_names_f", estimand=Estimand.GLOBAL,
                          scope=Scope.NEW_NAMES, p_value=0.41 if even else 1e-5,
                          estimate=0.28, statistic=0.28)
        )  # fmt: skip
        found.append(
            disparity_row(**key, method="chi_square", estimand=Estimand.GLOBAL,
                          scope=Scope.THESE_RESPONSES, p_value=1e-12, statistic=88.3, df=6.0)
        )  # fmt: skip
        for group, row in levels.items():
            if group == reference:
                continue
            pair = key | {
                "group": group, "reference": reference, "n_group": row["n"],
                "n_reference": base["n"], "k_group": row["k"], "k_reference": base["k"],
            }  # fmt: skip
            estimate = row["rate"] - base["rate"]
            error = (row["std_error"] ** 2 + base["std_error"] ** 2) ** 0.5 * 0.7
            p = 1.0 if even else float(min(1, np.exp(-((estimate / error) ** 2) / 2)))
            found += [
                disparity_row(**pair, estimate=estimate, std_error=error, df=7.0,
                              ci_low=estimate - T_95 * error, ci_high=estimate + T_95 * error,
                              statistic=estimate / error, p_value=p,
                              p_adjusted=min(1.0, 6 * p), family="primary"),
                disparity_row(**pair, method="permutation_names_exact",
                              scope=Scope.NEW_NAMES, estimate=estimate, p_value=p,
                              p_adjusted=min(1.0, 6 * p), family="primary"),
                disparity_row(**pair, method="newcombe", scope=Scope.THESE_RESPONSES,
                              estimate=estimate, ci_low=estimate - 0.03, ci_high=estimate + 0.03),
                disparity_row(**pair, method="katz", scope=Scope.THESE_RESPONSES,
                              estimand=Estimand.RISK_RATIO, estimate=row["rate"] / base["rate"],
                              ci_low=0.9, ci_high=3.1),
                disparity_row(**pair, method="mantel_haenszel", estimand=Estimand.ODDS_RATIO,
                              scope=Scope.THESE_RESPONSES, estimate=2.1, ci_low=1.4, ci_high=3.3,
                              p_value=0.00002),
                disparity_row(**pair, method="glm_cluster_name", estimate=2.1, ci_low=1.2,
                              estimand=Estimand.ODDS_RATIO, scope=Scope.NEW_NAMES, ci_high=3.9,
                              p_value=0.004),
            ]  # fmt: skip
    return pl.DataFrame(found, infer_schema_length=None)


def make_exclusions(rows: pl.DataFrame) -> pl.DataFrame:
    rows = rows.with_columns(reason=pl.col("exclusion").fill_null("labelled"), all=pl.lit("all"))
    parts = [
        rows.group_by("model", pl.col(dimension).alias("group"), "reason", maintain_order=True)
        .agg(n=pl.len().cast(pl.Int64))
        .with_columns(
            dimension=pl.lit(dimension),
            share=pl.col("n") / pl.col("n").sum().over("model", "group"),
        )
        for dimension in ("all", "group")
    ]
    return pl.concat(parts)


def make_overview(rates: pl.DataFrame, disparity: pl.DataFrame) -> pl.DataFrame:
    found = []
    tests = disparity.filter(pl.col("method") == "permutation_names_f")
    for row in rates.filter(pl.col("dimension") == "all").to_dicts():
        same = (pl.col("model") == row["model"]) & (pl.col("outcome") == row["outcome"])
        groups = rates.filter(same, pl.col("dimension") == "group", pl.col("within") == "all").sort(
            "rate"
        )
        low, high = groups.row(0, named=True), groups.row(-1, named=True)
        found.append(
            {key: row[key] for key in ("model", "outcome", "n", "rate", "ci_low", "ci_high")}
            | {
                "dimension": "group", "lowest_group": low["group"], "lowest_rate": low["rate"],
                "highest_group": high["group"], "highest_rate": high["rate"],
                "spread": high["rate"] - low["rate"],
                "p_value": tests.filter(same)["p_value"].item(), "note": None,
            }
        )  # fmt: skip
    return pl.DataFrame(found)
