"""How numbers of R's for the released 7B study are looked up and compared."""

from __future__ import annotations

from typing import Any, NamedTuple

import polars as pl
import pytest

GROUPS = ("muslim", "mexican", "chinese", "asian")


class Reference(NamedTuple):
    """The study's numbers, and how closely they must be met."""

    numbers: dict[str, Any]
    closed_form: float
    coefficient: float
    std_error: float
    permutation: float
    bootstrap: float


def near(value: float, tolerance: float) -> Any:
    """Equal within a tolerance that is absolute below 1 and relative above."""
    return pytest.approx(value, abs=tolerance, rel=tolerance)


def relative(value: float, tolerance: float) -> Any:
    return pytest.approx(value, abs=0, rel=tolerance)


def contrast(
    disparities: pl.DataFrame, method: str, group: str | None, reference: str = "white"
) -> dict[str, Any]:
    base = None if group is None else reference
    rows = disparities.filter(
        pl.col("group").eq_missing(pl.lit(group, dtype=pl.String)),
        pl.col("reference").eq_missing(pl.lit(base, dtype=pl.String)),
        outcome="refusal",
        dimension="group",
        method=method,
    )
    return rows.row(0, named=True) if rows.height == 1 else pytest.fail(f"{rows.height} rows")


def coefficient(row: dict[str, Any]) -> float:
    """The estimate on the scale of its standard error: statistic times standard error."""
    value: float = row["statistic"] * row["std_error"]
    return value
