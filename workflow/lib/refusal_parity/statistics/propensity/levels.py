"""The table of levels: mean log-odds, and the rates that they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from scipy.special import expit

from refusal_parity.statistics.designs.counts import codes_of
from refusal_parity.statistics.distributions import t_isf
from refusal_parity.statistics.propensity.corrected import corrected_rates
from refusal_parity.statistics.propensity.measured import by_dimension, errors_of
from refusal_parity.tables import PropensityLevels, conform

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig

NOT_MEASURED = "no opening of a refusal was learnt; pilot.parquet says why"


def propensity_levels(
    rows: pl.DataFrame, analysis: AnalysisConfig, sample: pl.DataFrame | None = None
) -> dy.DataFrame[PropensityLevels]:
    """Mean log-odds with a two-way clustered interval, and what rates they mean.

    mean -+ t(1 - alpha/2; min(G) - 1) se, with se by `clusters.mean_errors`. The rate at
    the mean is the typical prompt's; the mean of rates is that of all, most of which the
    prompts bear that are refused often. Both are before top_p and top_k; the weighed rate
    is that of responses as they are drawn.

    Args:
        rows: of `measured`.
        analysis: dimensions, alpha.
        sample: rows of `weighed_sample`, by which people's labels correct weighed rates; null
            where they labelled nothing.
    """
    corrected = {
        (model, dimension): corrected_rates(part, analysis)
        for model, dimension, part in by_dimension(
            rows.clear() if sample is None else sample, analysis
        )
    }
    found = [
        {"model": model, "dimension": dimension, "human_labels": 0, "human_leaf_labels": 0}
        | row
        | corrected.get((model, dimension), {}).get(row["group"], {})
        for model, dimension, part in by_dimension(rows, analysis)
        for row in _levels(part, analysis.alpha)
    ]
    schema = {name: column.dtype for name, column in PropensityLevels.columns().items()}
    return conform(pl.DataFrame(found, schema=schema), PropensityLevels, where="propensity levels")


def _levels(part: pl.DataFrame, alpha: float) -> Iterator[dict[str, Any]]:
    known = part.drop_nulls("log_odds")
    errors: dict[str, tuple[float, float]] = {}
    if known.height:
        level = codes_of(known["group"].to_numpy().astype(np.str_))
        found = errors_of(known, level, known["log_odds"].to_numpy().astype(np.float64))
        names = known["group"].unique().sort().to_list()
        half = np.asarray(t_isf(alpha / 2, np.maximum(found.df, 1))) * found.std_error
        errors = {
            group: (float(error), float(reach))
            for group, error, reach in zip(names, found.std_error, half, strict=True)
        }
    for (group,), of_level in part.group_by("group", maintain_order=True):
        yield _level(str(group), of_level, errors.get(str(group)))


def _level(group: str, rows: pl.DataFrame, error: tuple[float, float] | None) -> dict[str, Any]:
    known = rows.drop_nulls("log_odds")
    row: dict[str, Any] = {
        "group": group,
        "n": known.height,
        "n_missing": rows.height - known.height,
        "n_names": known["name_id"].drop_nulls().n_unique(),
        "n_templates": known["template_id"].n_unique(),
    }
    weighed = rows.drop_nulls("weighed_rate")
    row["n_weighed"] = weighed.height
    if weighed.height:
        errors = weighed["weighed_rate_error"].fill_null(0).to_numpy()
        row["weighed_rate"] = weighed["weighed_rate"].sort().mean()
        row["weighed_rate_error"] = float(np.sqrt(np.sort(errors**2).sum()) / weighed.height)
    if not known.height:
        return row | {"note": NOT_MEASURED}
    values = np.sort(known["log_odds"].to_numpy().astype(np.float64))
    mean = float(values.mean())
    row |= {
        "log_odds": mean,
        "typical_rate": float(expit(mean)),
        "mean_rate": float(expit(values).mean()),
    }
    if error is None or not np.isfinite(error[0]):
        return row | {"note": "one name or template, or no variation: no interval"}
    std_error, half = error
    return row | {"std_error": std_error, "ci_low": mean - half, "ci_high": mean + half}
