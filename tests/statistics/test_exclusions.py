from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.statistics.exclusions import exclusions

if TYPE_CHECKING:
    from collections.abc import Callable


ANALYSIS = AnalysisConfig(dimensions={"group": DimensionConfig(reference="x")})


def prompts_of(observations: pl.DataFrame) -> pl.DataFrame:
    columns = ["prompt_id", "template_id", "name_id", "name", "group", "gender", "arm"]
    return observations.select(columns).unique(maintain_order=True)


def test_every_response_is_accounted_for(study: Callable[..., pl.DataFrame]) -> None:
    observations = study({"x": {"Ann": ["ra-", "ar-"]}, "y": {"Bob": ["arh", "aaa"]}})
    table = exclusions(observations, prompts_of(observations), ANALYSIS)
    assert table.select("dimension", "group", "reason", "n", "share").rows() == [
        ("all", "all", "labelled", 10, 10 / 12),
        ("all", "all", "empty", 2, 2 / 12),
        ("group", "x", "labelled", 4, 4 / 6),
        ("group", "x", "empty", 2, 2 / 6),
        ("group", "y", "labelled", 6, 1.0),
        ("group", "y", "empty", 0, 0.0),
    ]


def test_prompts_without_a_response_are_accounted_for(study: Callable[..., pl.DataFrame]) -> None:
    asked = study({"x": {"Ann": ["ra", "ar"]}, "y": {"Bob": ["ar", "aa"]}})
    silent = (pl.col("name") == "Bob") & (pl.col("template_id") == "t1")
    lost = (pl.col("name") == "Ann") & (pl.col("template_id") == "t0") & (pl.col("sample") == 1)
    table = exclusions(asked.filter(~silent & ~lost), prompts_of(asked), ANALYSIS)
    assert table.select("dimension", "group", "reason", "n", "share").rows() == [
        ("all", "all", "labelled", 5, 5 / 8),
        ("all", "all", "no response", 3, 3 / 8),
        ("group", "x", "labelled", 3, 3 / 4),
        ("group", "x", "no response", 1, 1 / 4),
        ("group", "y", "labelled", 2, 2 / 4),
        ("group", "y", "no response", 2, 2 / 4),
    ]
