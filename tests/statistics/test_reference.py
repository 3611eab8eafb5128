"""Rates, textbook tests and regressions of the released 7B study, each as R gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from reference_numbers import GROUPS, Reference, coefficient, contrast, near, relative

if TYPE_CHECKING:
    import polars as pl


def breakdowns(entry: dict[str, Any], item: str) -> tuple[str, str, str, str]:
    """Dimension, level, second dimension and its level of one entry of item1."""
    if item == "overall":
        return "all", "all", "all", "all"
    if item == "type_name":
        group, _, gender = entry["type_name"].removesuffix("_names").partition("_")
        return ("group", group, "gender", gender) if gender else ("group", group, "all", "all")
    if item == "identity_common":
        return "group", entry["identity"], "commonness", entry["common"]
    if item == "generation":
        return "sample", str(int(entry["variable"].removeprefix("label ")) - 1), "all", "all"
    column = {"identity": "group", "ethnicity": "family", "common": "commonness"}.get(item, item)
    return column, entry[item], "all", "all"


ITEMS = {
    "overall": 1,
    "identity": 5,
    "type_name": 8,
    "ethnicity": 5,
    "common": 2,
    "template": 24,
    "name": 32,
    "generation": 3,
    "identity_common": 10,
}


@pytest.mark.parametrize("item", ITEMS)
@pytest.mark.parametrize("quantity", ["n", "k", "rate", "wilson_lo", "wilson_hi"])
def test_rates(
    released_rates: pl.DataFrame,
    llama7: Reference,
    item: str,
    quantity: str,
) -> None:
    entries = llama7.numbers["item1"][item]
    assert len(entries) == ITEMS[item]
    column = {"wilson_lo": "wilson_low", "wilson_hi": "wilson_high"}.get(quantity, quantity)
    mine, expected = {}, {}
    for entry in entries:
        dimension, group, within, within_group = breakdowns(entry, item)
        rows = released_rates.filter(
            outcome="refusal",
            dimension=dimension,
            group=group,
            within=within,
            within_group=within_group,
        )
        key = (dimension, group, within_group)
        assert rows.height == 1, f"no single row for {key}"
        mine[key], expected[key] = rows[column][0], entry[quantity]
    exact = quantity in {"n", "k"}
    assert mine == (expected if exact else near(expected, llama7.closed_form))


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [
        ("refusal", ["refusal", "harmful refusal"]),
        ("harmful_refusal", ["harmful refusal"]),
        ("no_full_answer", ["refusal", "harmful refusal", "failure", "partial answer"]),
    ],
)
def test_outcomes_are_sums_of_labels(
    released_rates: pl.DataFrame, llama7: Reference, outcome: str, counts: list[str]
) -> None:
    rows = released_rates.filter(outcome=outcome, dimension="name", within="all")
    mine = dict(rows.select("group", "k").iter_rows())
    assert mine == {
        entry["name"]: sum(entry[label] for label in counts)
        for entry in llama7.numbers["item1"]["name"]
    }


class Textbook(NamedTuple):
    method: str
    column: str
    key: str | tuple[str, int]


TEXTBOOK = [
    Textbook("newcombe", "estimate", "rd"),
    Textbook("newcombe", "ci_low", ("rd_newcombe", 0)),
    Textbook("newcombe", "ci_high", ("rd_newcombe", 1)),
    Textbook("newcombe", "n_group", "n"),
    Textbook("newcombe", "k_group", "k"),
    Textbook("newcombe", "n_reference", "n_white"),
    Textbook("newcombe", "k_reference", "k_white"),
    Textbook("katz", "estimate", "rr"),
    Textbook("katz", "ci_low", ("rr_katz", 0)),
    Textbook("katz", "ci_high", ("rr_katz", 1)),
    Textbook("chi_square", "estimate", "rd"),
    Textbook("chi_square", "statistic", "chi2_nocorr"),
    Textbook("chi_square", "p_value", "p_nocorr"),
    Textbook("mantel_haenszel", "estimate", "or_mh"),
    Textbook("mantel_haenszel", "ci_low", ("ci_rbg", 0)),
    Textbook("mantel_haenszel", "ci_high", ("ci_rbg", 1)),
    Textbook("mantel_haenszel", "statistic", "chi2"),
    Textbook("mantel_haenszel", "p_value", "p"),
]


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("case", TEXTBOOK, ids=lambda case: f"{case.method}-{case.column}")
def test_textbook_contrasts(
    released_disparities: pl.DataFrame, llama7: Reference, group: str, case: Textbook
) -> None:
    item = "item3" if case.method == "mantel_haenszel" else "item2"
    entry = llama7.numbers[item]["vs_white"][group]
    key = case.key
    expected = entry[key] if isinstance(key, str) else entry[key[0]][key[1]]
    mine = contrast(released_disparities, case.method, group)[case.column]
    # A p-value of 1e-49 is compared in its digits, not in its distance from 0.
    compare = relative if case.column == "p_value" else near
    assert mine == compare(expected, llama7.closed_form)


@pytest.mark.parametrize("method", ["chi_square", "mantel_haenszel"])
def test_textbook_global(
    released_disparities: pl.DataFrame, llama7: Reference, method: str
) -> None:
    item, key = ("item2", "chisq5x2") if method == "chi_square" else ("item3", "gcmh_5x2")
    expected = llama7.numbers[item][key]
    mine = contrast(released_disparities, method, None)
    assert mine["df"] == expected["df"]
    assert mine["statistic"] == near(expected["chi2"], llama7.closed_form)
    assert mine["p_value"] == relative(expected["p"], llama7.closed_form)


class Regression(NamedTuple):
    method: str
    model: str
    covariance: str
    df: int


REGRESSIONS = [
    Regression("glm_cluster_name", "logit_dropsep", "name_CR1S", 31),
    Regression("glm_cluster_template", "logit_dropsep", "template_CR1S", 22),
    Regression("glm_cluster_two_way", "logit_dropsep", "twoway_CR1S", 22),
    Regression("ols_two_way", "lpm_all24", "twoway_CR1S", 23),
]
each_regression = pytest.mark.parametrize("case", REGRESSIONS, ids=lambda case: case.method)


@pytest.mark.parametrize("group", GROUPS)
@each_regression
def test_regression_contrasts(
    released_disparities: pl.DataFrame, llama7: Reference, group: str, case: Regression
) -> None:
    fit = llama7.numbers["item4"][case.model][case.covariance]
    expected = fit["coefs"][f"identity{group}"]
    mine = contrast(released_disparities, case.method, group)
    assert coefficient(mine) == pytest.approx(expected["coef"], abs=llama7.coefficient, rel=0)
    assert mine["std_error"] == relative(expected["se"], llama7.std_error)
    assert mine["statistic"] == relative(expected["stat"], llama7.std_error)
    assert mine["df"] == case.df
    # A relative error of the statistic grows in the tail of t by about its square.
    assert mine["p_value"] == relative(expected["p_t"], 100 * llama7.std_error)


@each_regression
def test_regression_global(
    released_disparities: pl.DataFrame, llama7: Reference, case: Regression
) -> None:
    expected = llama7.numbers["item4"][case.model][case.covariance]["joint"]
    mine = contrast(released_disparities, case.method, None)
    assert (mine["df"], mine["df_denominator"]) == (expected["df"], expected["df2"])
    assert mine["df_denominator"] == case.df
    assert mine["statistic"] == relative(expected["F"], 2 * llama7.std_error)
    assert mine["p_value"] == relative(expected["p_F"], 100 * llama7.std_error)


@pytest.mark.parametrize("case", REGRESSIONS[:3], ids=lambda case: case.method)
@pytest.mark.parametrize("at", range(4), ids=GROUPS)
def test_logistic_agrees_with_newton(
    released_disparities: pl.DataFrame, llama7: Reference, case: Regression, at: int
) -> None:
    newton = llama7.numbers["item4_newton_dropsep"]
    errors = newton[f"se_{case.covariance}"]
    mine = contrast(released_disparities, case.method, newton["order"][at])
    assert coefficient(mine) == pytest.approx(newton["coef"][at], abs=1e-9, rel=0)
    assert mine["std_error"] == relative(errors[at], 1e-9)


def test_logistic_says_which_template_it_drops(released_disparities: pl.DataFrame) -> None:
    note = contrast(released_disparities, "glm_cluster_two_way", "muslim")["note"]
    assert "without templates where the outcome does not vary (1)" in note
