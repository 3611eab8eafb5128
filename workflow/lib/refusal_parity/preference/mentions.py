"""Which groups each pair mentions, and where."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.pair_vocabulary import Place
from refusal_parity.tables import Mentions, empty

if TYPE_CHECKING:
    from refusal_parity.preference.lexicon import Lexicon

_PLACES: Final = {
    Place.REQUEST: pl.col("requests"),
    Place.EARLIER_ANSWER: pl.col("earlier_answers"),
    Place.CHOSEN: pl.concat_list("chosen"),
    Place.REJECTED: pl.concat_list("rejected"),
}


def find_mentions(pairs: pl.DataFrame, lexicon: Lexicon) -> pl.DataFrame:
    """The mentions of some pairs.

    Args:
        pairs: rows of the Pairs table.
        lexicon: what to look for.

    Returns:
        Rows of the Mentions table, in the order of the pairs.
    """
    parts = [empty(Mentions)]
    for place, texts in _PLACES.items():
        said = pairs.select("pair", text=texts).explode("text")
        # Most texts mention nobody, and Rust finds that out many times faster.
        likely = said.filter(pl.col("text").str.contains(lexicon.any_mention))
        parts.append(_counted(likely, place, lexicon))
    return pl.concat(parts).sort("pair", "place", "group", "slur")


def _counted(likely: pl.DataFrame, place: Place, lexicon: Lexicon) -> pl.DataFrame:
    counts: Counter[tuple[int, str, bool]] = Counter()
    for pair, text in likely.select("pair", "text").iter_rows():
        for (group, slur), n in lexicon.counts(text).items():
            counts[pair, group, slur] += n
    rows = [
        (pair, group, lexicon.groups[group], place, slur, n)
        for (pair, group, slur), n in counts.items()
    ]
    return pl.DataFrame(rows, schema=empty(Mentions).schema, orient="row")
