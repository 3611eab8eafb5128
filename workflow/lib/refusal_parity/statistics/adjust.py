"""Correction of p-values for the number of tests in a declared family."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from statsmodels.stats.multitest import multipletests

from refusal_parity.vocabulary import Estimand

if TYPE_CHECKING:
    from refusal_parity.config import PrimaryFamily


def adjust(rows: pl.DataFrame, primary: PrimaryFamily) -> pl.DataFrame:
    """Fill `family` and `p_adjusted` of the valid comparisons with a reference.

    Holm (1979) within the declared primary family, Benjamini-Hochberg (1995)
    over all other comparisons; each within one model and one method, whose
    p-values are two readings of the same question and no further tests.

    Args:
        rows: disparity rows of any models, without the two columns.
        primary: outcome and dimension of the primary family.
    """
    counted = pl.col("valid") & (pl.col("estimand") != str(Estimand.GLOBAL))
    counted &= pl.col("p_value").is_not_null()
    is_primary = (pl.col("outcome") == str(primary.outcome)) & (
        pl.col("dimension") == primary.dimension
    )
    named = pl.format(f"primary: {primary.outcome} by {primary.dimension}, {{}}", pl.col("method"))
    other = pl.format("exploratory: {}", pl.col("method"))
    family = pl.when(counted).then(pl.when(is_primary).then(named).otherwise(other))
    marked = rows.with_columns(family.alias("family")).with_row_index("row")
    adjusted = np.full(rows.height, np.nan)
    tested = marked.drop_nulls("family")
    for (_, name), part in tested.group_by("model", "family", maintain_order=True):
        method = "holm" if str(name).startswith("primary: ") else "fdr_bh"
        adjusted[part["row"].to_numpy()] = multipletests(part["p_value"].to_numpy(), method=method)[
            1
        ]
    return marked.drop("row").with_columns(
        pl.Series("p_adjusted", adjusted, dtype=pl.Float64).fill_nan(None)
    )
