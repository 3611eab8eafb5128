"""Intervals and adjusted p-values never say different things of a comparison."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import t

from refusal_parity.config import AnalysisConfig
from refusal_parity.statistics.adjust import adjust
from refusal_parity.statistics.agreeing import OF_NO_TABLE, agreeing
from refusal_parity.statistics.methods import METHODS
from refusal_parity.statistics.proportions import TwoRates
from refusal_parity.statistics.rate_intervals import Differences, UnitRate, two_sided

ANALYSIS = AnalysisConfig.model_validate({"dimensions": {"group": {"reference": "white"}}})
EFFECTIVE = ("effective_group", "effective_reference")
NUMBERS = ("estimate", "std_error", "df", "p_value", *EFFECTIVE, *OF_NO_TABLE)


def rows(given: list[dict[str, Any]], **values: Any) -> pl.DataFrame:
    """Comparisons of disparity.parquet, before their correction."""
    blank: dict[str, Any] = {
        "model": "m", "outcome": "refusal", "dimension": "group", "reference": "white",
        "method": "ols_cr2_two_way", "estimand": "risk_difference", "valid": True,
        "n_group": 100, "n_reference": 100, "k_group": None, "k_reference": None,
    } | dict.fromkeys(NUMBERS) | values  # fmt: skip
    schema = dict.fromkeys(NUMBERS, pl.Float64()) | {
        "k_group": pl.Int64(),
        "k_reference": pl.Int64(),
    }
    return pl.DataFrame(
        [blank | {"group": f"g{at}"} | row for at, row in enumerate(given)],
        schema_overrides=schema,
    )


def t_row(statistic: float, df: float = 9.0) -> dict[str, Any]:
    return {
        "estimate": 0.02 * statistic, "std_error": 0.02, "df": df,
        "p_value": 2 * t.sf(abs(statistic), df),
    }  # fmt: skip


def rates_row(k: int, k_reference: int, df: float = 9.0) -> dict[str, Any]:
    rates = TwoRates(
        *map(np.array, ((k - k_reference) / 100, k / 100, k_reference / 100, 40.0, 55.0))
    )
    return {
        "k_group": k, "k_reference": k_reference, "estimate": float(rates.difference),
        "std_error": 0.01, "df": df, "p_value": float(min(2 * t.sf(rates.distance(), df), 1)),
        "effective_group": 40.0, "effective_reference": 55.0,
    }  # fmt: skip


def units_row(k: int, k_reference: int, correlation: float = 0.0) -> dict[str, Any]:
    """Of 100 responses a level to 25 prompts."""
    rates, variance = (
        np.array(each)
        for each in ((k / 100, k_reference / 100), (k / 4e4, 1e-4 + k_reference / 5e4))
    )
    found = Differences(
        group=UnitRate(rates[0], variance[0], *map(np.array, (9.0, 25.0, 100.0))),
        reference=UnitRate(rates[1], variance[1], *map(np.array, (7.0, 20.0, 100.0))),
        correlation=np.array(correlation),
    )
    return {
        "method": "unit_score", "k_group": k, "k_reference": k_reference,
        "estimate": float(found.estimate), "std_error": 0.01,
        "p_value": float(two_sided(found.reach(0.0))), "correlation": correlation,
        "variance_group": variance[0], "variance_reference": variance[1],
        "df_group": 9.0, "df_reference": 7.0, "least_group": 25.0, "least_reference": 20.0,
    }  # fmt: skip


def check(found: pl.DataFrame) -> pl.DataFrame:
    outside = (pl.col("adjusted_low") > 0) | (pl.col("adjusted_high") < 0)
    assert found.select((outside == (pl.col("p_adjusted") < 0.05)).all()).item()
    assert found["adjusted_low"].null_count() == 0
    return found


@pytest.mark.parametrize("outcome", ["refusal", "harmful_refusal"], ids=["Holm", "Benjamini"])
@pytest.mark.parametrize("seed", range(20))
def test_an_interval_leaves_0_out_exactly_where_p_is_small(seed: int, outcome: str) -> None:
    random = np.random.default_rng(seed)
    statistics = random.normal(random.uniform(0, 4), 1.5, random.integers(1, 9))
    check(agreeing(adjust(rows([t_row(each) for each in statistics], outcome=outcome), ANALYSIS)))
    counts = random.integers(0, 40, (random.integers(1, 9), 2))
    given = rows([rates_row(*map(int, each)) for each in counts], outcome=outcome)
    found = check(agreeing(adjust(given, ANALYSIS)))
    assert found.select((pl.col("adjusted_high") <= 1).all()).item()
    of_units = rows([units_row(*map(int, each), 0.3) for each in counts], outcome=outcome)
    found = check(agreeing(adjust(of_units, ANALYSIS)))
    assert found.select((pl.col("adjusted_low") <= pl.col("estimate")).all()).item()


def test_the_level_is_that_of_the_last_comparison() -> None:
    # Holm rejects the first of three: what is left is held against alpha / 2.
    found = agreeing(adjust(rows([t_row(9), t_row(1), t_row(0.5)]), ANALYSIS))
    half = t.isf(0.05 / 2 / 2, 9) * 0.02
    assert found["adjusted_high"].to_list() == pytest.approx(
        [0.18 + half, 0.02 + half, 0.01 + half]
    )


def test_a_family_of_its_own_has_its_own_interval() -> None:
    own = t_row(3) | {"p_family": 0.2, "family_low": -0.01, "family_high": 0.3}
    found = agreeing(adjust(rows([own, t_row(4)]), ANALYSIS))
    assert found["p_adjusted"][0] == 0.2
    assert found.select("adjusted_low", "adjusted_high").row(0) == (-0.01, 0.3)
    # The other test is alone.
    assert found["p_adjusted"][1] == pytest.approx(t_row(4)["p_value"])


def test_no_interval_of_rates_goes_beyond_what_they_can_differ_by() -> None:
    wide = t_row(3, df=2.0) | {"estimate": -0.7, "std_error": 0.3}
    own = wide | {"p_family": 0.3, "family_low": -1.4, "family_high": 0.2}
    means = wide | {"estimand": "mean_difference"}
    found = agreeing(adjust(rows([wide, own, means]), ANALYSIS))
    of_rates, of_family, of_means = found.select("adjusted_low", "adjusted_high").rows()
    assert of_rates == (-1, 1)
    assert of_family == (-1, 0.2)
    assert of_means[0] < -1
    assert of_means[1] > 1


def test_what_has_no_interval_gets_none() -> None:
    exact = {"method": "permutation_names_exact", "estimate": 0.1, "p_value": 0.01}
    of_margin = [str(method) for method in METHODS.values() if method.of_margin]
    assert sorted(of_margin) == sorted(key for key in METHODS if "equivalence" in key)
    margins = [t_row(1) | {"method": key} for key in of_margin]
    score = units_row(5, 3) | {"method": "unit_score_equivalence"}
    ratio = t_row(1) | {"method": "katz", "estimand": "risk_ratio"}
    found = agreeing(adjust(rows([exact, *margins, score, ratio]), ANALYSIS))
    assert found["adjusted_low"].null_count() == len(found)
    assert set(found.columns).isdisjoint(OF_NO_TABLE)
