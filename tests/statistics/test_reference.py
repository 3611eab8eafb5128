"""Every number of the released 7B study that R gives, at the tolerances stated there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
import pytest
from scipy.stats import false_discovery_control

from refusal_parity.statistics.adjust import holm

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUPS = ("muslim", "mexican", "chinese", "asian")


class Reference(NamedTuple):
    """The study's numbers, and how closely they must be met."""

    numbers: dict[str, Any]
    closed_form: float
    coefficient: float
    std_error: float
    permutation: float
    bootstrap: float


@pytest.fixture(scope="session")
def llama7(reference: dict[str, Any]) -> Reference:
    tolerances = reference["meta"]["tolerances"]
    return Reference(
        numbers=reference["llama7"],
        closed_form=tolerances["closed_form"],
        coefficient=tolerances["logit_coef_abs"],
        std_error=tolerances["logit_se_rel"],
        permutation=tolerances["permutation_p_abs"],
        bootstrap=tolerances["bootstrap_ci_abs"],
    )


def near(value: float, tolerance: float) -> Any:
    """Equal within a tolerance that is absolute below 1 and relative above."""
    return pytest.approx(value, abs=tolerance, rel=tolerance)


def relative(value: float, tolerance: float) -> Any:
    return pytest.approx(value, abs=0, rel=tolerance)


# --- rates -------------------------------------------------------------------------------------


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


# --- contrasts with white -----------------------------------------------------------------------


def contrast(
    disparities: pl.DataFrame, method: str, group: str | None, reference: str = "white"
) -> dict[str, Any]:
    base = None if group is None else reference
    rows = disparities.filter(
        pl.col("group").eq_missing(pl.lit(group, dtype=pl.String)),
        pl.col("reference").eq_missing(pl.lit(base, dtype=pl.String)),
        outcome="refusal",
        dimension="group",
        method=method,
    )
    return rows.row(0, named=True) if rows.height == 1 else pytest.fail(f"{rows.height} rows")


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


# --- regressions --------------------------------------------------------------------------------


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


def coefficient(row: dict[str, Any]) -> float:
    """The estimate on the scale of its standard error: statistic times standard error."""
    value: float = row["statistic"] * row["std_error"]
    return value


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


# --- randomisation ------------------------------------------------------------------------------


@pytest.mark.parametrize("group", GROUPS)
def test_exact_permutation(
    released_disparities: pl.DataFrame, llama7: Reference, group: str
) -> None:
    expected = llama7.numbers["item6"]["exact_pairwise_name_permutation"][f"white-{group}"]
    mine = contrast(released_disparities, "permutation_names_exact", group)
    reached = mine["p_value"] * expected["n_assignments"]
    assert reached == pytest.approx(expected["n_extreme"], abs=1e-9)
    assert mine["p_adjusted"] == pytest.approx(expected["p_holm4"], rel=1e-12)
    assert mine["estimate"] == pytest.approx(
        llama7.numbers["item2"]["vs_white"][group]["rd"], abs=1e-12, rel=0
    )
    assert mine["family"] == "primary: refusal by group, permutation_names_exact"


def seeds(item: dict[str, Any]) -> Iterator[float]:
    yield item["perm"]["p_maxmin"]
    yield item["perm_seed2"]["p_maxmin"]
    yield item["R_check"]["p_maxmin"]


def test_permutation(released_disparities: pl.DataFrame, llama7: Reference) -> None:
    item = llama7.numbers["item6"]
    mine = contrast(released_disparities, "permutation_names", None)
    assert mine["statistic"] == pytest.approx(item["perm"]["observed_maxmin"], abs=1e-12)
    for expected in seeds(item):
        assert mine["p_value"] == pytest.approx(expected, abs=llama7.permutation)


@pytest.mark.parametrize("group", ["chinese", "asian"])
def test_unequal_variance_is_noted(
    released_disparities: pl.DataFrame, llama7: Reference, group: str
) -> None:
    variances = llama7.numbers["item8"]["varcomp_prob_scale"]["var_of_name_rates_by_identity"]
    assert variances[group] > 4 * variances["white"]
    note = contrast(released_disparities, "permutation_names_exact", group)["note"]
    assert "4 and 8 names that vary unequally" in note


# --- names as the unit --------------------------------------------------------------------------


def test_permutation_of_f(released_disparities: pl.DataFrame, llama7: Reference) -> None:
    item = llama7.numbers["item6"]
    mine = contrast(released_disparities, "permutation_names_f", None)
    assert mine["statistic"] == relative(item["names_ANOVA"]["F"], llama7.closed_form)
    for key in ("perm", "perm_seed2", "R_check"):
        assert mine["p_value"] == pytest.approx(item[key]["p_F"], abs=llama7.permutation)


def test_analysis_of_variance(released_disparities: pl.DataFrame, llama7: Reference) -> None:
    expected = llama7.numbers["item6"]["names_ANOVA"]
    mine = contrast(released_disparities, "anova_names", None)
    assert [mine["df"], mine["df_denominator"]] == expected["df"]
    assert mine["statistic"] == relative(expected["F"], llama7.closed_form)
    assert mine["p_value"] == relative(expected["p"], llama7.closed_form)


@pytest.mark.parametrize("group", GROUPS)
def test_welch(released_disparities: pl.DataFrame, llama7: Reference, group: str) -> None:
    expected = llama7.numbers["item6"]["names_Welch_vs_white"][group]
    mine = contrast(released_disparities, "welch_names", group)
    keys = {"estimate": "diff", "statistic": "t", "df": "df", "p_value": "p"}
    for column, key in keys.items():
        assert mine[column] == relative(expected[key], llama7.closed_form)
    ends = [mine["ci_low"], mine["ci_high"]]
    assert ends == pytest.approx(expected["ci"], abs=llama7.closed_form, rel=0)


BOOTSTRAPS = {
    "bootstrap_names": "boot_names_within_identity",
    "bootstrap_pigeonhole": "boot_pigeonhole",
}


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("method", BOOTSTRAPS)
def test_bootstraps(
    released_disparities: pl.DataFrame, llama7: Reference, method: str, group: str
) -> None:
    expected = llama7.numbers["item6"][BOOTSTRAPS[method]][group]
    mine = contrast(released_disparities, method, group)
    ends = [mine["ci_low"], mine["ci_high"]]
    assert ends == pytest.approx(expected["ci"], abs=llama7.bootstrap, rel=0)
    # The end of an interval is three times as noisy as its standard error.
    assert mine["std_error"] == pytest.approx(expected["se"], abs=llama7.bootstrap / 3, rel=0)
    assert mine["estimate"] == near(
        llama7.numbers["item2"]["vs_white"][group]["rd"], llama7.closed_form
    )


def bias_reduced(llama7: Reference, method: str) -> dict[str, Any]:
    item = llama7.numbers["item4"]
    found: dict[str, Any] = (
        item["lpm_all24"]["name_CR2"] if method == "ols_cr2_name" else item["CR2_name_dropsep"]
    )
    return found


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("method", ["ols_cr2_name", "glm_cr2_name"])
def test_cr2_contrasts(
    released_disparities: pl.DataFrame, llama7: Reference, method: str, group: str
) -> None:
    expected = bias_reduced(llama7, method)["coefs"][f"identity{group}"]
    mine = contrast(released_disparities, method, group)
    assert coefficient(mine) == pytest.approx(expected["coef"], abs=llama7.coefficient, rel=0)
    keys = {"std_error": "se", "df": "df", "p_value": "p"}
    for column, key in keys.items():
        assert mine[column] == relative(expected[key], llama7.std_error)


@pytest.mark.parametrize("method", ["ols_cr2_name", "glm_cr2_name"])
def test_cr2_global(released_disparities: pl.DataFrame, llama7: Reference, method: str) -> None:
    expected = bias_reduced(llama7, method)["HTZ"]
    mine = contrast(released_disparities, method, None)
    keys = {"statistic": "F", "df": "df1", "df_denominator": "df2", "p_value": "p"}
    for column, key in keys.items():
        assert mine[column] == relative(expected[key], llama7.std_error)


# --- all pairs ----------------------------------------------------------------------------------


def either_way(disparities: pl.DataFrame, method: str, one: str, other: str) -> dict[str, Any]:
    """The row of a pair, whichever of the two is called the reference."""
    rows = disparities.filter(
        pl.col("group").is_in([one, other]),
        pl.col("reference").is_in([one, other]),
        outcome="refusal",
        dimension="group",
        method=method,
    )
    return rows.row(0, named=True) if rows.height == 1 else pytest.fail(f"{rows.height} rows")


def test_all_pairs_by_chi_square(released_disparities: pl.DataFrame, llama7: Reference) -> None:
    pairs = llama7.numbers["item2"]["pairwise10"]
    assert len(pairs) == 10
    for expected in pairs:
        mine = either_way(released_disparities, "chi_square", expected["a"], expected["b"])
        assert mine["statistic"] == relative(expected["chi2"], llama7.closed_form)
        assert mine["p_value"] == relative(expected["p"], llama7.closed_form)


def test_all_pairs_by_exact_permutation(
    released_disparities: pl.DataFrame, llama7: Reference
) -> None:
    pairs = llama7.numbers["item6"]["exact_pairwise_name_permutation"]
    assert len(pairs) == 10
    for pair, expected in pairs.items():
        mine = either_way(released_disparities, "permutation_names_exact", *pair.split("-"))
        assert mine["p_value"] == relative(expected["p"], 1e-9)


@pytest.mark.parametrize("method", ["holm", "bh"])
def test_adjustments_of_all_pairs(llama7: Reference, method: str) -> None:
    adjusts = {"holm": holm, "bh": false_discovery_control}[method]
    chi_square = llama7.numbers["item2"]["pairwise10"]
    exact = llama7.numbers["item6"]["exact_pairwise_name_permutation"].values()
    mine = adjusts(np.array([each["p"] for each in chi_square]))
    assert mine == pytest.approx([each[f"p_{method}"] for each in chi_square], rel=1e-9, abs=0)
    mine = adjusts(np.array([each["p"] for each in exact]))
    assert mine == pytest.approx([each[f"p_{method}10"] for each in exact], rel=1e-9, abs=0)
    against = chi_square_against_white(llama7)
    mine = adjusts(np.array(list(against.values())))
    expected = llama7.numbers["item2"]["vs_white_adj"][method]
    assert mine == pytest.approx([expected[group] for group in against], rel=1e-9, abs=0)


def chi_square_against_white(llama7: Reference) -> dict[str, float]:
    entries = llama7.numbers["item2"]["vs_white"]
    return {group: entry["p_nocorr"] for group, entry in entries.items()}
