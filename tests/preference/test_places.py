"""Which groups a conversation counts for."""

from __future__ import annotations

import polars as pl
import pytest
from labelled import mentions_of

from refusal_parity.preference.places import OTHERS, groups_of_pairs

PAIRS = {"sikh": range(1, 11), "jain": range(8, 17), "parsi": range(16, 18)}


@pytest.mark.parametrize("mentioned_in", ["request", "conversation"])
def test_groups_of_fewer_than_ten_pairs_are_one(mentioned_in: str) -> None:
    """Ten pairs mention Sikhs, nine Jains and two Parsis, one of them both of these."""
    mentions = mentions_of(**PAIRS)
    twice = pl.concat([mentions, mentions.with_columns(slur=True)])
    found = groups_of_pairs(twice, mentioned_in=mentioned_in)
    expected = [
        *((pair, "sikh", 10) for pair in PAIRS["sikh"]),
        *((pair, OTHERS, 10) for pair in range(8, 18)),
    ]
    assert found.rows() == sorted(expected, key=lambda row: (row[0], row[1]))


@pytest.mark.parametrize(
    ("place", "asked", "said"),
    [("request", 12, 12), ("earlier_answer", 0, 12), ("chosen", 0, 0), ("rejected", 0, 0)],
)
def test_places_that_count(place: str, asked: int, said: int) -> None:
    mentions = mentions_of(sikh=range(1, 13))
    there = mentions.with_columns(place=pl.lit(place).cast(mentions.schema["place"]))
    counts = {"request": asked, "conversation": said}
    for mentioned_in, number in counts.items():
        assert len(groups_of_pairs(there, mentioned_in=mentioned_in)) == number
