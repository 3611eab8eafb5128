"""The classifier's confusion matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.tables import Confusion, conform

if TYPE_CHECKING:
    import dataframely as dy


def confusions(rows: pl.DataFrame) -> dy.DataFrame[Confusion]:
    """Counts by model, yardstick, its label (`truth`) and the classifier's (`given`).

    People of the probability sample are the yardstick where there are any, else
    the imported labels.

    Args:
        rows: `Ratings.rows`.
    """
    people = rows.filter(
        pl.col("human").is_not_null() & pl.col("inclusion_probability").is_not_null()
    ).with_columns(yardstick=pl.lit("human"), truth="human")
    imported = rows.filter(pl.col("imported").is_not_null()).with_columns(
        yardstick=pl.lit("imported"), truth="imported"
    )
    by_people = people["model"].unique().to_list()
    both = pl.concat([people, imported.filter(~pl.col("model").is_in(by_people))])
    counts = (
        both.drop_nulls("classifier")
        .group_by("model", "yardstick", "truth", given="classifier")
        .agg(n=pl.len())
        .sort("model", "truth", "given")
    )
    return conform(counts, Confusion, where="confusion")
