"""A study that people labelled, and its rows that their labels correct."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.disparity import disparities
from refusal_parity.tables import HumanLabels, conform

if TYPE_CHECKING:
    from collections.abc import Callable


def config() -> AnalysisConfig:
    return AnalysisConfig(
        outcomes=[Outcome.REFUSAL],
        dimensions={"group": DimensionConfig(reference="x")},
        permutations=99,
        bootstraps=99,
    )


def people(observations: pl.DataFrame, share: float = 1.0) -> pl.DataFrame:
    """Human labels equal to the labels, of every row whose number is below the share."""
    rows = observations.drop_nulls("label").with_row_index("at")
    kept = rows.filter(pl.col("at") < share * rows.height)
    return conform(
        kept.select(
            "model",
            "prompt_id",
            "sample",
            "label",
            inclusion_probability=pl.lit(0.5),
            stratum=pl.col("group") + " x answer",
            split=pl.lit(None, pl.String),
            n_annotators=pl.lit(1, pl.Int32),
        ),
        HumanLabels,
        where="human",
    )


def rows(observations: pl.DataFrame, human: pl.DataFrame) -> dict[tuple[str, str], dict[str, Any]]:
    frame = disparities(observations, config(), human).filter(
        pl.col("method").cast(pl.String).str.starts_with("design_based")
    )
    return {(row["method"], row["group"]): row for row in frame.iter_rows(named=True)}


MIXED = ["rra", "raa", "ara", "aar"]


def labelled_study(study: Callable[..., pl.DataFrame]) -> pl.DataFrame:
    groups = {
        group: {f"{group}{at}": [*MIXED[at:], *MIXED[:at]] for at in range(4)} for group in "xy"
    }
    groups["y"]["y0"] = ["rrr", "rra", "rar", "aaa"]
    observations = study(groups)
    return observations.with_columns(machine_label="label")
