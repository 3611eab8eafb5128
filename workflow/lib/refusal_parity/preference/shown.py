"""The pairs that people read in the report: all of them, or a bounded sample by a stated rule."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.audit.sampling import permanent_number
from refusal_parity.pair_vocabulary import Place, Side
from refusal_parity.preference.people import KEY, key_of_side
from refusal_parity.preference.places import NOBODY, places_of
from refusal_parity.tables import ShownPairs, conform
from refusal_parity.vocabulary import SPLIT

if TYPE_CHECKING:
    from collections.abc import Iterable

    import dataframely as dy

MOST: Final = 4_000
"""Pairs that the page carries: some 4 MB once compressed."""

_PLACES: Final = {
    Place.REQUEST: "request",
    Place.EARLIER_ANSWER: "earlier answer",
    Place.CHOSEN: "preferred answer",
    Place.REJECTED: "rejected answer",
}


def chosen_pairs(analysed: pl.Series, groups: pl.DataFrame, *, most: int = MOST) -> list[int]:
    """Which pairs are shown: all, or of each group, and of those without, equally many by chance.

    Each pair has a permanent random number; of each group those with the lowest are taken,
    as many as are at most `most` pairs together. A group of fewer is there whole.

    Args:
        analysed: the pairs.
        groups: `pair` and `group`, those of the analysis.
        most: pairs in all.

    Returns:
        Their numbers, in order.
    """
    if len(analysed) <= most:
        return sorted(analysed)
    order = sorted(analysed, key=lambda pair: permanent_number(f"shown|{pair}"))
    of_group: dict[str, list[int]] = {}
    found = groups.group_by("pair").agg("group")
    member = dict(found.iter_rows())
    for pair in order:
        for group in member.get(pair, [NOBODY]):
            of_group.setdefault(group, []).append(pair)

    def together(each: int) -> set[int]:
        return {pair for pairs in of_group.values() for pair in pairs[:each]}

    each = bisect_right(range(1, most + 1), most, key=lambda each: len(together(each)))
    return sorted(together(each))


@dataclass(frozen=True, kw_only=True)
class About:
    """What is known of the pairs, beside their texts.

    Attributes:
        sides: rows of the Sides table.
        mentions: rows of the Mentions table.
        conversations: rows of the Conversations table.
        human: rows of the HumanLabels table, if people labelled.
        judgements: rows of the PairJudgements table, if there is a judge.
        mentioned_in: `preference.mentioned_in`.
    """

    sides: pl.DataFrame
    mentions: pl.DataFrame
    conversations: pl.DataFrame
    human: pl.DataFrame | None = None
    judgements: pl.DataFrame | None = None
    mentioned_in: str

    def groups(self) -> pl.DataFrame:
        """The groups that each pair counts for."""
        counted = pl.col("place").cast(pl.String).is_in(places_of(self.mentioned_in))
        return self.mentions.filter(counted).select("pair", "group").unique().sort("group")


def shown_pairs(
    parts: Iterable[pl.DataFrame], about: About, *, most: int = MOST
) -> dy.DataFrame[ShownPairs]:
    """The chosen pairs with all that is known of them.

    Args:
        parts: rows of the Pairs table, some at a time.
        about: the other tables.
        most: pairs in all.
    """
    groups = about.groups()
    chosen = chosen_pairs(about.conversations["pair"], groups, most=most)
    columns = ["pair", "opening", "chosen", "rejected", "cases"]
    texts = pl.concat(part.filter(pl.col("pair").is_in(chosen)).select(columns) for part in parts)
    joined = (
        texts.join(
            groups.group_by("pair").agg(groups=pl.col("group").str.join(SPLIT)),
            on="pair",
            how="left",
        )
        .join(_places(about.mentions), on="pair", how="left")
        .join(_labels(about), on="pair", how="left")
        .join(about.conversations, on="pair")
    )
    if about.judgements is None:
        judged = joined.with_columns(judge=pl.lit(None, pl.String))
    else:
        said = about.judgements.select("pair", judge=pl.col("verdict").cast(pl.String))
        judged = joined.join(said, on="pair", how="left")
    return conform(judged.sort("pair"), ShownPairs, where="shown pairs")


def _places(mentions: pl.DataFrame) -> pl.DataFrame:
    """Every mention in words: `muslim (request, rejected answer)`."""
    where = pl.col("place").cast(pl.String).replace({str(k): v for k, v in _PLACES.items()})
    by_group = (
        mentions.sort("pair", "place")
        .with_columns(where=where)
        .group_by("pair", "group")
        .agg(pl.col("where").unique(maintain_order=True).str.join(", "))
        .sort("pair", "group")
    )
    words = pl.format("{} ({})", "group", "where")
    return by_group.group_by("pair").agg(places=words.str.join(SPLIT))


def _labels(about: About) -> pl.DataFrame:
    """Labels of both answers by machine and people."""
    sides = about.sides.select("pair", *key_of_side(), pl.col("label").cast(pl.String))
    if about.human is None:
        people = sides.with_columns(people=pl.lit(None, pl.String))
    else:
        said = about.human.select(
            *KEY, people=pl.coalesce(pl.col("label").cast(pl.String), "split")
        )
        people = sides.join(said, on=KEY, how="left", maintain_order="left")
    chosen, rejected = (
        people.filter(pl.col("model") == side).select(
            "pair", pl.col("label").alias(f"{side}_label"), pl.col("people").alias(f"{side}_people")
        )
        for side in map(str, Side)
    )
    return chosen.join(rejected, on="pair")
