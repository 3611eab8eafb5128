"""Rates of every arm, of harmless and of unsafe requests, with what was stopped and left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.factors import KIND
from refusal_parity.statistics.failures import unheard
from refusal_parity.statistics.pairing import ALL
from refusal_parity.statistics.rates import rates
from refusal_parity.tables import SafeguardRates, conform

if TYPE_CHECKING:
    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.failures import Say


def safeguard_rates(
    observations: pl.DataFrame, analysis: AnalysisConfig, say: Say = unheard
) -> dy.DataFrame[SafeguardRates]:
    """Rates of each model, arm and kind of request, for all and for each level compared.

    Args:
        observations: rows of `observe`, everything kept, with `kind`.
        analysis: outcomes, dimensions, alpha.
        say: hears what failed numerically.
    """
    dimensions = [ALL, *(key for key in analysis.dimensions if key not in {"arm", KIND})]
    parts = []
    for (arm, kind), part in observations.group_by("arm", "kind", maintain_order=True):
        found = rates(part, analysis, say).filter(
            pl.col("within") == ALL, pl.col("dimension").is_in(dimensions)
        )
        lost = pl.concat(_lost(part, dimension) for dimension in dimensions)
        parts.append(
            found.join(lost, on=["model", "dimension", "group"], how="left", maintain_order="left")
            .with_columns(arm=pl.lit(arm), kind=pl.lit(kind))
            .select(SafeguardRates.column_names())
        )
    return conform(pl.concat(parts), SafeguardRates, where="rates of safeguards")


def _lost(part: pl.DataFrame, dimension: str) -> pl.DataFrame:
    level = pl.lit(ALL) if dimension == ALL else pl.col(dimension)
    return (
        part.with_columns(level=level)
        .drop_nulls("level")
        .group_by("model", group="level")
        .agg(
            n_stopped=pl.col("filtered").sum().cast(pl.Int64),
            n_cut=(pl.col("truncated") & pl.col("label").is_not_null()).sum().cast(pl.Int64),
            n_left_out=pl.col("label").is_null().sum().cast(pl.Int64),
        )
        .with_columns(dimension=pl.lit(dimension))
    )
