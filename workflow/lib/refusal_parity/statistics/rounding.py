"""What of a number is rounding: one rule for every table, and for every variance.

Sums come out otherwise in their last digits with another order of rows or on
another processor. No number may hang on these digits: not its being there, nor
which of two ties comes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import BoolArray, FloatArray

NOISE: Final = 1e-10
"""A standard error below this share of the largest one that its outcomes could give is rounding.

Sums of 100,000 responses are right to some 1e-14 of their size; one response
among them that differs from the rest moves a mean by 1e-5 of it.
"""

LOST_DIGITS: Final = 1e-6
"""A difference of variances below this share of them has lost more digits than it may: six of
fifteen leave nine."""

TIE: Final = 1e-12
"""Statistics closer than this share of their size are equal but for rounding."""

NOTHING: Final = 1e-9
"""A difference below this share of its own standard error is 0, and so is one below this number
of which no standard error is told: rates have 1 for a size, and lengths and log-odds no less."""

_DECIMALS: Final = 9
"""Of statistics near 0: an estimate's error by rounding is no smaller share of its standard error
where a likelihood is nearly flat."""

_SMALL: Final = 1e-3


def is_noise(variance: FloatArray | float, largest: FloatArray | float) -> BoolArray:
    """Whether a variance is 0 but for rounding.

    Args:
        variance: of any shape.
        largest: what it could be with outcomes of this size, of a shape that fits.
    """
    return np.asarray(~(np.asarray(variance) > NOISE**2 * np.asarray(largest)), dtype=np.bool_)


def exceeds(one: FloatArray, other: FloatArray, largest: FloatArray | float) -> BoolArray:
    """Whether a variance is larger than another, by more than rounding.

    Args:
        one: of any shape.
        other: of a shape that fits.
        largest: what either could be with outcomes of this size, of a shape that fits.
    """
    return np.asarray(one > other * (1 + NOTHING) + NOISE**2 * largest, dtype=np.bool_)


def less(whole: FloatArray, *parts: FloatArray | float) -> FloatArray:
    """A number less others, and 0 where they leave no more than rounding.

    Args:
        whole: of any shape.
        parts: each of a shape that fits; NaN stays NaN.
    """
    size = np.abs(whole) + sum(np.abs(part) for part in parts)
    left = whole - sum(parts)
    return np.asarray(np.where(np.abs(left) <= TIE * size, 0.0, left), dtype=np.float64)


def settled(table: pl.DataFrame) -> pl.DataFrame:
    """The table with estimates and statistics near 0 cut to the digits that they have.

    Args:
        table: with `estimate`, `std_error` and `statistic`, and any other columns.
    """
    error = pl.col("std_error").cast(pl.Float64).fill_nan(None)
    is_none = pl.col("estimate").abs() < NOTHING * error.fill_null(1.0)
    statistic = pl.col("statistic")
    return table.with_columns(
        estimate=pl.when(is_none).then(0.0).otherwise("estimate"),
        statistic=pl.when(statistic.abs() < _SMALL)
        .then(statistic.round(_DECIMALS) + 0.0)
        .otherwise(statistic),
    )
