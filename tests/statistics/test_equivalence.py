from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import t
from statsmodels.stats.weightstats import DescrStatsW

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.equivalence import two_one_sided
from refusal_parity.vocabulary import Method


@pytest.mark.parametrize("shift", [-0.4, -0.05, 0.0, 0.2])
def test_equals_statsmodels(shift: float) -> None:
    sample = np.random.default_rng(3).normal(shift, 1, 25)
    stats = DescrStatsW(sample)
    p_value, *_ = stats.ttost_mean(-0.5, 0.5)
    low, high = stats.tconfint_mean(alpha=0.1)
    mine = two_one_sided(stats.mean, stats.std_mean, 24, margin=0.5, alpha=0.05)
    assert mine.p_value == pytest.approx(p_value, rel=1e-12)
    assert (mine.low, mine.high) == pytest.approx((low, high), rel=1e-12)
    assert (mine.p_value < 0.05) == (low > -0.5 and high < 0.5)


@pytest.mark.parametrize("group", ["muslim", "mexican", "chinese", "asian"])
def test_released_study_against_a_wide_margin(
    released: pl.DataFrame, reference: dict[str, Any], group: str
) -> None:
    config = AnalysisConfig(
        outcomes=[Outcome.REFUSAL],
        dimensions={"group": DimensionConfig(reference="white")},
        permutations=99,
        margin=0.2,
    )
    frame = disparities(released, config).filter(group=group, reference="white")
    fit = frame.row(by_predicate=pl.col("method") == Method.OLS_CR2_TWO_WAY, named=True)
    mine = frame.row(by_predicate=pl.col("method") == Method.EQUIVALENCE, named=True)
    expected = reference["llama7"]["item4"]["lpm_all24"]["twoway_CR1S"]["coefs"]
    difference = expected[f"identity{group}"]["coef"]
    assert mine["estimate"] == pytest.approx(difference, abs=1e-8)
    upper = t.cdf((difference - 0.2) / fit["std_error"], fit["df"])
    assert mine["p_value"] == pytest.approx(upper, rel=1e-5)
    reach = t.ppf(0.95, fit["df"]) * fit["std_error"]
    assert mine["ci_high"] == pytest.approx(difference + reach, abs=1e-6)
    assert (mine["p_value"] < 0.05) == (mine["ci_high"] < 0.2)
    assert mine["scope"] == "new templates and new names"
    assert mine["family"] == "primary: refusal by group, equivalence"
