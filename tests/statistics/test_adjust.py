from __future__ import annotations

import polars as pl
import pytest

from refusal_parity.config import PrimaryFamily
from refusal_parity.statistics.adjust import adjust

OLS, EXACT = "ols_cr2_two_way", "permutation_names_exact"
PRIMARY, OTHER = "primary: refusal by group, ", "exploratory: "
CONTRAST = "risk_difference"
ROWS = [
    ("m", "refusal", "group", OLS, CONTRAST, 0.01, True, 0.03, PRIMARY + OLS),
    ("m", "refusal", "group", OLS, CONTRAST, 0.04, True, 0.06, PRIMARY + OLS),
    ("m", "refusal", "group", OLS, CONTRAST, 0.03, True, 0.06, PRIMARY + OLS),
    ("m", "refusal", "group", EXACT, CONTRAST, 0.02, True, 0.02, PRIMARY + EXACT),
    ("m", "refusal", "group", OLS, CONTRAST, None, True, None, None),
    ("m", "refusal", "group", OLS, "global", 0.02, True, None, None),
    ("m", "refusal", "group", "chi_square", CONTRAST, 0.01, False, None, None),
    ("m", "refusal", "gender", OLS, CONTRAST, 0.01, True, 0.02, OTHER + OLS),
    ("m", "no_full_answer", "group", OLS, CONTRAST, 0.03, True, 0.03, OTHER + OLS),
    ("m", "refusal", "gender", EXACT, CONTRAST, 0.2, True, 0.2, OTHER + EXACT),
    ("o", "refusal", "group", OLS, CONTRAST, 0.04, True, 0.04, PRIMARY + OLS),
]
COLUMNS = [
    "model",
    "outcome",
    "dimension",
    "method",
    "estimand",
    "p_value",
    "valid",
    "expected_p",
    "expected_family",
]


def test_families() -> None:
    frame = adjust(pl.DataFrame(ROWS, schema=COLUMNS, orient="row"), PrimaryFamily())
    assert frame["family"].to_list() == frame["expected_family"].to_list()
    assert frame["p_adjusted"].to_list() == pytest.approx(frame["expected_p"].to_list())


def test_nothing_to_adjust() -> None:
    frame = adjust(pl.DataFrame(ROWS[5:7], schema=COLUMNS, orient="row"), PrimaryFamily())
    assert frame["p_adjusted"].to_list() == [None, None]
