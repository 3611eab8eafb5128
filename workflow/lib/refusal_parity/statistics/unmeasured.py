"""Answers that were cut off, of which nobody knows what a mean is taken over.

They are the longest ones, so that those that are left are no sample of all: the mean of a level
of which many were cut off is one of its short answers.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from refusal_parity.counting import enumerated
from refusal_parity.quantities import Mean
from refusal_parity.statistics.results import join_notes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from refusal_parity.outcomes import Outcome
    from refusal_parity.statistics.results import Estimate

MOST: Final = 0.05
"""Share of a level's answers that were cut off, above which no difference of means is a finding."""


class Cut(NamedTuple):
    """Answers of a level that were cut off, and all of them."""

    cut: int
    answers: int


class Unmeasured(NamedTuple):
    """What means of the levels of one dimension leave out.

    Attributes:
        levels: those of which any answer was cut off.
    """

    levels: Mapping[str, Cut] = MappingProxyType({})

    def held(self, row: Estimate) -> Estimate:
        """The row with a word on what it leaves out; no finding where that is much of a level."""
        asked = self.levels if row.pair is None else row.pair
        cut = {level: self.levels[level] for level in asked if level in self.levels}
        if row.is_missing or not cut:
            return row
        counts = enumerated(
            [
                f"{each.cut:,} of {each.answers:,}{'' if at else ' full answers'} of {level}"
                for at, (level, each) in enumerate(cut.items())
            ]
        )
        said = f"cut off were {counts}"
        if all(each.cut <= MOST * each.answers for each in cut.values()):
            return row.noting(f"{said}, which are in no mean")
        return replace(row, few=join_notes(f"{said}, too many for a finding about means", row.few))


def unmeasured(observations: pl.DataFrame, dimension: str, outcome: Outcome) -> Unmeasured:
    """What means of an outcome leave out at each level; nothing of any other outcome.

    Args:
        observations: rows of `observe`, of one model.
        dimension: column of the levels.
        outcome: what is compared.
    """
    quantity = outcome.quantity
    if not isinstance(quantity, Mean):
        return Unmeasured()
    counts = (
        observations.drop_nulls(dimension)
        .filter(pl.col("label").is_in(sorted(quantity.labels)))
        .group_by(dimension)
        .agg(cut=(pl.col("truncated") & pl.col(quantity.column).is_null()).sum(), answers=pl.len())
        .filter(pl.col("cut") > 0)
        .sort(dimension)
    )
    return Unmeasured({level: Cut(cut, answers) for level, cut, answers in counts.iter_rows()})
