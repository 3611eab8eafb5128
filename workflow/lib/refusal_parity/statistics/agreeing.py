"""Intervals that say the same as the p-values that are corrected for several tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from refusal_parity.statistics.distributions import t_isf
from refusal_parity.statistics.methods.design_based import DESIGN_BASED_EQUIVALENCE
from refusal_parity.statistics.methods.equivalence import EQUIVALENCE
from refusal_parity.statistics.proportions import TwoRates
from refusal_parity.vocabulary import Estimand

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray

OF_FAMILY: Final = ("p_family", "family_low", "family_high")
"""Columns of a method that allows for its family by itself."""
EFFECTIVE: Final = ("effective_group", "effective_reference")
"""Columns of a method that rests on effective numbers of responses."""

_DIFFERENCES: Final = (str(Estimand.RISK_DIFFERENCE), str(Estimand.MEAN_DIFFERENCE))
_OF_THE_MARGIN: Final = (str(EQUIVALENCE), str(DESIGN_BASED_EQUIVALENCE))
"""Methods whose p-value is not of the difference 0."""


def agreeing(rows: pl.DataFrame) -> pl.DataFrame:
    """Fill `adjusted_low` and `adjusted_high`: 0 lies outside where `p_adjusted` < alpha, else not.

    Each interval is its method's own at the level 1 - a, with a the `threshold` that the
    p-values of its family are held against: alpha / (m - r) for Holm's of m tests of
    which r reject (alpha where all do), alpha r / m for Benjamini and Hochberg's, whose
    intervals then miss among those that are selected in a share alpha (Benjamini and
    Yekutieli 2005, JASA 100:71-81).

    Args:
        rows: of `adjust`, with the columns of `Estimate`.

    Returns:
        The rows without `threshold` and what else is of no table.
    """
    is_difference = pl.col("estimand").is_in(_DIFFERENCES) & ~pl.col("method").is_in(_OF_THE_MARGIN)
    numbered = rows.with_row_index("row")
    chosen = numbered.filter(is_difference).drop_nulls(["threshold", "estimate", "std_error", "df"])
    quantile = np.asarray(t_isf(_column(chosen, "threshold") / 2, _column(chosen, "df")))
    half = quantile * _column(chosen, "std_error")
    estimate = _column(chosen, "estimate")
    most = np.where(chosen["estimand"] == str(Estimand.RISK_DIFFERENCE), 1.0, np.inf)
    low, high = np.maximum(estimate - half, -most), np.minimum(estimate + half, most)
    by_rates = chosen["effective_group"].is_not_null().to_numpy()
    if by_rates.any():
        of_rates = chosen.filter(by_rates)
        ends = two_rates(of_rates).limits(quantile[by_rates])
        low[by_rates], high[by_rates] = ends.low, ends.high
    ends_by_row = pl.DataFrame(
        {"row": chosen["row"], "adjusted_low": low, "adjusted_high": high},
        schema_overrides={"adjusted_low": pl.Float64, "adjusted_high": pl.Float64},
    )
    return (
        numbered.join(ends_by_row, on="row", how="left", maintain_order="left")
        .with_columns(
            adjusted_low=pl.coalesce("family_low", "adjusted_low"),
            adjusted_high=pl.coalesce("family_high", "adjusted_high"),
        )
        .drop("row", "threshold", *OF_FAMILY)
    )


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
