"""Means of answers of which many were cut off, so that their length is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig
from refusal_parity.statistics.disparity import disparities

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NAMES = 5
ANSWERS = 4 * NAMES * NAMES
ANALYSIS = AnalysisConfig.model_validate(
    {
        "outcomes": ["refusal", "answer_length"],
        "dimensions": {"group": {"reference": "x"}},
        "permutations": 99,
        "bootstraps": 99,
    }
)


def row_of(
    study: Callable[..., pl.DataFrame],
    cut: Mapping[str, int],
    method: str,
    outcome: str = "answer_length",
) -> dict[str, Any]:
    """The difference of two groups, of whose longest answers so many were cut off."""
    seen = study(
        {
            group: {f"{group}{at}": ["aaaa"] * (NAMES - 1) + ["aaaar"] for at in range(NAMES)}
            for group in "xy"
        }
    )
    length = 20 + (pl.col("prompt_id").hash(seed=1) % 30).cast(pl.Int64) + pl.col("sample")
    answer = pl.col("label") == "answer"
    place = length.rank("ordinal", descending=True).over("group", answer)
    truncated = answer & (place <= pl.col("group").replace_strict(cut, default=0))
    seen = seen.with_columns(truncated=truncated, words=pl.when(~truncated).then(length))
    found = disparities(seen, ANALYSIS).filter(
        pl.col("method").cast(pl.String) == method,
        pl.col("outcome").cast(pl.String) == outcome,
        pl.col("group") == "y",
    )
    return found.row(0, named=True)


@pytest.mark.parametrize(
    ("cut", "note", "valid"),
    [
        ({}, None, True),
        ({"y": 5}, "cut off were 5 of 100 full answers of y, which are in no mean", True),
        (
            {"x": 2, "y": 5},
            "cut off were 5 of 100 full answers of y and 2 of 100 of x, which are in no mean",
            True,
        ),
        (
            {"y": 6},
            "cut off were 6 of 100 full answers of y, too many for a finding about means",
            False,
        ),
        (
            {"x": 60, "y": 1},
            "cut off were 1 of 100 full answers of y and 60 of 100 of x, too many for a finding",
            False,
        ),
    ],
)
@pytest.mark.parametrize("method", ["ols_cr2_two_way", "equivalence"])
def test_answers_that_were_cut_off_make_neither_a_difference_nor_a_small_one(
    study: Callable[..., pl.DataFrame],
    cut: dict[str, int],
    note: str | None,
    method: str,
    *,
    valid: bool,
) -> None:
    row = row_of(study, cut, method)
    assert row["valid"] is valid
    assert (row["p_adjusted"] is not None) is valid
    assert row["estimate"] is not None
    assert (note or "") in (row["note"] or "")
    assert ("cut off" in (row["note"] or "")) is (note is not None)


def test_rates_of_answers_that_were_cut_off_stay(study: Callable[..., pl.DataFrame]) -> None:
    row = row_of(study, {"y": 60}, "wilson_two_way", "refusal")
    assert row["n_group"] == ANSWERS + NAMES
    assert "cut off" not in (row["note"] or "")
