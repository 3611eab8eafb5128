from __future__ import annotations

from typing import TYPE_CHECKING

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.statistics.losses.exclusions import exclusions

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl


ANALYSIS = AnalysisConfig(dimensions={"group": DimensionConfig(reference="x")})


def test_every_response_is_accounted_for(study: Callable[..., pl.DataFrame]) -> None:
    observations = study({"x": {"Ann": ["ra-", "ar-"]}, "y": {"Bob": ["arh", "aaa"]}})
    table = exclusions(observations, ANALYSIS)
    assert table.select("dimension", "group", "reason", "n", "share").rows() == [
        ("all", "all", "labelled", 10, 10 / 12),
        ("all", "all", "empty", 2, 2 / 12),
        ("group", "x", "labelled", 4, 4 / 6),
        ("group", "x", "empty", 2, 2 / 6),
        ("group", "y", "labelled", 6, 1.0),
        ("group", "y", "empty", 0, 0.0),
    ]
