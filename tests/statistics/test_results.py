from __future__ import annotations

import math
from dataclasses import replace

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
            estimand=Estimand.RISK_RATIO,
            group="g",
            reference="h",
            estimate=0.5,
            ci_high=math.inf,
            note=said,
        )
    )
    assert row["ci_high"] == math.inf
    assert row["note"] == expected


def test_no_interval_of_rates_goes_beyond_what_they_can_differ_by() -> None:
    given = Estimate(
        method=METHODS["ols_cr2_two_way"],
        estimand=Estimand.RISK_DIFFERENCE,
        estimate=-0.75,
        ci_low=-1.125,
        ci_high=-0.375,
    )
    row = to_row(given)
    assert (row["ci_low"], row["ci_high"]) == (-1, -0.375)
    words = to_row(replace(given, estimand=Estimand.MEAN_DIFFERENCE))
    assert (words["ci_low"], words["ci_high"]) == (-1.125, -0.375)
