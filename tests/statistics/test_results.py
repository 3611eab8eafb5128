from __future__ import annotations

import math

import pytest

from refusal_parity.statistics.results import Estimate, to_row
from refusal_parity.vocabulary import Estimand, Method


@pytest.mark.parametrize(
    ("column", "number", "stored"),
    [
        ("estimate", math.nan, None),
        ("p_value", math.nan, None),
        ("std_error", math.inf, None),
        ("estimate", math.inf, math.inf),
    ],
)
def test_no_broken_number_goes_without_a_note(
    column: str, number: float, stored: float | None
) -> None:
    numbers = {"estimate": 0.5, column: number}
    row = to_row(
        Estimate(
            method=Method.OLS_CR2_TWO_WAY, estimand=Estimand.RISK_DIFFERENCE, group="g", **numbers
        )
    )
    assert row[column] == stored
    assert row["note"] == f"{column} not a finite number"
