"""Which rows the table of safeguards has: models, kinds of requests, dimensions and levels."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from arms_study import ANALYSIS, ARMS, observed_of, planted, prompts_of

from refusal_parity.config import AnalysisConfig, arms_of
from refusal_parity.statistics.safeguards import safeguards, with_kind
from refusal_parity.vocabulary import Scope

TWO = arms_of({"plain": None, "guarded": {"guard": "gate"}})


def test_a_kind_that_is_there_already_is_replaced() -> None:
    kinds = pl.DataFrame({"prompt_id": ["p", "q"], "kind": ["unsafe", None]})
    rows = pl.DataFrame({"prompt_id": ["q", "p"], "kind": ["unsafe", "harmless"]})
    found = with_kind(rows, kinds)
    assert found.columns == ["prompt_id", "kind"]
    assert found["kind"].to_list() == ["harmless", "unsafe"]


def test_each_model_is_looked_at_by_itself() -> None:
    """Its numbers, and the p-values that are corrected together, are those that it has alone."""
    prompts = prompts_of()
    one = observed_of(prompts, planted)
    other = observed_of(prompts, lambda row: hash_of(row) % 3 == 0).with_columns(
        model=pl.lit("other")
    )
    asked = AnalysisConfig.model_validate(
        {
            "outcomes": ["refusal"],
            "dimensions": {
                "group": {"reference": "x"},
                "arm": {"reference": "plain"},
                "kind": {"reference": "harmless"},
            },
        }
    )
    arms = arms_of(ARMS)
    both = safeguards(pl.concat([one, other]), asked, arms)
    # What an arm changes is not asked of arms, and the kinds of requests are set apart.
    assert set(both["dimension"]) == {"all", "group"}
    apart = [safeguards(each, ANALYSIS, arms) for each in (one, other)]
    assert both.equals(pl.concat(apart))
    assert both.filter(pl.col("p_value").is_null())["family"].null_count() == (
        both["p_value"].null_count()
    )


def hash_of(row: dict[str, Any]) -> int:
    """A number that hangs on the prompt alone."""
    return sum(map(ord, f"{row['arm']}{row['name_id']}{row['template_id']}"))


def test_levels_are_those_that_were_asked() -> None:
    """y was asked nothing unsafe, and none of its harmless requests was answered by any arm."""
    prompts = prompts_of().filter((pl.col("group") == "x") | (pl.col("kind") == "harmless"))
    observed = observed_of(prompts, planted)
    lost = observed.with_columns(label=pl.when(pl.col("group") == "x").then("label"))
    table = safeguards(lost, ANALYSIS, TWO).filter(scope=str(Scope.NEW_NAMES))
    assert table.select("kind", "group", "reference").sort(pl.all()).rows() == [
        ("harmless", "all", None), ("harmless", "x", None),
        ("harmless", "y", None), ("harmless", "y", "x"),
        ("unsafe", "all", None), ("unsafe", "x", None),
    ]  # fmt: skip


def test_a_guard_that_stops_all_of_one_group_alone() -> None:
    """Of x it stops everything and of y nothing, and without it nobody is refused."""
    observed = observed_of(
        prompts_of(names=4).filter((pl.col("group") == "x") | (pl.col("template_id") != "t0")),
        lambda row: row["arm"] == "guarded" and row["group"] == "x",
    )
    table = safeguards(observed, ANALYSIS, TWO).filter(kind="harmless", scope=str(Scope.NEW_NAMES))
    rows = {(row["group"], row["reference"]): row for row in table.iter_rows(named=True)}
    assert rows["x", None]["estimate"] == 1
    assert rows["y", None]["estimate"] == 0
    assert rows["y", "x"]["estimate"] == -1
    # Four names each; x was asked four harmless templates, y three of them.
    sizes = ("n_prompts", "names_group", "names_reference", "templates_group")
    assert [rows["y", "x"][each] for each in sizes] == [28, 4, 4, 3]
    assert rows["y", "x"]["templates_reference"] == 4


def test_requests_of_a_list_are_paired_though_they_have_no_name() -> None:
    rows = [
        {
            "model": "m", "arm": arm, "kind": "harmless", "template_id": f"t{at}",
            "text_id": f"t{at}", "name_id": None, "name": None, "group": "xy"[at % 2],
            "label": "refusal" if arm == "plain" and at < 3 else "answer",
            "prompt_id": f"{arm}|t{at}",
        }
        for arm in ("plain", "kind")
        for at in range(8)
    ]  # fmt: skip
    observed = observed_of(prompts_of(), planted).head(0)
    known = pl.DataFrame(rows).cast(
        {"kind": observed.schema["kind"], "name_id": pl.String, "name": pl.String}
    )
    whole = pl.concat([observed, known], how="diagonal")
    table = safeguards(whole, ANALYSIS, arms_of({"plain": None, "kind": "Be kind."}))
    assert set(table["scope"]) == {str(Scope.NEW_PROMPTS)}
    [row] = table.filter(group="all").iter_rows(named=True)
    assert (row["n_prompts"], row["estimate"]) == (8, -3 / 8)


def test_what_is_left_out_of_both_groups_bounds_their_difference() -> None:
    """Of y four refusals may have stayed or gone, of x one answer to t1 may have become a refusal.

    y refuses 12 of 16 without kindness and none with it, x the same eight with it and without.
    """
    lost = (pl.col("arm") == "kind") & (
        (pl.col("name_id").is_in(["y0", "y1"]) & pl.col("template_id").is_in(["t0", "t1"]))
        | ((pl.col("name_id") == "x0") & (pl.col("template_id") == "t1"))
    )
    observed = observed_of(prompts_of(), planted).with_columns(label=pl.when(~lost).then("label"))
    table = safeguards(observed, ANALYSIS, arms_of({"plain": None, "kind": "Be kind."}))
    rows = {
        row["group"]: (row["lowest"], row["highest"])
        for row in table.filter(
            kind="harmless", estimand="disparity_difference", scope=str(Scope.NEW_NAMES)
        ).iter_rows(named=True)
    }
    assert rows == {"y": pytest.approx((-13 / 16, -8 / 16))}


def test_an_arm_that_is_no_guard_is_tested_though_it_refuses_everything() -> None:
    """It might have undone refusals, which a guard cannot."""
    random = np.random.default_rng(3)
    prompts = prompts_of(names=6, templates=12).filter(kind="harmless")
    refused = {
        (row["name_id"], row["template_id"]): random.random() < 0.7
        for row in prompts.iter_rows(named=True)
    }
    observed = observed_of(
        prompts,
        lambda row: row["arm"] == "kind" or refused[row["name_id"], row["template_id"]],
    )
    table = safeguards(observed, ANALYSIS, arms_of({"plain": None, "kind": "Be kind."}))
    rates = table.filter(estimand="rate_difference", scope=str(Scope.NEW_NAMES_AND_TEMPLATES))
    assert rates["group"].to_list() == ["all", "x", "y"]
    assert rates["p_value"].null_count() == 0


def test_three_names_against_others_have_no_test_of_what_an_arm_changes() -> None:
    """What it changes for them alone has one."""
    random = np.random.default_rng(2)
    prompts = prompts_of().filter(pl.col("name_id") != "y0")
    found = safeguards(
        observed_of(prompts, lambda _: random.random() < 0.4), ANALYSIS, arms_of(ARMS)
    )
    harmless = found.filter(kind="harmless", outcome="refusal", group="y")
    between = harmless.filter(estimand="disparity_difference")
    assert between["estimate"].null_count() == 0
    assert between["p_value"].null_count() == between["ci_low"].null_count() == between.height
    assert all(note.startswith("y has 3 names") for note in between["note"])
    assert harmless.filter(estimand="rate_difference")["p_value"].null_count() == 0
