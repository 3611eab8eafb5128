"""What votes without a majority could make of a difference: the two ways to read them all."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from refusal_parity.statistics.results import Pair
from refusal_parity.statistics.split_votes import split_votes
from refusal_parity.text import minus

NAMES, TEMPLATES = 4, 6
LEVELS = ("x", "y", "z")
BOTH = Pair("y", "x")


def rows_of(split: dict[str, int], share: float = 1 / 3) -> pl.DataFrame:
    """Responses that people all read; on the first of each level they are split.

    Args:
        split: how many of each level.
        share: of votes that are for a refusal on these.
    """
    random = np.random.default_rng(6)
    rows = [
        {
            "group": group, "name_id": f"{group}{name}", "text_id": f"t{template}",
            "template_id": f"t{template}", "filtered": False, "machine": float(name % 2),
            "human": float(random.random() < rate), "weight": 1.0,
        }
        for group, rate in zip(LEVELS, (0.2, 0.4, 0.7), strict=True)
        for name in range(NAMES)
        for template in range(TEMPLATES)
    ]  # fmt: skip
    is_split = pl.int_range(pl.len()).over("group") < pl.col("group").replace_strict(split)
    return pl.DataFrame(rows).with_columns(
        human=pl.when(is_split).then(share).otherwise("human"), is_split=is_split
    )


@pytest.mark.parametrize(("split", "share"), [((4, 7), 1 / 3), ((4, 7), 0.75), ((1, 2), 0.5)])
def test_votes_that_are_split_are_read_one_way_and_the_other(
    split: tuple[int, int], share: float
) -> None:
    """For the group and against the reference, and the other way round; all else stands."""
    rows = rows_of({"x": split[0], "y": split[1], "z": 3}, share)
    said = split_votes(rows.drop("is_split"), "group", LEVELS, BOTH)
    assert said is not None
    ends = []
    for group in (0.0, 1.0):
        read = pl.when(pl.col("group") == "y").then(group).otherwise(1 - group)
        whole = rows.with_columns(human=pl.when("is_split").then(read).otherwise("human"))
        means = dict(whole.group_by("group").agg(pl.col("human").mean()).iter_rows())
        ends.append(100 * (means["y"] - means["x"]))
    told = (
        f"people give no one label to {split[1]} of y and {split[0]} of x, which count by the share"
    )
    assert told in said
    assert (ends[0] < 0) == (split == (4, 7))
    first, second = (minus(f"{end:+.1f}") for end in ends)
    assert said.endswith(f"the difference is {first} points, all the other way {second})")


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ({"x": 0, "y": 7, "z": 2}, "people give no one label to 7 of y, which count"),
        ({"x": 1, "y": 0, "z": 2}, "people give no one label to 1 of x, which count"),
        ({"x": 0, "y": 0, "z": 2}, None),
    ],
    ids=["the group", "the reference", "neither"],
)
def test_only_votes_on_the_levels_that_are_compared_are_told(
    split: dict[str, int], said: str | None
) -> None:
    found = split_votes(rows_of(split), "group", LEVELS, BOTH)
    assert (found is None) == (said is None)
    assert (found or "").startswith(said or "")
