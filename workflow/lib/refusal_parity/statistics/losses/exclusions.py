"""The ledger of lost responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.statistics.uncounted import LABELLED, reason
from refusal_parity.tables import Exclusions, conform

if TYPE_CHECKING:
    import dataframely as dy

    from refusal_parity.config import AnalysisConfig


def exclusions(observations: pl.DataFrame, analysis: AnalysisConfig) -> dy.DataFrame[Exclusions]:
    """Count where every response went: labelled, refused by the service, or left out and why.

    Rows that the service refused stand apart whether they count as refusals or not.
    Each reason that occurs with a model stands at every level, with 0 where
    it does not occur there, so that levels can be compared line by line.

    Args:
        observations: rows of `observe`.
        analysis: names the dimensions; `all` is always there.

    Returns:
        Table of Exclusions; `share` is n over all responses of the level.
        Responses without a level (null) stand under `all` only.
    """
    reasons = observations.with_columns(reason().alias("reason"))
    parts = [_ledger(reasons, "all", pl.lit("all"))]
    parts += [_ledger(reasons, dimension, pl.col(dimension)) for dimension in analysis.dimensions]
    return conform(pl.concat(parts), Exclusions, where="exclusions")


def _ledger(reasons: pl.DataFrame, dimension: str, level: pl.Expr) -> pl.DataFrame:
    rows = reasons.select("model", "reason", level.alias("group")).drop_nulls("group")
    every = (
        rows.select("model", "group")
        .unique()
        .join(rows.select("model", "reason").unique(), on="model")
    )
    counts = rows.group_by("model", "group", "reason").agg(pl.len().cast(pl.Int64).alias("n"))
    return (
        every.join(counts, on=["model", "group", "reason"], how="left")
        .with_columns(pl.col("n").fill_null(0), pl.lit(dimension).alias("dimension"))
        .with_columns((pl.col("n") / pl.col("n").sum().over("model", "group")).alias("share"))
        .sort("model", "group", pl.col("reason") != LABELLED, "reason")
    )
