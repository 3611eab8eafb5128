"""The labels by people that a judge is calibrated on."""

from __future__ import annotations

import polars as pl

from refusal_parity.judging.questions import KEY


def what_people_say(responses: pl.DataFrame, human: pl.DataFrame | None) -> pl.DataFrame:
    """Labels by people of one model's responses.

    Those of the study's own probability sample, each weighing by 1 / its
    inclusion probability; without a sample, those that an imported file carries.

    Args:
        responses: rows of the Responses table.
        human: rows of the HumanLabels table, of all models.

    Returns:
        Columns of the key, `truth` and `weight`.
    """
    if human is not None:
        return (
            human.drop_nulls(["label", "inclusion_probability"])
            .join(responses.select(KEY), on=KEY, how="semi")
            .select(
                *KEY,
                truth=pl.col("label").cast(pl.String),
                weight=1 / pl.col("inclusion_probability"),
            )
        )
    return responses.drop_nulls("imported_label").select(
        *KEY, truth=pl.col("imported_label").cast(pl.String), weight=pl.lit(1.0)
    )
