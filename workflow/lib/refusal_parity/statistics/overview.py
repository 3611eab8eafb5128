"""The table of models side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.statistics.methods.randomisation import PERMUTATION_NAMES_F
from refusal_parity.tables import Overview, conform
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dataframely as dy

_KEY: Final = ["model", "outcome", "dimension"]
_UNTESTED: Final = "no randomisation over names: levels are not a property of names"


def overview(
    rates: Sequence[pl.DataFrame], disparities: Sequence[pl.DataFrame]
) -> dy.DataFrame[Overview]:
    """Set the models' overall rates and spreads between groups beside each other.

    Args:
        rates: tables of Rates, of one model each or of several.
        disparities: tables of Disparity of the same models.

    Returns:
        Table of Overview: one row for each model, outcome and compared
        dimension. Of two levels with the same rate the first in the alphabet
        is named; where one level alone has a rate, there is no spread.
    """
    counted = pl.concat([_plain(table) for table in rates]).filter(pl.col("within") == "all")
    # A mean length is no rate: it stands in the table of lengths.
    tested = pl.concat([_plain(table) for table in disparities]).filter(
        pl.col("outcome").is_in(counted["outcome"].unique().implode())
    )
    overall = counted.filter(pl.col("dimension") == "all").select(
        "model", "outcome", "n", "rate", "ci_low", "ci_high", pl.col("note").alias("rate_note")
    )
    ranked = counted.drop_nulls("rate").sort("rate", "group").group_by(_KEY, maintain_order=True)
    extremes = ranked.agg(
        pl.first("group").alias("lowest_group"),
        pl.first("rate").alias("lowest_rate"),
        pl.col("group")
        .sort_by("rate", "group", descending=[True, False])
        .first()
        .alias("highest_group"),
        pl.max("rate").alias("highest_rate"),
        levels=pl.len(),
    )
    # Of a prompt list there are no names to randomise.
    listed = {
        dimension
        for dimension, scope in tested.select("dimension", pl.col("scope").cast(pl.String))
        .unique()
        .iter_rows()
        if scope == Scope.NEW_PROMPTS
    }
    randomised = tested.filter(pl.col("method") == PERMUTATION_NAMES_F).select(
        *_KEY, "p_value", pl.col("note").alias("test_note"), pl.lit(value=True).alias("is_tested")
    )
    compared = (
        tested.select(_KEY)
        .unique(maintain_order=True)
        .join(overall, on=["model", "outcome"], how="left", maintain_order="left")
        .join(extremes, on=_KEY, how="left", maintain_order="left")
        .join(randomised, on=_KEY, how="left", maintain_order="left")
        .with_columns(
            # One rate alone is no lowest and highest one that lie 0 apart.
            pl.when(pl.col("levels") > 1)
            .then(pl.col("highest_rate") - pl.col("lowest_rate"))
            .alias("spread"),
            pl.when("is_tested")
            .then("test_note")
            .when(~pl.col("dimension").is_in(sorted(listed)))
            .then(pl.lit(_UNTESTED))
            .alias("test_note"),
        )
        .with_columns(
            pl.concat_str("rate_note", "test_note", separator="; ", ignore_nulls=True)
            .replace("", None)
            .alias("note")
        )
    )
    return conform(compared, Overview, where="overview")


def _plain(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(pl.col("outcome").cast(pl.String))
