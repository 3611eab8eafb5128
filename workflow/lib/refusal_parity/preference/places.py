"""Where words make a conversation one that mentions a group."""

from __future__ import annotations

from typing import Final

import polars as pl

from refusal_parity.pair_vocabulary import Place

NOBODY: Final = "nobody"
"""Conversations that mention no group of the lexicon: what others are compared with."""

OTHERS: Final = "other groups"
"""Groups that too few conversations mention to be looked at by themselves, together."""

FEWEST: Final = 10
"""Conversations with different openings below which nothing is said of a group."""

_PLACES: Final = {
    "request": [Place.REQUEST],
    "conversation": [Place.REQUEST, Place.EARLIER_ANSWER],
}


def places_of(mentioned_in: str) -> list[str]:
    """Whose words count, by `preference.mentioned_in`."""
    return [str(place) for place in _PLACES[mentioned_in]]


def groups_of_pairs(mentions: pl.DataFrame, *, mentioned_in: str) -> pl.DataFrame:
    """The groups that each pair mentions, those of few pairs as `OTHERS`.

    Args:
        mentions: rows of the Mentions table.
        mentioned_in: `preference.mentioned_in`.

    Returns:
        `pair`, `group` and `n`, how many pairs mention it; sorted by pair and group.
    """
    found = mentions.filter(pl.col("place").cast(pl.String).is_in(places_of(mentioned_in)))
    counted = found.select("pair", "group").unique().with_columns(n=pl.len().over("group"))
    few = pl.col("n") < FEWEST
    pooled = counted.select("pair", group=pl.when(few).then(pl.lit(OTHERS)).otherwise("group"))
    return pooled.unique().with_columns(n=pl.len().over("group")).sort("pair", "group")
