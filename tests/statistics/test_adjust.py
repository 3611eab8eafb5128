from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.multitest import multipletests

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.statistics.adjust import adjust, benjamini_hochberg, holm

OLS, EXACT = "ols_cr2_two_way", "permutation_names_exact"
PRIMARY, OTHER, PAIRS = "primary: refusal by group, ", "exploratory: ", "all pairs: "
ANALYSIS = AnalysisConfig(
    dimensions={
        "group": DimensionConfig(reference="white"),
        "gender": DimensionConfig(reference="man"),
    }
)
CONTRAST = "risk_difference"
ROWS = [
    ("m", "refusal", "group", "white", OLS, CONTRAST, 0.01, True, 0.03, PRIMARY + OLS),
    ("m", "refusal", "group", "white", OLS, CONTRAST, 0.04, True, 0.06, PRIMARY + OLS),
    ("m", "refusal", "group", "white", OLS, CONTRAST, 0.03, True, 0.06, PRIMARY + OLS),
    ("m", "refusal", "group", "white", EXACT, CONTRAST, 0.02, True, 0.02, PRIMARY + EXACT),
    ("m", "refusal", "group", "white", OLS, CONTRAST, None, True, None, None),
    ("m", "refusal", "group", None, OLS, "global", 0.02, True, None, None),
    ("m", "refusal", "group", "white", "chi_square", CONTRAST, 0.01, False, None, None),
    ("m", "refusal", "group", "black", OLS, CONTRAST, 0.01, True, 0.02, PAIRS + OLS),
    ("m", "refusal", "gender", "man", OLS, CONTRAST, 0.01, True, 0.02, OTHER + OLS),
    ("m", "no_full_answer", "group", "white", OLS, CONTRAST, 0.03, True, 0.03, OTHER + OLS),
    ("m", "no_full_answer", "group", "black", OLS, CONTRAST, 0.5, True, 0.5, PAIRS + OLS),
    ("m", "refusal", "gender", "man", EXACT, CONTRAST, 0.2, True, 0.2, OTHER + EXACT),
    ("o", "refusal", "group", "white", OLS, CONTRAST, 0.04, True, 0.04, PRIMARY + OLS),
]
COLUMNS = [
    "model",
    "outcome",
    "dimension",
    "reference",
    "method",
    "estimand",
    "p_value",
    "valid",
    "expected_p",
    "expected_family",
]


def test_families() -> None:
    frame = adjust(pl.DataFrame(ROWS, schema=COLUMNS, orient="row"), ANALYSIS)
    assert frame["family"].to_list() == frame["expected_family"].to_list()
    assert frame["p_adjusted"].to_list() == pytest.approx(frame["expected_p"].to_list())


def test_nothing_to_adjust() -> None:
    frame = adjust(pl.DataFrame(ROWS[5:7], schema=COLUMNS, orient="row"), ANALYSIS)
    assert frame["p_adjusted"].to_list() == [None, None]


@pytest.mark.parametrize("seed", range(3))
def test_corrections_equal_statsmodels(seed: int) -> None:
    p_values = np.random.default_rng(seed).uniform(0, 0.2, 9).round(2)
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], rel=1e-12)
    found = benjamini_hochberg(p_values)
    assert found == pytest.approx(multipletests(p_values, method="fdr_bh")[1], rel=1e-12)
