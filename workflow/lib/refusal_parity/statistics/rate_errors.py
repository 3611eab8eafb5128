"""Standard errors and intervals of the rates of several levels, as columns of their table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refusal_parity.statistics.designs.counts import FloatArray

FAILED: Final = "clustered interval not estimable"
"""How the note of intervals that failed numerically starts."""


class RateErrors(NamedTuple):
    """Clustered standard error and interval of each level, NaN where there is none."""

    std_error: FloatArray
    low: FloatArray
    high: FloatArray

    @classmethod
    def none(cls, levels: int) -> RateErrors:
        """Those of levels of which nothing is known yet."""
        return cls(*(np.full(levels, np.nan) for _ in range(3)))

    def columns(self, notes: Sequence[str | None]) -> Sequence[pl.Series]:
        """Columns std_error, ci_low, ci_high and note, with a note for each level."""
        columns = {"std_error": self.std_error, "ci_low": self.low, "ci_high": self.high}
        return [
            *(pl.Series(name, values, nan_to_null=True) for name, values in columns.items()),
            pl.Series("note", notes, dtype=pl.String),
        ]


def failed_columns(levels: int, reason: str) -> Sequence[pl.Series]:
    """The same columns where the intervals failed numerically, and why."""
    return RateErrors.none(levels).columns([f"{FAILED}: {reason}"] * levels)
