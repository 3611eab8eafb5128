"""What people say of responses that were given their opening, beside what they say of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

_KEY: Final = ("model", "prompt_id", "opening", "sample")


def read_of_both(
    rows: pl.DataFrame, leaves: pl.DataFrame, standing: pl.DataFrame
) -> pl.DataFrame | None:
    """Both of people's samples as one of responses as they are drawn.

    Each response stands for a probability w, and so many as the prompt has ordinary draws
    for n w of these: 1 outside the tree, less where responses to the opening say the same. Counted
    n w / (its inclusion probability) times, the two samples together estimate what the ordinary
    one does alone, with more of what is rare.

    Args:
        rows: of `Ratings`.
        leaves: likewise, of responses that were given their opening, with `opening`.
        standing: a table of WeighedResponses of the same models.

    Returns:
        Rows of both, `inclusion_probability` divided by n w, of each model of which people read
        some of both; null where there is none.
    """
    models = _models_read(rows) & _models_read(leaves)
    if not models:
        return None
    ordinary = pl.col("opening") == ""
    times = standing.select(
        *_KEY, times=pl.col("weight") * ordinary.sum().over("model", "prompt_id")
    )
    both = pl.concat([rows.with_columns(opening=pl.lit("")), leaves], how="diagonal_relaxed")
    # A prompt without ordinary draws that count is not weighed.
    return (
        both.filter(pl.col("model").is_in(sorted(models)))
        .join(times, on=_KEY, how="left", maintain_order="left")
        .with_columns(pl.col("inclusion_probability") / pl.col("times").fill_null(1.0))
        .drop("times", "opening")
    )


def _models_read(rows: pl.DataFrame) -> set[str]:
    return set(rows.drop_nulls(["human", "inclusion_probability"])["model"])


def models_read_both_ways(human: pl.DataFrame, leaf_human: pl.DataFrame) -> Sequence[str]:
    """Models of whose draws and responses to openings people labelled some.

    Args:
        human: a table of HumanLabels.
        leaf_human: of LeafHumanLabels.
    """
    named = (_models_read(each.rename({"label": "human"})) for each in (human, leaf_human))
    first, second = named
    return sorted(first & second)
