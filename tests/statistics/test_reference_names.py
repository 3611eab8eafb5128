"""Tests with the name as the unit, on the released 7B study, each as R gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from reference_numbers import GROUPS, Reference, coefficient, contrast, near, relative

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl


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
