"""Intervals of differences that are tested at another level than alpha."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from refusal_parity.statistics.adjust import adjust
from refusal_parity.statistics.agreeing import OF_FAMILY, agreeing, two_rates
from refusal_parity.statistics.distributions import t_isf
from refusal_parity.statistics.methods.calibrated import CALIBRATED, ends_around
from refusal_parity.statistics.methods.calibrated_linear import half_widths
from refusal_parity.statistics.results import OF_UNITS
from refusal_parity.statistics.simulation.calibration import (
    ACROSS_MODELS,
    SIMULATED,
    critical_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.config import AnalysisConfig

Ends = tuple[float | None, float | None]


def intervals_at(
    rows: pl.DataFrame, analysis: AnalysisConfig, level: float
) -> dict[tuple[str, str, str], Ends]:
    """The intervals that leave 0 out exactly where the corrected p-value lies below a level.

    Those of `agreeing`, and of the calibrated methods, at this level instead of alpha.

    Args:
        rows: of disparity.parquet, of one model, outcome and dimension.
        analysis: primary family and references.
        level: at most alpha.

    Returns:
        Both ends by group, reference and method; None where a method has none.
    """
    plain = rows.with_columns(pl.col(pl.Enum).cast(pl.String))
    simulated = SIMULATED if analysis.across_models == "none" else ACROSS_MODELS
    calibrated = {
        (row["group"], row["reference"], row["method"]): row
        for (_, _), family in plain.drop_nulls(["family_null", "p_adjusted"]).group_by(
            "method", "family", maintain_order=True
        )
        for row in _calibrated(family, level, simulated)
    }
    keys = list(zip(*(plain[each] for each in ("group", "reference", "method")), strict=True))
    bare = plain.drop("family", "p_adjusted", "adjusted_low", "adjusted_high")
    given = bare.with_columns(
        pl.Series(column, [calibrated.get(key, {}).get(column) for key in keys], pl.Float64)
        for column in OF_FAMILY
    ).with_columns(pl.lit(None, pl.Float64).alias(column) for column in OF_UNITS)
    held = agreeing(adjust(given, analysis.model_copy(update={"alpha": level})))
    ends = zip(held["adjusted_low"], held["adjusted_high"], strict=True)
    return dict(zip(keys, ends, strict=True))


def _calibrated(
    family: pl.DataFrame, level: float, simulated: int
) -> Iterator[dict[str, str | float]]:
    """The rows of one family with its own intervals at a level."""
    p_value, estimate, error, df = (
        family[column].to_numpy().astype(np.float64)
        for column in ("p_adjusted", "estimate", "std_error", "df")
    )
    critical = np.full(len(df), critical_of(family["family_null"].to_list()[0], level, simulated))
    if family["method"][0] == CALIBRATED:
        by_t = np.asarray(t_isf(level / (2 * len(df)), df))
        # No distance is beyond all that were simulated: nothing is left out.
        reach = np.where(np.isfinite(critical), critical, np.nan)
        low, high = ends_around(two_rates(family), reach, by_t, p_value < level)
    else:
        half = half_widths(critical, df, error)
        low, high = estimate - half, estimate + half
    for at, row in enumerate(family.iter_rows(named=True)):
        yield {key: row[key] for key in ("group", "reference", "method")} | {
            "p_family": float(p_value[at]),
            "family_low": float(low[at]),
            "family_high": float(high[at]),
        }
