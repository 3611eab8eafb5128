from __future__ import annotations

import math

import pytest

from refusal_parity.statistics.methods import METHODS
from refusal_parity.statistics.results import Estimate, to_row
from refusal_parity.vocabulary import Estimand


@pytest.mark.parametrize(
    ("said", "expected"), [(None, "ci_high without bound"), ("as it should be", "as it should be")]
)
def test_no_infinite_number_goes_without_a_note(said: str | None, expected: str) -> None:
    row = to_row(
        Estimate(
            method=METHODS["ols_cr2_two_way"],
            estimand=Estimand.RISK_DIFFERENCE,
            group="g",
            reference="h",
            estimate=0.5,
            ci_high=math.inf,
            note=said,
        )
    )
    assert row["ci_high"] == math.inf
    assert row["note"] == expected
