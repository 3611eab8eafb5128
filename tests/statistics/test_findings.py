"""Which row of which test is reported for a question, and what it decides."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import polars as pl
import pytest
from reported import (
    ANALYSIS,
    EXACT,
    FIT,
    LEVELS,
    NONE,
    PEOPLE,
    SURE,
    UNSURE,
    a_row,
    filled,
    found,
    level,
    together,
)

from refusal_parity.statistics.answering.finding import Finding
from refusal_parity.statistics.answering.table import Evidence, findings
from refusal_parity.statistics.methods import METHODS
from refusal_parity.vocabulary import Estimand, Scope


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        pytest.param(
            [a_row(**SURE), a_row(EXACT, estimate=0.28, p_adjusted=0.2)],
            {"method": FIT, "verdict": "shown", "estimate": 0.3, "ci_high": 0.5,
             "p_adjusted": 0.01, "names_p_adjusted": 0.2, "fallback": None, "reason": None,
             "scope": Scope.NEW_NAMES_AND_TEMPLATES},
            id="the linear model decides, and the permutation stands beside it",
        ),
        pytest.param(
            [a_row(**NONE), a_row(EXACT, estimate=0.28, p_adjusted=0.02)],
            {"method": EXACT, "verdict": "shown", "estimate": 0.28, "ci_high": None,
             "p_adjusted": 0.02, "fallback": NONE["note"], "scope": Scope.NEW_NAMES},
            id="without it the permutation decides, with its own scope",
        ),
        pytest.param(
            [a_row(**UNSURE), a_row(EXACT, estimate=0.28, p_adjusted=0.001)],
            {"method": FIT, "verdict": "not_shown", "names_p_adjusted": 0.001, "fallback": None},
            id="the permutation never overrules the linear model",
        ),
        pytest.param(
            [a_row(**SURE), a_row(PEOPLE, **UNSURE | {"estimate": 0.1}, n_group=20,
                                        n_reference=30)],
            {"method": PEOPLE, "verdict": "not_shown", "estimate": 0.1, "human_labels": 50,
             "machine_estimate": 0.3, "machine_p_adjusted": 0.01, "names_p_adjusted": None},
            id="people's labels decide, and what the machine's showed is kept",
        ),
        pytest.param(
            [a_row(**SURE), a_row(PEOPLE, note="not estimable: 12 more human labels needed")],
            {"method": FIT, "verdict": "shown", "human_labels": None, "machine_estimate": None,
             "uncorrected": "12 more human labels needed"},
            id="too few of them correct nothing",
        ),
        pytest.param(
            [a_row(**SURE | {"p_adjusted": 0.05})],
            {"verdict": "not_shown"},
            id="at alpha nothing is shown",
        ),
        pytest.param(
            [a_row(**SURE | {"p_adjusted": None}, p_value=1e-9)],
            {"verdict": "not_estimable", "reason": "no valid test was possible", "estimate": 0.3},
            id="a p-value that is not corrected decides nothing",
        ),
        pytest.param(
            [a_row(**NONE), a_row(EXACT, note="not estimable: one name")],
            {"method": None, "verdict": "not_estimable", "estimate": None,
             "reason": "nothing varies; one name"},
            id="no number, both reasons",
        ),
        pytest.param(
            [a_row(**UNSURE), a_row("equivalence", estimate=0.3, p_adjusted=0.049)],
            {"verdict": "equivalent", "within_margin": True, "p_small": 0.049, "margin": 0.05},
            id="shown to be small",
        ),
        pytest.param(
            [a_row(**SURE), a_row("equivalence", estimate=0.3, p_adjusted=0.049)],
            {"verdict": "shown", "within_margin": True},
            id="a small difference may be shown too",
        ),
        pytest.param(
            [a_row("welch_names", **SURE), a_row(**UNSURE)],
            {"method": FIT, "verdict": "not_shown"},
            id="a valid method that is not reported decides nothing",
        ),
        pytest.param(
            [a_row(**UNSURE), a_row("ols_cr2_name", **SURE | {"ci_low": 0.2})],
            {"names_ci_low": 0.2, "names_ci_high": 0.5, "ci_low": 0.1},
            id="the interval for these templates stands beside",
        ),
    ],
)  # fmt: skip
def test_what_is_reported_of_a_pair(tests: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    row = found(tests)
    assert {key: row[key] for key in expected} == expected


def test_sizes_family_and_correction() -> None:
    row = found([a_row(**SURE)])
    assert (row["names_group"], row["names_reference"], row["templates_group"]) == (6, 9, 10)
    assert (row["n_group"], row["k_group"], row["n_reference"], row["k_reference"]) == (
        60, 30, 90, 18,
    )  # fmt: skip
    assert (row["primary"], row["correction"]) == (True, "holm")
    assert row["family"] == "primary: refusal by group, ols_cr2_two_way"
    other = a_row(**SURE, outcome="partial_answer") | {"family": "exploratory: x"}
    row = found([other], outcome="partial_answer")
    assert (row["primary"], row["correction"]) == (False, "benjamini_hochberg")


def test_other_pairs_are_answered_in_the_primary_family_alone() -> None:
    pairs = [
        a_row(**UNSURE, outcome=outcome, group=group, reference=reference)
        for outcome in ("refusal", "partial_answer")
        for group, reference in (("black", "white"), ("black", "asian"), ("asian", "white"))
    ]
    given = {each.name: filled(each.name, []) for each in fields(Evidence)}
    given |= {"rates": filled("rates", LEVELS), "disparity": filled("disparity", pairs)}
    table = findings(Evidence(**given), ANALYSIS)
    asked = table.filter(pl.col("group").is_not_null()).group_by("outcome").len()
    assert dict(asked.iter_rows()) == {"refusal": 3, "partial_answer": 2}
    # All levels together: each outcome with each dimension.
    assert table["group"].null_count() == 6


@pytest.mark.parametrize(
    ("tests", "verdict", "reason"),
    [
        ([together(0.01), a_row(**UNSURE)], "not_shown", None),
        ([together(0.5), a_row(**SURE)], "shown", None),
        ([together(0.5), a_row(**UNSURE)], "not_shown", None),
        ([a_row(**UNSURE)], "not_shown", None),
        ([together(0.5), a_row(**UNSURE), a_row("equivalence", estimate=0.0,
                                                      p_adjusted=0.01)], "equivalent", None),
        ([a_row(**NONE), a_row(PEOPLE, note="not estimable: 5 more human labels needed")],
         "not_estimable", "nothing varies; 5 more human labels needed"),
        ([], "not_estimable", "no valid test was possible"),
    ],
    ids=["together alone", "a pair", "neither", "pairs alone", "all small", "reasons", "nothing"],
)  # fmt: skip
def test_what_is_decided_of_all_levels(
    tests: list[dict[str, Any]], verdict: str, reason: str | None
) -> None:
    other = a_row(**UNSURE, outcome="partial_answer")
    row = found([*tests, other], group=None)
    assert (row["verdict"], row["reason"]) == (verdict, reason)
    assert (row["names_group"], row["n_group"], row["reference"]) == (15, 150, None)


TWO_WAY, SPLITS = "nothing is known of templates", "20 splits allow no p-value below 0.1"


@pytest.mark.parametrize(
    ("names", "of_asian", "whole", "of_black"),
    [
        (
            {"black": 3, "asian": 3, "white": 3},
            [SPLITS],
            "black, white and asian have 3 names each, but a test takes at least 4",
            "black and white have 3 names each, but a test takes at least 4",
        ),
        (
            {"black": 3, "asian": 6, "white": 6},
            [TWO_WAY, "one name"],
            f"{TWO_WAY}; {SPLITS}; one name",
            "black has 3 names, but a test takes at least 4",
        ),
        (
            {"black": 6, "asian": 6, "white": 6},
            [TWO_WAY, SPLITS],
            f"{TWO_WAY}; {SPLITS}",
            f"{TWO_WAY}; {SPLITS}",
        ),
        (
            {"black": 0, "asian": 3, "white": 3},
            [TWO_WAY, SPLITS],
            f"{TWO_WAY}; {SPLITS}",
            f"{TWO_WAY}; {SPLITS}",
        ),
        (
            {"black": 0, "asian": 0, "white": 0},
            [TWO_WAY, SPLITS],
            f"{TWO_WAY}; {SPLITS}",
            f"{TWO_WAY}; {SPLITS}",
        ),
    ],
    ids=["all too small", "one too small", "none", "one is empty", "no names"],
)
def test_a_reason_is_said_once(
    names: dict[str, int | None], of_asian: list[str], whole: str, of_black: str
) -> None:
    tests = [
        a_row(method, group=group, estimate=0.3, note=f"not estimable: {note}")
        for group, notes in (("black", [TWO_WAY, SPLITS]), ("asian", of_asian))
        for method, note in zip((FIT, EXACT), notes, strict=False)
    ]
    rates = [level(group, n_names=number) for group, number in names.items()]
    rates.append(level("all", "all", n_names=18))
    assert found(tests, None, rates=rates)["reason"] == whole
    assert found(tests, "black", rates=rates)["reason"] == of_black


def test_people_s_labels_leave_the_randomisation_out() -> None:
    corrected = a_row(PEOPLE, **UNSURE)
    row = found([together(0.001), a_row(**SURE), corrected], group=None)
    assert (row["verdict"], row["method"], row["p_value"]) == ("not_shown", None, None)


def test_levels_without_a_rate_say_why() -> None:
    rates = [level(name, k=0, n=0, rate=None, note="no response has a label") for name in "ab"]
    row = found([a_row(**SURE)], group=None, rates=rates)
    assert (row["verdict"], row["reason"]) == ("not_estimable", "no response has a label")


def test_means_have_sizes_and_a_margin_in_their_unit() -> None:
    test = a_row(
        estimate=4.0, p_adjusted=0.2, outcome="answer_length", estimand=Estimand.MEAN_DIFFERENCE
    ) | {"k_group": None, "k_reference": None}
    lengths = [
        {"dimension": "group", "group": group, "n": 50, "n_names": names, "n_templates": 10,
         "mean": 12.0, "median": 11.0}
        for group, names in (("black", 6), ("white", 9))
    ]  # fmt: skip
    row = found([test], outcome="answer_length", lengths=lengths)
    assert (row["names_group"], row["names_reference"]) == (6, 9)
    assert row["margin"] == ANALYSIS.length_margin


def checked(rate: float, low: float, method: str = FIT, **values: Any) -> dict[str, Any]:
    return {
        "outcome": "refusal", "dimension": "group", "name_variance": "common", "method": method,
        "estimand": Estimand.RISK_DIFFERENCE, "n_simulations": 200, "nominal": 0.05,
        "false_positive_rate": rate, "ci_low": low, "ci_high": rate + 0.03,
    } | values  # fmt: skip


def test_a_test_that_the_self_check_finds_liberal_is_marked() -> None:
    tests = [a_row(**SURE)]
    alike = [checked(0.06, 0.03), checked(0.08, 0.049, name_variance="by_group")]
    row = found(tests, selfcheck=alike)
    assert (row["type_i_error"], row["liberal"]) == (0.08, False)
    row = found(tests, selfcheck=[alike[0], checked(0.156, 0.11, name_variance="by_group")])
    assert (row["type_i_error"], row["liberal"]) == (0.156, True)
    row = found(tests, selfcheck=[checked(0.9, 0.8, EXACT)])
    assert (row["type_i_error"], row["liberal"]) == (None, False)


@pytest.mark.parametrize(
    ("held", "kept"),
    [
        (SURE | {"note": "adjusted for births"}, ("adjusted for births", 0.3, 0.1, 0.5, 0.01)),
        (
            SURE | {"valid": False, "note": "adjusted for births; x has 3 names"},
            ("adjusted for births; x has 3 names", 0.3, 0.1, 0.5, None),
        ),
        (
            NONE | {"note": "not estimable: nothing varies; adjusted for births"},
            ("not estimable: nothing varies; adjusted for births", None, None, None, None),
        ),
    ],
)
@pytest.mark.parametrize(
    ("plain", "adjusted"), [(FIT, "ols_cr2_adjusted"), ("unit_score", "unit_adjusted")]
)
def test_a_difference_with_covariates_decides_nothing(
    plain: str, adjusted: str, held: dict[str, Any], kept: tuple[Any, ...]
) -> None:
    row = found([a_row(plain, **UNSURE), a_row(adjusted, **held)])
    assert (row["verdict"], row["estimate"]) == ("not_shown", 0.3)
    columns = ("estimate", "ci_low", "ci_high", "p_adjusted")
    assert (row["covariates"], *(row[f"covariates_{key}"] for key in columns)) == kept


def test_one_method_decides_by_names() -> None:
    told = Finding(model="m", outcome="refusal", dimension="group")
    assert not told.by_names
    assert [key for key in METHODS if replace(told, method=METHODS[key]).by_names] == [
        "permutation_names_exact"
    ]
