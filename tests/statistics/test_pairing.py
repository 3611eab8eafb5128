"""What models or arms have on the same prompts: by hand, and against textbook tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from refusal_parity.config import AnalysisConfig
from refusal_parity.statistics.pairing import (
    STILL,
    alike,
    contrast_numbers,
    if_enough,
    levels_kept,
    or_alike,
    paired_by_prompt,
    paired_means,
    rates_by_prompt,
    rates_with_and_without,
    scopes_of,
    sizes_of,
)
from refusal_parity.vocabulary import Scope

ANALYSIS = AnalysisConfig.model_validate(
    {"outcomes": ["refusal"], "dimensions": {"gender": {"reference": "man"}}}
)


def rows_of(key: list[str], rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    """Rows with the columns that say which prompt they are of."""
    return pl.DataFrame(rows, schema=key, orient="row").with_columns(
        *(pl.col("prompt_id").alias(each) for each in ("name_id", "template_id", "text_id")),
        group=pl.lit("x"),
        arm=pl.lit("plain"),
        gender=pl.lit("man"),
    )


def test_rates_are_of_the_labelled_responses_of_each_prompt() -> None:
    observed = rows_of(
        ["prompt_id", "model", "label"],
        [
            ("p2", "m", "refusal"), ("p1", "n", "answer"), ("p1", "m", "refusal"),
            ("p1", "m", "answer"), ("p1", "m", None), ("p2", "n", None),
        ],
    )  # fmt: skip
    found = rates_by_prompt(observed, ANALYSIS)
    assert found.select("prompt_id", "model", "n_labelled", "refusal").rows() == [
        ("p1", "m", 2, 0.5), ("p1", "n", 1, 0.0), ("p2", "m", 1, 1.0),
    ]  # fmt: skip
    assert {"name_id", "template_id", "text_id", "group", "arm", "gender"} < set(found.columns)


def test_names_have_groups_and_a_list_has_none() -> None:
    named = pl.DataFrame({"name_id": ["a", "b"]})
    listed = pl.DataFrame({"name_id": [None, None]})
    assert levels_kept(named, ANALYSIS) == ["group", "arm", "gender"]
    assert levels_kept(listed, ANALYSIS) == ["arm", "gender"]
    assert scopes_of(named) == (Scope.NEW_NAMES, Scope.NEW_NAMES_AND_TEMPLATES)
    assert scopes_of(listed) == (Scope.NEW_PROMPTS,)


CELLS = rows_of(
    ["prompt_id", "model", "refusal", "n_labelled"],
    [
        ("p1", "k", 1.0, 4), ("p1", "m", 0.5, 2), ("p1", "n", 0.25, 4),
        ("p2", "k", 1.0, 4), ("p2", "m", 0.5, 2),
        ("p3", "m", 0.0, 1), ("p3", "n", 1.0, 3),
        ("p4", "k", 0.1, 1), ("p4", "m", 0.1, 1), ("p4", "n", 0.1, 1),
    ],
)  # fmt: skip


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"m": 1.0, "n": -1.0}, {"p1": 0.25, "p3": -1.0, "p4": 0.0}),
        ({"n": 1.0, "k": -1.0}, {"p1": -0.75, "p4": 0.0}),
        # -0.7 x 1 + 0.2 x 0.5 + 0.5 x 0.25; models alike make exactly 0.
        ({"k": -0.7, "m": 0.2, "n": 0.5}, {"p1": -0.475, "p4": 0.0}),
    ],
)
def test_sums_are_of_prompts_that_all_answered(
    weights: dict[str, float], expected: dict[str, float]
) -> None:
    found = paired_by_prompt(CELLS, weights, ANALYSIS)
    assert found["prompt_id"].to_list() == list(expected)
    assert found["refusal"].to_list() == pytest.approx(list(expected.values()))
    assert found["refusal"][-1] == 0


def test_rates_with_and_without_stand_side_by_side() -> None:
    found = rates_with_and_without(CELLS, "refusal", "m", "n")
    numbers = ("rate_with", "rate_without", "n_with", "n_without", "change")
    assert found.select("prompt_id", *numbers).rows() == [
        ("p1", 0.5, 0.25, 2, 4, 0.25),
        ("p3", 0.0, 1.0, 1, 3, -1.0),
        ("p4", 0.1, 0.1, 1, 1, 0.0),
    ]


def test_sizes_are_of_both_levels() -> None:
    ours = pl.DataFrame({"name_id": ["a", "a", "b"], "template_id": ["s", "t", "u"]})
    others = pl.DataFrame({"name_id": ["c", "d", "e", "f"], "template_id": ["s", "s", "s", "t"]})
    assert list(sizes_of(ours, others).values()) == [7, 2, 4, 3, 2]
    assert list(sizes_of(ours).values()) == [3, 2, None, 3, None]


NOTHING = {"note": "not estimable: one name or template, or nothing varies"}
SAME = "models differ alike in all prompts of a level: no interval or test can be had"
NOWHERE = "the same rate in every prompt"


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([[0.5, 0.5]], {"estimate": 0.5, "note": SAME}),
        ([[0.0, 0.0]], {"estimate": 0.0, "note": NOWHERE}),
        ([[1.0, 1.0], [0.25]], {"estimate": 0.75, "note": SAME}),
        ([[0.0], [0.5, 0.5]], {"estimate": -0.5, "note": SAME}),
        ([[0.5], [0.5, 0.5]], {"estimate": 0.0, "note": SAME}),
        ([[0.0], [0.0, 0.0]], {"estimate": 0.0, "note": NOWHERE}),
        ([[0.0, 0.0], [0.5, 1.0]], NOTHING),
        ([[0.5, 1.0], [0.0, 0.0]], NOTHING),
    ],
)
def test_a_difference_that_is_alike_everywhere(
    levels: list[list[float]], expected: dict[str, Any]
) -> None:
    given = [pl.Series(each) for each in levels]
    assert alike(*given) == expected
    assert or_alike(None, *given) == expected
    found = {"estimate": 9.0, "p_value": 0.5}
    assert or_alike(found, *given) == found
    # Of levels that differ alike the exact difference is said, where there is one.
    still = {"estimate": 9.0, "note": STILL}
    assert or_alike(still, *given) == (expected if "estimate" in expected else still)


def quantities(*, listed: bool) -> pl.DataFrame:
    """Five names of x and six of y, three templates; and prompts of no group."""
    random = np.random.default_rng(8)
    rows = [
        (group, None if listed else f"{group}{name}", f"t{at}", random.normal(group == "x", 0.5))
        for group, names in (("x", 5), ("y", 6))
        for name in range(names)
        for at in range(3)
    ]
    if not listed:
        rows += [(None, "z", f"t{at}", 40.0) for at in range(3)]
    columns = ["group", "name_id", "template_id", "d"]
    frame = pl.DataFrame(rows, schema=columns, orient="row").cast({"name_id": pl.String})
    text = pl.format("u{}", pl.int_range(pl.len())) if listed else pl.col("template_id")
    return frame.with_columns(text_id=text)


@pytest.mark.parametrize("listed", [False, True], ids=["names", "prompts"])
def test_numbers_are_those_of_welch(*, listed: bool) -> None:
    """Of names' means, or of the prompts of a list; y lies below x."""
    rows = quantities(listed=listed)
    unit = "text_id" if listed else "name_id"
    means = rows.drop_nulls("group").group_by("group", unit).agg(pl.col("d").mean())
    x, y = (means.filter(group=each)["d"].to_numpy() for each in "xy")
    theirs = stats.ttest_ind(y, x, equal_var=False)
    ends = theirs.confidence_interval(0.9)
    found = paired_means(rows, "d", "group")
    assert found is not None
    [scope, *_] = scopes_of(rows)
    numbers = contrast_numbers(found, np.array([-1.0, 1.0]), scope, 0.1, farthest=np.inf)
    assert numbers is not None
    assert numbers["estimate"] < 0
    assert (numbers["ci_low"], numbers["ci_high"]) == pytest.approx((ends.low, ends.high))
    assert (numbers["statistic"], numbers["df"]) == pytest.approx((theirs.statistic, theirs.df))
    assert numbers["p_value"] == pytest.approx(theirs.pvalue)


def test_results_for_new_templates_have_their_error_too() -> None:
    """Templates whose quantities lie far apart, names that hardly differ."""
    apart = 2.0 * pl.col("template_id").str.tail(1).cast(pl.Float64)
    rows = quantities(listed=False).filter(group="x").with_columns(pl.col("d") * 0.1 + apart)
    found = paired_means(rows, "d", None)
    assert found is not None
    errors = [
        (contrast_numbers(found, np.ones(1), scope, 0.05, farthest=np.inf) or {})["std_error"]
        for scope in (Scope.NEW_NAMES, Scope.NEW_NAMES_AND_TEMPLATES)
    ]
    # Of three templates at 0, 2 and 4 the mean has the error 2 / sqrt 3.
    assert errors[1] == pytest.approx(2 / np.sqrt(3), rel=0.1)
    assert errors[0] < 0.1


def test_all_prompts_are_one_level() -> None:
    rows = quantities(listed=False).filter(group="x")
    found = paired_means(rows, "d", None)
    assert found is not None
    numbers = contrast_numbers(found, np.ones(1), Scope.NEW_NAMES, 0.05, farthest=np.inf)
    by_name = rows.group_by("name_id").agg(pl.col("d").mean())["d"].to_numpy()
    theirs = stats.ttest_1samp(by_name, 0)
    assert numbers is not None
    assert numbers["p_value"] == pytest.approx(theirs.pvalue)
    assert paired_means(rows.with_columns(group=pl.lit(None, pl.String)), "d", "group") is None


@pytest.mark.parametrize(
    ("names", "templates", "scope", "said"),
    [
        ((4, 9), (4, 4), Scope.NEW_NAMES_AND_TEMPLATES, None),
        ((3, 9), (4, 4), Scope.NEW_NAMES, "a has 3 names, but a test takes at least 4"),
        ((9, 4), (9, 3), Scope.NEW_NAMES, None),
        (
            (9, 4),
            (9, 3),
            Scope.NEW_NAMES_AND_TEMPLATES,
            "b has 3 templates, but a test takes at least 4",
        ),
        ((1, 1), (1, 1), Scope.NEW_PROMPTS, None),
    ],
)
def test_levels_with_few_names_or_templates_have_an_estimate_and_no_test(
    names: tuple[int, int], templates: tuple[int, int], scope: Scope, said: str | None
) -> None:
    sizes = {
        "names_group": names[0],
        "names_reference": names[1],
        "templates_group": templates[0],
        "templates_reference": templates[1],
    }
    numbers = {
        "estimate": 0.2, "std_error": 0.1, "df": 3.0, "ci_low": 0.0, "ci_high": 0.4,
        "statistic": 2.0, "p_value": 0.1, "note": "as it is",
    }  # fmt: skip
    found = if_enough(numbers, sizes, ("a", "b"), scope)
    tested = {"estimate": 0.2, "note": f"as it is; {said}"}
    assert found == (numbers if said is None else tested)
    without = {"note": "not estimable: nothing varies"}
    assert if_enough(without, sizes, ("a", "b"), scope) == without
