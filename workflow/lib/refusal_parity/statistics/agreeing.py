"""Intervals that say the same as the p-values that are corrected for several tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from refusal_parity.statistics.distributions import norm_isf, t_isf
from refusal_parity.statistics.methods import METHODS
from refusal_parity.statistics.proportions import Interval, TwoRates
from refusal_parity.statistics.rate_intervals import Differences, UnitRate
from refusal_parity.statistics.results import OF_UNITS
from refusal_parity.vocabulary import Estimand

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray

OF_FAMILY: Final = ("p_family", "family_low", "family_high")
"""Columns of a method that allows for its family by itself."""
OF_NO_TABLE: Final = (*OF_FAMILY, *OF_UNITS)
"""Columns that only `agreeing` looks at."""

_DIFFERENCES: Final = (str(Estimand.RISK_DIFFERENCE), str(Estimand.MEAN_DIFFERENCE))
_OF_THE_MARGIN: Final = tuple(str(method) for method in METHODS.values() if method.of_margin)


def agreeing(rows: pl.DataFrame) -> pl.DataFrame:
    """Fill `adjusted_low` and `adjusted_high`: 0 lies outside where `p_adjusted` < alpha, else not.

    Each interval is its method's own at the level 1 - a, with a the `threshold` that the
    p-values of its family are held against: alpha / (m - r) for Holm's of m tests of
    which r reject (alpha where all do), alpha r / m for Benjamini and Hochberg's, whose
    intervals then miss among those that are selected in a share alpha (Benjamini and
    Yekutieli 2005, JASA 100:71-81). No interval of a difference of rates goes beyond what these
    can differ by.

    Args:
        rows: of `adjust`, with the columns of `Estimate`.

    Returns:
        The rows without `threshold` and what else is of no table.
    """
    is_difference = pl.col("estimand").is_in(_DIFFERENCES) & ~pl.col("method").is_in(_OF_THE_MARGIN)
    numbered = rows.with_row_index("row")
    known = numbered.filter(is_difference).drop_nulls(["threshold", "estimate", "std_error"])
    by_units = known.drop_nulls("variance_group")
    by_t = known.filter(pl.col("variance_group").is_null()).drop_nulls("df")
    low, high = map(np.concatenate, zip(_by_t(by_t), _by_units(by_units), strict=True))
    ends_by_row = pl.DataFrame(
        {
            "row": np.concatenate([by_t["row"].to_numpy(), by_units["row"].to_numpy()]),
            "adjusted_low": low,
            "adjusted_high": high,
        },
        schema={
            "row": numbered.schema["row"],
            "adjusted_low": pl.Float64,
            "adjusted_high": pl.Float64,
        },
    )
    of_rates = pl.col("estimand") == str(Estimand.RISK_DIFFERENCE)
    ends = {
        f"adjusted_{end}": pl.coalesce(f"family_{end}", f"adjusted_{end}")
        for end in ("low", "high")
    }
    return (
        numbered.join(ends_by_row, on="row", how="left", maintain_order="left")
        .with_columns(
            pl.when(of_rates).then(value.clip(-1, 1)).otherwise(value).alias(end)
            for end, value in ends.items()
        )
        .drop("row", "threshold", *OF_NO_TABLE)
    )


def _by_t(rows: pl.DataFrame) -> Interval:
    """By a standard error, or by `TwoRates` where there are effective numbers of responses."""
    quantile = np.asarray(t_isf(_column(rows, "threshold") / 2, _column(rows, "df")))
    half = quantile * _column(rows, "std_error")
    estimate = _column(rows, "estimate")
    low, high = estimate - half, estimate + half
    by_rates = rows["effective_group"].is_not_null().to_numpy()
    if by_rates.any():
        ends = two_rates(rows.filter(by_rates)).limits(quantile[by_rates])
        low[by_rates], high[by_rates] = ends.low, ends.high
    return Interval(low, high)


def _by_units(rows: pl.DataFrame) -> Interval:
    """By rates whose errors are those of units."""
    sides = [
        UnitRate(
            _column(rows, f"k_{side}") / _column(rows, f"n_{side}"),
            *(_column(rows, f"{key}_{side}") for key in ("variance", "df", "least", "n")),
        )
        for side in ("group", "reference")
    ]
    found = Differences(
        group=sides[0], reference=sides[1], correlation=_column(rows, "correlation")
    )
    return found.limits(np.asarray(norm_isf(_column(rows, "threshold") / 2)))


def two_rates(rows: pl.DataFrame) -> TwoRates:
    """The rates of rows that have effective numbers of responses."""
    return TwoRates(
        difference=_column(rows, "estimate"),
        rate=_column(rows, "k_group") / _column(rows, "n_group"),
        reference=_column(rows, "k_reference") / _column(rows, "n_reference"),
        n=_column(rows, "effective_group"),
        n_reference=_column(rows, "effective_reference"),
    )


def _column(rows: pl.DataFrame, name: str) -> FloatArray:
    return rows[name].to_numpy().astype(np.float64)
