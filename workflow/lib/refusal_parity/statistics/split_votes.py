"""What the responses to which people give no one label could make of a difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.statistics.corrected_levels import corrected_levels
from refusal_parity.text import points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refusal_parity.statistics.results import Pair

SPLIT_NOTE: Final = "people give no one label to"
"""How a note on votes without a majority begins."""


def split_votes(
    rows: pl.DataFrame, dimension: str, levels: Sequence[str], pair: Pair
) -> str | None:
    """What the rows without one label could make of a difference; None without any.

    Args:
        rows: with the readings `machine` and `human`, the latter a share of votes.
        dimension: column of the levels.
        levels: those compared.
        pair: of levels.
    """
    is_split = (pl.col("human") > 0) & (pl.col("human") < 1)
    counts = {level: len(rows.filter(is_split, pl.col(dimension) == level)) for level in pair}
    if not any(counts.values()):
        return None
    ends = []
    for group in (0.0, 1.0):
        read = pl.when(pl.col(dimension) == pair.group).then(group).otherwise(1 - group)
        fit = corrected_levels(
            rows.with_columns(human=pl.when(is_split).then(read).otherwise("human")),
            dimension,
            levels,
        )
        assert fit is not None  # noqa: S101 - rows that are split are there
        ends.append(fit.difference(pair))
    said = " and ".join(f"{count} of {level}" for level, count in counts.items() if count)
    return (
        f"{SPLIT_NOTE} {said}, which count by the share of their votes, undecided ones as half "
        f"(all read one way, the difference is {points(ends[0], signed=True)} points, all the "
        f"other way {points(ends[1], signed=True)})"
    )
