"""Designs that leave a method without an answer: a reason, never a wrong number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.errors import InputError
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.designs.kinds import DesignKind
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.registry import suited_to

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    Study = Callable[..., pl.DataFrame]

NUMBERS = ("estimate", "std_error", "ci_low", "ci_high", "statistic", "p_value")
MIXED = ["raa", "ara", "rra", "aaa"]
OTHER = ["rrr", "rra", "ara", "aar"]


def group_config(**settings: Any) -> AnalysisConfig:
    return AnalysisConfig(
        outcomes=[Outcome.REFUSAL],
        dimensions={"group": DimensionConfig(reference="x")},
        permutations=999,
        **settings,
    )


def table(observations: pl.DataFrame, **settings: Any) -> dict[tuple[str, str | None], Any]:
    """Disparity rows by method and group, after checks that hold for every table."""
    frame = disparities(observations, group_config(**settings))
    for row in frame.iter_rows(named=True):
        numbers = [row[column] for column in NUMBERS if row[column] is not None]
        assert not any(math.isnan(number) for number in numbers), row
        if not numbers or any(math.isinf(number) for number in numbers):
            assert row["note"], row
        if row["note"] is not None and "not estimable" in row["note"]:
            assert not numbers, row
    return {
        (row["method"], row["group"]): row
        for row in frame.iter_rows(named=True)
        if row["reference"] in {None, "x"}
    }


def test_all_methods_answer_an_ordinary_design(study: Study) -> None:
    rows = table(study({"x": {"A": MIXED, "B": OTHER}, "y": {"C": OTHER[::-1], "D": MIXED}}))
    # What needs people's labels, or covariates, or log-odds or weighed rates of prompts.
    beside = {
        "calibrated_linear",
        "calibrated_weighed",
        "design_based",
        "design_based_equivalence",
        "ols_cr2_adjusted",
    }
    assert {method for method, _ in rows} == set(suited_to(DesignKind.CROSSED)) - beside
    missing = {key[0] for key, row in rows.items() if "not estimable" in (row["note"] or "")}
    # A study of 4 names and 4 templates tells too little of what varies.
    assert missing == {"calibrated"}


@pytest.mark.parametrize("letters", ["a", "r"], ids=["none refused", "all refused"])
def test_no_variation(study: Study, letters: str) -> None:
    same = [letters * 3] * 4
    rows = table(study({"x": {"A": same, "B": same}, "y": {"C": same, "D": same}}))
    for (method, _), row in rows.items():
        if method == "newcombe":
            assert row["estimate"] == 0
            assert row["ci_low"] < 0 < row["ci_high"]
        elif method.startswith("permutation_names"):
            assert row["p_value"] == 1
        else:
            assert row["p_value"] is None
            assert row["ci_low"] is None


def test_zero_cell_in_the_reference(study: Study) -> None:
    none = ["aaa"] * 4
    rows = table(study({"x": {"A": none, "B": none}, "y": {"C": OTHER, "D": MIXED}}))
    assert rows["katz", "y"]["estimate"] == math.inf
    assert rows["katz", "y"]["ci_low"] is None
    assert rows["mantel_haenszel", "y"]["estimate"] == math.inf
    assert rows["mantel_haenszel", "y"]["p_value"] < 0.05
    assert "no response has the outcome in x" in rows["glm_cluster_two_way", "y"]["note"]
    assert rows["newcombe", "y"]["ci_low"] > 0
    assert rows["ols_two_way", "y"]["estimate"] == pytest.approx(11 / 24)


def test_zero_cell_in_a_group_leaves_the_others(study: Study) -> None:
    groups = {"x": {"A": MIXED, "B": OTHER}, "y": {"C": OTHER[::-1], "D": MIXED}}
    none = {"z": {"E": ["aaa"] * 4, "F": ["aaa"] * 4}}
    rows, without = table(study(groups | none)), table(study(groups))
    for method in ("glm_cluster_name", "glm_cluster_template", "glm_cluster_two_way"):
        assert "no response has the outcome in z" in rows[method, "z"]["note"]
        assert "no response has the outcome in z" in rows[method, None]["note"]
        assert rows[method, "y"]["estimate"] == pytest.approx(without[method, "y"]["estimate"])
        assert rows[method, "y"]["std_error"] == pytest.approx(without[method, "y"]["std_error"])
    assert rows["katz", "z"]["estimate"] == 0
    assert rows["mantel_haenszel", "z"]["estimate"] == 0
    assert rows["ols_two_way", "z"]["p_value"] < 1


def test_separation_across_templates(study: Study) -> None:
    # x is refused in template 0 and y in template 1 as well: no level and no template is flat,
    # and yet the fit has no maximum.
    x, y = ["rra", "aaa"], ["rrr", "rar"]
    rows = table(study({"x": {"A": x, "B": x}, "y": {"C": y, "D": y}}))
    assert "separation" in rows["glm_cluster_two_way", "y"]["note"]
    assert "separation" in rows["glm_cluster_name", None]["note"]


def test_one_name_in_a_group(study: Study) -> None:
    rows = table(
        study({"x": {"A": MIXED, "B": OTHER}, "y": {"C": OTHER}, "z": {"D": OTHER, "E": MIXED}})
    )
    for method in ("ols_two_way", "glm_cluster_name", "glm_cluster_two_way"):
        assert "y has one name" in rows[method, "y"]["note"]
        assert "y has one name" in rows[method, None]["note"]
        assert rows[method, "z"]["p_value"] is not None
    assert rows["glm_cluster_template", "y"]["p_value"] is not None
    for method in ("ols_cr2_name", "welch_names", "bootstrap_names", "bootstrap_pigeonhole"):
        assert rows[method, "y"]["note"].startswith("not estimable: y has one name")
        assert rows[method, "z"]["ci_low"] < rows[method, "z"]["ci_high"]
    assert "y has one name" in rows["ols_cr2_name", None]["note"]
    assert rows["anova_names", None]["df_denominator"] == 2
    assert (
        "3 splits of the names allow no p-value below 0.33"
        in (rows["permutation_names_exact", "y"]["note"])
    )


def test_one_name_in_every_group(study: Study) -> None:
    rows = table(study({"x": {"A": MIXED}, "y": {"B": OTHER}}))
    assert "x has one name" in rows["ols_two_way", "y"]["note"]
    assert "every group has one name" in rows["permutation_names", None]["note"]
    # A p-value that is 1 whatever happened is that of no test.
    assert rows["permutation_names_exact", "y"]["estimate"] is not None
    assert rows["permutation_names_exact", "y"]["p_value"] is None
    assert "no p-value below 1" in rows["permutation_names_exact", "y"]["note"]
    assert "every group has one name" in rows["permutation_names_f", None]["note"]
    for key in (("welch_names", "y"), ("bootstrap_names", "y"), ("ols_cr2_name", None)):
        assert rows[key]["note"].startswith("not estimable: x has one name")
    assert "not estimable: every group has one name" in rows["anova_names", None]["note"]


def test_one_template(study: Study) -> None:
    rows = table(study({"x": {"A": ["raa"], "B": ["rra"]}, "y": {"C": ["rrr"], "D": ["rra"]}}))
    assert "x has one template" in rows["ols_two_way", "y"]["note"]
    assert "x has one template" in rows["glm_cluster_template", None]["note"]
    assert rows["glm_cluster_name", "y"]["std_error"] > 0
    assert rows["permutation_names_exact", "y"]["estimate"] == pytest.approx(2 / 6)
    assert rows["bootstrap_pigeonhole", "y"]["note"].startswith("not estimable: x has one template")
    assert "x has one template" in rows["ols_cr2_two_way", "y"]["note"]
    assert rows["bootstrap_names", "y"]["std_error"] > 0
    # Without template contrasts CR2 by name is Welch's standard error (Imbens and Kolesar 2016).
    assert rows["ols_cr2_name", "y"]["std_error"] == pytest.approx(
        rows["welch_names", "y"]["std_error"], rel=1e-12
    )


def test_groups_without_a_template_in_common(study: Study) -> None:
    """Whatever differs between x and y may be their templates; x and z share all of theirs."""
    none = ["---"] * 2
    rows = table(
        study(
            {
                "x": {"A": [*none, "aaa", "aar"], "B": [*none, "rra", "raa"]},
                "y": {"C": ["rrr", "rrr", *none], "D": ["rrr", "arr", *none]},
                "z": {"E": [*none, "rra", "rrr"], "F": [*none, "rrr", "rar"]},
            }
        )
    )
    said = "not estimable: no template in common, so that the templates may be all that differs"
    for method in ("permutation_names_exact", "welch_names"):
        assert rows[method, "y"]["note"].startswith(said)
        assert rows[method, "y"]["p_value"] is None
        assert rows[method, "z"]["p_value"] < 1
    for method in ("permutation_names", "permutation_names_f", "anova_names"):
        assert rows[method, None]["note"].startswith(said)
    assert not [key for key, row in rows.items() if key[1] in {"y", None}
                and row["valid"] and row["p_value"] is not None]  # fmt: skip


def test_groups_with_few_templates_in_common_have_no_test_that_permutes_names(study: Study) -> None:
    """They hang together by way of another, or by half of their templates."""
    rows = table(
        study(
            {
                "x": {"A": ["aar", "ara", "---"], "B": ["aaa", "rra", "---"]},
                "y": {"C": ["---", "rra", "rrr"], "D": ["---", "rar", "arr"]},
                "z": {"E": ["---", "---", "rrr"], "F": ["---", "---", "rar"]},
            }
        )
    )
    said = "not estimable: levels have fewer than nine of ten templates in common"
    for method, group in (
        *(("permutation_names_exact", each) for each in ("y", "z")),
        ("welch_names", "z"),
        *((each, None) for each in ("permutation_names", "permutation_names_f", "anova_names")),
    ):
        assert rows[method, group]["p_value"] is None
        assert said in rows[method, group]["note"]


@pytest.mark.parametrize("lost", ["y", "x"], ids=["a group", "the reference"])
def test_a_level_with_only_unlabelled_rows(study: Study, lost: str) -> None:
    groups = {
        "x": {"A": MIXED, "B": OTHER},
        "y": {"C": OTHER, "D": MIXED},
        "z": {"E": OTHER, "F": OTHER},
    }
    groups[lost] = {name: ["---"] * 4 for name in groups[lost]}
    rows = table(study(groups))
    for (method, group), row in rows.items():
        if group is None or lost in (group, "x"):
            assert f"{lost} has no response that counts (all empty)" in row["note"], (method, group)
    if lost == "y":
        assert rows["newcombe", "y"]["n_group"] == 0
        assert rows["chi_square", None]["df"] == 1
        assert rows["permutation_names_exact", "z"]["p_value"] is not None


def test_unequal_n_is_pooled_by_response(study: Study) -> None:
    rows = table(
        study({"x": {"A": ["r--", "aaa"], "B": ["ra", "a"]}, "y": {"C": ["rr", "r"], "D": MIXED}})
    )
    difference = (3 + 4) / (3 + 12) - 2 / 7
    for method in ("newcombe", "chi_square"):
        assert rows[method, "y"]["estimate"] == pytest.approx(difference)
    assert rows["newcombe", "y"]["n_reference"] == 7


def test_unknown_reference_names_the_levels(study: Study) -> None:
    observations = study({"b": {"A": MIXED}, "a": {"B": OTHER}})
    with pytest.raises(InputError, match=r"dimensions\.group\.reference: .* 'a', 'b'"):
        disparities(observations, group_config())


def test_alpha_sets_every_interval(study: Study) -> None:
    observations = study({"x": {"A": MIXED, "B": OTHER}, "y": {"C": OTHER[::-1], "D": MIXED}})
    wide, narrow = table(observations, alpha=0.01), table(observations, alpha=0.2)
    compared = [key for key, row in wide.items() if row["ci_low"] is not None]
    assert {method for method, _ in compared} == {
        "newcombe",
        "katz",
        "mantel_haenszel",
        "ols_two_way",
        "equivalence",
        "glm_cluster_name",
        "glm_cluster_template",
        "glm_cluster_two_way",
        "ols_cr2_name",
        "glm_cr2_name",
        "ols_cr2_two_way",
        "wilson_two_way",
        "welch_names",
        "bootstrap_names",
        "bootstrap_pigeonhole",
    }
    for key in compared:
        assert wide[key]["ci_low"] < narrow[key]["ci_low"]
        assert wide[key]["ci_high"] > narrow[key]["ci_high"]
