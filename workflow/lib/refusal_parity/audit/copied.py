"""Two people whose labels are the same throughout, as where a file was saved twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.counting import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

_MANY: Final = 30
"""Rows on which two people hardly give the same label each time."""

_VARIED: Final = 5
"""Of them, those of another label than the commonest."""


def copies(votes: pl.DataFrame) -> Iterator[str]:
    """A clause for every two people with many rows in common and each label the same.

    Args:
        votes: of people with a name: `task`, `annotator`, `label` and `adjudicated`, which
            marks the votes that decide; they do not count here.
    """
    plain = votes.filter(~pl.col("adjudicated")).select("task", "annotator", "label")
    both = plain.join(plain, on="task", suffix="_of_other")
    pairs = both.filter(pl.col("annotator") < pl.col("annotator_of_other"))
    same = pl.col("label") == pl.col("label_of_other")
    counts = pairs.group_by("annotator", "annotator_of_other").agg(
        pl.len(), same=same.all(), commonest=pl.col("label").unique_counts().max()
    )
    varied = pl.col("len") - pl.col("commonest") >= _VARIED
    found = counts.filter("same", pl.col("len") >= _MANY, varied)
    found = found.sort("annotator", "annotator_of_other")
    for one, other, common in found.select("annotator", "annotator_of_other", "len").iter_rows():
        yield (
            f"{one} and {other} gave the same labels to all of their "
            f"{counted(common, 'common row')}: if one file is a copy of the other, take it out"
        )
