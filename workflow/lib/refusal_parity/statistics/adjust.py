"""Correction of p-values for the number of tests in a declared family."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from refusal_parity.vocabulary import Correction, Estimand

if TYPE_CHECKING:
    import numpy.typing as npt

    from refusal_parity.config import AnalysisConfig


def between_models(model: str | None, analysis: AnalysisConfig) -> Correction:
    """What corrects the p-value of a comparison of models; of a series of sizes without `model`.

    Holm's method where the study declares its pairs (a variant and its base are one), each
    outcome by itself; Benjamini and Hochberg's over all else.
    """
    declared = model is not None and bool(analysis.model_contrasts)
    return Correction.HOLM if declared else Correction.BENJAMINI_HOCHBERG


def adjust(rows: pl.DataFrame, analysis: AnalysisConfig) -> pl.DataFrame:
    """Fill `family`, `p_adjusted` and `threshold` of the valid comparisons of two levels.

    Holm (1979) within the declared primary family: one outcome and dimension
    against the configured reference. Benjamini-Hochberg (1995) over all other
    comparisons with a reference, and apart from them over all other pairs.
    Each within one model and one method, whose p-values are two readings of
    the same question and no further tests. A method that allows for the family by
    itself (`p_family`) needs neither.

    Args:
        rows: disparity rows of any models, without the three columns.
        analysis: primary family, dimensions with their references, alpha.

    Returns:
        The rows; `threshold` is what `p_value` lies below exactly where `p_adjusted` lies
        below alpha.
    """
    primary = analysis.primary_family
    references = {key: each.reference for key, each in analysis.dimensions.items()}
    counted = pl.col("valid") & (pl.col("estimand") != str(Estimand.GLOBAL))
    counted &= pl.col("p_value").is_not_null()
    is_primary = (pl.col("outcome") == str(primary.outcome)) & (
        pl.col("dimension") == primary.dimension
    )
    named = pl.format(f"primary: {primary.outcome} by {primary.dimension}, {{}}", pl.col("method"))
    other = pl.format("exploratory: {}", pl.col("method"))
    pairs = pl.format("all pairs: {}", pl.col("method"))
    with_reference = pl.col("reference") == pl.col("dimension").replace_strict(
        references, default=None, return_dtype=pl.String
    )
    against = pl.when(is_primary).then(named).otherwise(other)
    family = pl.when(counted).then(pl.when(with_reference).then(against).otherwise(pairs))
    marked = rows.with_columns(family.alias("family")).with_row_index("row")
    adjusted, threshold = np.full(rows.height, np.nan), np.full(rows.height, np.nan)
    alpha = analysis.alpha
    tested = marked.drop_nulls("family")
    if "p_family" in rows.columns:
        tested = tested.filter(pl.col("p_family").is_null())
    for (_, name), part in tested.group_by("model", "family", maintain_order=True):
        p_values, at = part["p_value"].to_numpy(), part["row"].to_numpy()
        by_holm = str(name).startswith("primary: ")
        found = holm(p_values) if by_holm else benjamini_hochberg(p_values)
        shown, tests = int((found < alpha).sum()), len(found)
        adjusted[at] = found
        threshold[at] = alpha / max(tests - shown, 1) if by_holm else alpha * max(shown, 1) / tests
    filled = marked.drop("row").with_columns(
        pl.Series("p_adjusted", adjusted, dtype=pl.Float64).fill_nan(None),
        pl.Series("threshold", threshold, dtype=pl.Float64).fill_nan(None),
    )
    if "p_family" not in rows.columns:
        return filled
    return filled.with_columns(pl.coalesce("p_family", "p_adjusted").alias("p_adjusted"))


def adjust_exploratory(rows: pl.DataFrame, family: pl.Expr) -> pl.DataFrame:
    """Fill `family` and `p_adjusted` of tests that are exploratory, by Benjamini-Hochberg.

    Args:
        rows: with `model` and `p_value`, of any models.
        family: name of each row's family, within which the tests of one model are corrected
            together; null where there is no p-value, whatever it says.
    """
    marked = rows.with_columns(
        pl.when(pl.col("p_value").is_not_null()).then(family).alias("family")
    ).with_row_index("row")
    adjusted = np.full(rows.height, np.nan)
    for _, part in marked.drop_nulls("family").group_by("model", "family", maintain_order=True):
        adjusted[part["row"].to_numpy()] = benjamini_hochberg(part["p_value"].to_numpy())
    return marked.drop("row").with_columns(
        pl.Series("p_adjusted", adjusted, dtype=pl.Float64).fill_nan(None)
    )


def holm(p_values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Holm's step-down p-values: the running maximum of (m - i) p(i), i from 0.

    (Holm 1979, Scandinavian Journal of Statistics 6:65-70; statsmodels has it
    too, but collects garbage at each call, which takes longer than the tests.)

    Args:
        p_values: shape (m,).
    """
    order = np.argsort(p_values)
    steps = np.arange(len(p_values), 0, -1) * p_values[order]
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


def benjamini_hochberg(p_values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """P-values for the false discovery rate: the running minimum of m p(i) / i from the largest.

    (Benjamini and Hochberg 1995, Journal of the Royal Statistical Society B
    57:289-300; `scipy.stats.false_discovery_control`, whose import takes longer
    than a job's tests.)

    Args:
        p_values: shape (m,).
    """
    order = np.argsort(p_values)[::-1]
    number = len(p_values)
    steps = number / np.arange(number, 0, -1) * p_values[order]
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(np.minimum.accumulate(steps), 1)
    return adjusted
