"""Responses as weighed rates are made of them, with what people say of a sample of them."""

from __future__ import annotations

from typing import Final

import polars as pl

from refusal_parity.statistics.human_sample import NO_OPENING, with_human_labels

STANDING: Final = ("worth", "fixed", "prompts")
"""Columns that say what a response adds to its prompt's rate.

The rate is the sum over a prompt's responses of `fixed` and of `worth` where the response
refuses; `prompts` adds up to 1 over them.
"""


def weighed_sample(
    prompts: pl.DataFrame,
    responses: pl.DataFrame,
    human: pl.DataFrame | None,
    leaf_human: pl.DataFrame | None,
) -> pl.DataFrame:
    """Put people's labels beside all responses that weighed rates are made of.

    With the share s of refusals that its leaf has in other templates and the weight w of a
    response, a prompt's rate is `tree_rate` + sum of w (y - s) over its responses, ordinary
    draws and those that were given their opening alike (`openings.weighing.weigh`). So its
    error is the sum of w (y - f) with people's reading y and the machine's f: a total over all
    responses, which a probability sample of them estimates, whatever tree and shares are.

    Args:
        prompts: rows of `propensity.measured.measured`.
        responses: table of WeighedResponses of the same models.
        human: table of HumanLabels; null where nobody labelled ordinary draws.
        leaf_human: table of LeafHumanLabels; null where nobody labelled responses that were
            given their opening.

    Returns:
        One row a response with the columns of `prompts`, `opening`, `sample`, `machine_label`,
        `filtered`, those of `with_human_labels` and `STANDING`.
    """
    first = pl.struct("model", "prompt_id").is_first_distinct()
    rows = (
        responses.join(prompts, on=["model", "prompt_id"], how="inner", maintain_order="left")
        .with_columns(
            pl.col("machine_label").cast(pl.String),
            filtered=pl.lit(value=False),
            worth="weight",
            fixed=pl.when(first).then("tree_rate").otherwise(0.0)
            - pl.col("weight") * pl.col("share"),
            prompts=first.cast(pl.Float64),
        )
        .drop("weight", "share", "leaf")
    )
    labelled = [
        each
        for each in (
            None if human is None else human.with_columns(opening=pl.lit(NO_OPENING)),
            leaf_human,
        )
        if each is not None
    ]
    return with_human_labels(rows, pl.concat(labelled, how="diagonal"))


def unread(rows: pl.DataFrame, level: str) -> str | None:
    """Why a level of weighed responses cannot be corrected, beside a lack of labels; or None.

    Args:
        rows: of the level, with `opening` and the reading `human`.
        level: its name.
    """
    if "opening" not in rows.columns:
        return None
    for told, given in (
        ("ordinary draws of", pl.col("opening") == NO_OPENING),
        ("responses that were given an opening of", pl.col("opening") != NO_OPENING),
    ):
        part = rows.filter(given)
        if part.height and part["human"].null_count() == part.height:
            return f"people labelled none of the {told} {level}"
    return None
