"""What each response stands for among all that a prompt's weighed rate is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.openings.strata import CONTINUED, strata
from refusal_parity.tables import WeighedResponses, conform

if TYPE_CHECKING:
    import dataframely as dy


def responses_weighed(  # noqa: PLR0913, PLR0917 - the tables of a model
    openings: pl.DataFrame,
    probabilities: pl.DataFrame,
    propensity: pl.DataFrame,
    drawn: pl.DataFrame,
    labels: pl.DataFrame,
    leaf_labels: pl.DataFrame,
    *,
    longest: int,
    continued: float = CONTINUED,
) -> dy.DataFrame[WeighedResponses]:
    """Every response that the machine labelled, with the probability that it stands for.

    Weights are those of `strata` with n the prompt's ordinary draws that the machine labelled,
    also where it is too much in doubt for a label: people's labels correct what it says of all.

    Args:
        openings: a table of `Openings`, of one model.
        probabilities: of `OpeningProbabilities`.
        propensity: of `Propensity`.
        drawn: of `DrawnOpenings`.
        labels: of `Labels`.
        leaf_labels: of `LeafLabels`.
        longest: see `strata`.
        continued: likewise.
    """
    leaves = strata(openings, probabilities, propensity, longest=longest, continued=continued)
    ordinary = drawn.rename({"opening": "leaf"}).join(
        labels.select("prompt_id", "sample", "machine_label"), on=["prompt_id", "sample"]
    )
    given = leaf_labels.select(
        "model", "prompt_id", "sample", "opening", "machine_label", leaf="opening"
    )
    rows = (
        pl.concat([ordinary.with_columns(opening=pl.lit("")), given], how="diagonal")
        .drop_nulls("machine_label")
        .join(propensity.filter(pl.col("drawn") > 0).select("prompt_id"), on="prompt_id")
        .join(
            leaves.select("prompt_id", "chance", "share", "expected", leaf="opening"),
            on=["prompt_id", "leaf"],
            how="left",
            maintain_order="left",
        )
        .with_columns(n=(pl.col("opening") == "").sum().over("prompt_id"))
        # Of a leaf without any probability nothing is expected, whatever a draw shows.
        .with_columns(inside=pl.col("chance").is_not_null())
    )
    hoped = pl.col("n") * pl.col("chance") + pl.col("expected")
    return conform(
        rows.with_columns(
            leaf=pl.when("inside").then("leaf").otherwise(pl.lit("")),
            share=pl.when("inside").then("share").otherwise(0.0),
            weight=pl.when("inside").then(pl.col("chance") / hoped).otherwise(1 / pl.col("n")),
        ).sort("prompt_id", "opening", "sample"),
        WeighedResponses,
        where="weighed responses",
    )
