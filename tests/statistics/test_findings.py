"""Which row of which test is reported for a question, and what it decides."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig
from refusal_parity.statistics.answering.finding import reason_of
from refusal_parity.statistics.answering.table import Evidence, findings
from refusal_parity.statistics.methods import METHODS
from refusal_parity.tables import TABLES, conform, empty
from refusal_parity.vocabulary import Estimand, Scope

ANALYSIS = AnalysisConfig.model_validate(
    {
        "dimensions": {"group": {"reference": "white"}, "arm": {"reference": "plain"}},
        "outcomes": ["refusal", "partial_answer", "answer_length"],
        "primary_family": {"outcome": "refusal", "dimension": "group"},
    }
)
FIT, EXACT, PEOPLE = (
    "ols_cr2_two_way",
    "permutation_names_exact",
    "design_based",
)


def filled(key: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """A table of these rows, with null for what they do not say."""
    schema = TABLES[key].schema
    if not rows:
        return empty(schema)
    blank = dict.fromkeys(schema.column_names())
    frame = pl.DataFrame([blank | {"model": "m"} | row for row in rows], infer_schema_length=None)
    return conform(frame, schema, where=key)


def a_row(method: str = FIT, **values: Any) -> dict[str, Any]:
    """A row of disparity.parquet for black against white names."""
    estimand = values.get("estimand", Estimand.RISK_DIFFERENCE)
    row: dict[str, Any] = {
        "outcome": "refusal", "dimension": "group", "group": "black", "reference": "white",
        "method": method, "estimand": estimand, "valid": METHODS[method].controls(estimand),
        "scope": Scope.NEW_NAMES if method is EXACT else Scope.NEW_NAMES_AND_TEMPLATES,
        "n_group": 60, "n_reference": 90, "k_group": 30, "k_reference": 18,
        "family": f"primary: refusal by group, {method}",
    } | values  # fmt: skip
    if "p_value" not in values:
        row["p_value"] = row.get("p_adjusted")
    return row


def together(p: float) -> dict[str, Any]:
    row = a_row("permutation_names_f", estimand=Estimand.GLOBAL, estimate=0.3, p_value=p)
    return row | {"group": None, "reference": None, "scope": Scope.NEW_NAMES, "family": None}


def level(group: str, dimension: str = "group", **values: Any) -> dict[str, Any]:
    """A row of rates.parquet."""
    return {
        "outcome": "refusal", "dimension": dimension, "group": group, "within": "all",
        "within_group": "all", "n": 60, "k": 12, "n_names": 6, "n_templates": 10, "rate": 0.2,
    } | values  # fmt: skip


LEVELS = [
    level("all", "all", n=150, n_names=15, n_templates=10),
    level("black"),
    level("white", n_names=9),
]


def found(
    tests: list[dict[str, Any]],
    group: str | None = "black",
    *,
    outcome: str = "refusal",
    dimension: str = "group",
    contrast: str | None = None,
    **tables: list[dict[str, Any]],
) -> dict[str, Any]:
    """The row of a question."""
    given = {"rates": LEVELS, "disparity": tests} | tables
    keys = [each.name for each in fields(Evidence)]
    table = findings(Evidence(**{key: filled(key, given.get(key, [])) for key in keys}), ANALYSIS)
    rows = table.filter(
        pl.col("group").eq_missing(pl.lit(group, pl.String)),
        pl.col("contrast").eq_missing(pl.lit(contrast, pl.String)),
        outcome=outcome,
        dimension=dimension,
    ).to_dicts()
    assert len(rows) == 1
    return rows[0]


SURE = {"estimate": 0.3, "ci_low": 0.1, "ci_high": 0.5, "p_adjusted": 0.01}
UNSURE = SURE | {"p_adjusted": 0.3}
NONE = {"note": "not estimable: nothing varies"}


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


def bound(reading: str, estimate: float, p: float | None, **values: Any) -> dict[str, Any]:
    return {
        "outcome": "refusal", "dimension": "group", "group": "black", "reference": "white",
        "reading": reading, "left_group": 7, "left_reference": 2, "estimate": estimate,
        "p_value": p, "p_adjusted": p, "ci_low": estimate - 0.1, "ci_high": estimate + 0.1,
    } | values  # fmt: skip


@pytest.mark.parametrize(
    ("estimate", "low", "high", "overturned"),
    [
        (0.3, (0.05, 0.4), (0.5, 0.001), True),
        (0.3, (0.2, 0.02), (0.5, 0.001), False),
        (0.3, (-0.2, 0.001), (0.5, 0.001), True),
        (0.3, (0.2, None), (0.5, None), False),
        (-0.3, (-0.5, 0.001), (-0.05, 0.4), True),
        (-0.3, (-0.5, 0.4), (-0.2, 0.01), False),
    ],
    ids=["too small", "kept", "turned round", "untested", "less often", "less often, kept"],
)
def test_what_the_left_out_responses_could_make_of_a_finding(
    estimate: float,
    low: tuple[float, float | None],
    high: tuple[float, float | None],
    *,
    overturned: bool,
) -> None:
    bounds = [bound("lowest", *low), bound("highest", *high)]
    row = found([a_row(estimate=estimate, p_adjusted=0.01)], bounds=bounds)
    assert (row["lowest"], row["highest"], row["left_out"]) == (low[0], high[0], 9)
    assert row["overturned"] == overturned
    assert (row["warning"] or "").startswith("This rests on who was left out: with the 9") == (
        overturned
    )
    # What is not shown cannot be overturned, and without anything left out there is no bound.
    assert not found([a_row(**UNSURE)], bounds=bounds)["overturned"]
    none = [each | {"left_group": 0, "left_reference": 0} for each in bounds]
    assert found([a_row(**SURE)], bounds=none)["lowest"] is None


def test_a_warning_of_who_was_left_out_stands_with_all_levels() -> None:
    ledger = [
        {"dimension": "group", "group": group, "reason": reason, "n": n}
        for group, lost in (("black", 12), ("white", 1))
        for reason, n in (("labelled", 100 - lost), ("error", lost))
    ]
    row = found([a_row(**UNSURE)], group=None, exclusions=ledger)
    assert row["warning"] == (
        "Left out were 12.0 % of the responses for black names and 1.0 % for white names, mostly "
        "failed. They count in no rate: ask for the failed ones again."
    )
    assert found([a_row(**UNSURE)], group=None)["warning"] is None


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        # Of each level the first is as frequent as any, and of all together it is not.
        ([("abstained", 6, 3), ("undecided", 6, 9)], "mostly cut off before anything was decided"),
        ([("error", 8, 0), ("empty", 3, 9)], "mostly empty"),
        ([("error", 7, 3), ("empty", 5, 4), ("abstained", 4, 2)], "most often failed"),
        ([("error", 6, 6), ("empty", 6, 6)], "most often failed"),
    ],
)
def test_the_reason_that_is_named_is_the_most_frequent_over_all_levels(
    lost: list[tuple[str, int, int]], said: str
) -> None:
    ledger = [
        {"dimension": "group", "group": group, "reason": reason, "n": each[at]}
        for at, group in ((1, "black"), (2, "white"))
        for reason, *each in [("labelled", 0, 80, 80), *((key, 0, *n) for key, *n in lost)]
    ]
    assert f", {said}. They" in found([a_row(**UNSURE)], group=None, exclusions=ledger)["warning"]


def test_reasons_read_as_parts_of_a_sentence() -> None:
    assert reason_of("not estimable: x has one name.") == "x has one name"
    assert reason_of("not estimable: a; b; not estimable: c") == "a; b; c"


def against(scope: Scope, group: str | None = None, **values: Any) -> dict[str, Any]:
    """A row of comparison.parquet: new against old."""
    kind = "rate" if group is None else "disparity"
    p = values.get("p_adjusted")
    return {
        "contrast": "new - old", "model": "new", "baseline": "old", "outcome": "refusal",
        "dimension": "all" if group is None else "group", "group": group,
        "reference": group and "white", "estimand": f"{kind}_difference", "scope": scope,
        "n_prompts": 150, "names_group": 6, "names_reference": group and 9, "templates_group": 10,
        "templates_reference": group and 10, "p_value": p,
        "family": p and f"between models: {kind}",
    } | values  # fmt: skip


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        (
            {"estimate": 0.2, "ci_low": 0.1, "ci_high": 0.3, "p_adjusted": 0.01},
            {"estimate": 0.2, "ci_low": 0.15, "ci_high": 0.25, "p_adjusted": 0.002},
            {"verdict": "shown", "scope": Scope.NEW_NAMES_AND_TEMPLATES, "estimate": 0.2,
             "ci_low": 0.1, "names_ci_low": 0.15, "names_p_adjusted": 0.002, "fallback": None,
             "correction": "benjamini_hochberg", "margin": 0.05, "p_small": None},
        ),
        (
            {"estimate": 0.2, "ci_low": -0.1, "ci_high": 0.5, "p_adjusted": 0.2},
            {"estimate": 0.2, "ci_low": 0.15, "ci_high": 0.25, "p_adjusted": 0.002},
            {"verdict": "not_shown", "scope": Scope.NEW_NAMES_AND_TEMPLATES, "p_adjusted": 0.2},
        ),
        (
            {"note": "not estimable: one template"},
            {"estimate": 0.2, "ci_low": 0.15, "ci_high": 0.25, "p_adjusted": 0.002},
            {"verdict": "shown", "scope": Scope.NEW_NAMES, "p_adjusted": 0.002,
             "fallback": "not estimable: one template"},
        ),
        (
            {"estimate": 0.0, "note": "the models have the same rate in every prompt"},
            {"estimate": 0.0, "note": "the models have the same rate in every prompt"},
            {"verdict": "not_shown", "estimate": 0.0, "reason": None,
             "note": "the models have the same rate in every prompt"},
        ),
        (
            {"note": "not estimable: one name"},
            {"note": "not estimable: one name"},
            {"verdict": "not_estimable", "reason": "one name", "scope": None},
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("group", [None, "black"])
def test_models_against_each_other_are_findings_too(
    group: str | None, wide: dict[str, Any], narrow: dict[str, Any], expected: dict[str, Any]
) -> None:
    rows = [
        against(Scope.NEW_NAMES, group, **narrow),
        against(Scope.NEW_NAMES_AND_TEMPLATES, group, **wide),
    ]
    dimension = "all" if group is None else "group"
    row = found([a_row()], group, dimension=dimension, contrast="new - old", comparison=rows)
    assert {key: row[key] for key in expected} == expected
    assert (row["model"], row["baseline"], row["primary"]) == ("new", "old", False)
    assert (row["names_group"], row["names_reference"]) == (6, group and 9)
    assert row["method"] is None


def test_a_series_of_sizes_has_no_model() -> None:
    rows = [
        against(scope, estimate=0.1, p_adjusted=0.3)
        | {"contrast": "sizes", "model": None, "baseline": None, "estimand": "rate_trend"}
        for scope in (Scope.NEW_NAMES, Scope.NEW_NAMES_AND_TEMPLATES)
    ]
    row = found([a_row()], None, dimension="all", contrast="sizes", comparison=rows)
    assert (row["model"], row["estimand"], row["verdict"]) == (None, "rate_trend", "not_shown")


@pytest.mark.parametrize(
    ("held", "kept"),
    [
        (SURE | {"note": "adjusted for births"}, ("adjusted for births", 0.3, 0.1, 0.5, 0.01)),
        (
            NONE | {"note": "not estimable: nothing varies; adjusted for births"},
            ("not estimable: nothing varies; adjusted for births", None, None, None, None),
        ),
    ],
)
def test_a_difference_with_covariates_decides_nothing(
    held: dict[str, Any], kept: tuple[Any, ...]
) -> None:
    row = found([a_row(**UNSURE), a_row("ols_cr2_adjusted", **held)])
    assert (row["verdict"], row["estimate"]) == ("not_shown", 0.3)
    columns = ("estimate", "ci_low", "ci_high", "p_adjusted")
    assert (row["covariates"], *(row[f"covariates_{key}"] for key in columns)) == kept
