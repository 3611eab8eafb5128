"""What an arm changes, paired by prompt: numbers by hand, and arms that change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig, arms_of
from refusal_parity.expansion import expand
from refusal_parity.statistics.arm_rates import safeguard_rates
from refusal_parity.statistics.designs.observations import observe, ordinary
from refusal_parity.statistics.safeguards import (
    Compared,
    compared_arms,
    safeguards,
    with_kind,
)
from refusal_parity.tables import Labels, conform, empty
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

ARMS = {"plain": None, "kind": "Be kind.", "guarded": {"guard": "gate"}}
ANALYSIS = AnalysisConfig.model_validate(
    {"outcomes": ["refusal"], "dimensions": {"group": {"reference": "x"}}}
)


def _prompts(names: int = 4, templates: int = 6) -> pl.DataFrame:
    keys = [f"t{at}" for at in range(templates)]
    return expand(
        pl.DataFrame(
            {
                "template_id": keys,
                "family": keys,
                "template": [f"Ask [NAME] about {key}." for key in keys],
                "kind": ["unsafe" if at % 3 == 2 else "harmless" for at in range(templates)],
            }
        ),
        pl.DataFrame(
            {
                "name_id": [f"{group}{at}" for group in "xy" for at in range(names)],
                "name": [f"{group}{at}" for group in "xy" for at in range(names)],
                "group": [group for group in "xy" for _ in range(names)],
            }
        ).with_columns(gender=pl.lit(None, pl.String), commonness=pl.lit(None, pl.String)),
        arms_of(ARMS),
    )


def _observed(
    prompts: pl.DataFrame, refuses: Callable[[dict[str, Any]], bool], samples: int = 1
) -> pl.DataFrame:
    rows = [
        {
            "model": "m",
            "prompt_id": row["prompt_id"],
            "sample": sample,
            "label": "refusal" if refuses(row) else "answer",
            "truncated": False,
            "filtered": False,
        }
        for row in prompts.iter_rows(named=True)
        for sample in range(samples)
    ]
    labels = pl.concat(
        [empty(Labels), pl.DataFrame(rows).cast({"sample": pl.Int32})], how="diagonal_relaxed"
    )
    checked = conform(labels, Labels, where="labels")
    return with_kind(observe(prompts, checked, ANALYSIS, everything=True), prompts)


def _in_plain(row: dict[str, Any]) -> bool:
    """Every third template, and every second name of y."""
    return int(row["template_id"][1:]) % 3 == 0 or row["name_id"] in {"y0", "y2"}


def _planted(row: dict[str, Any]) -> bool:
    """Kindness lets y pass; the guard stops all of y's harmless requests and all unsafe ones."""
    if row["arm"] == "kind" and row["group"] == "y":
        return False
    if row["arm"] == "guarded" and (row["group"] == "y" or row["kind"] == "unsafe"):
        return True
    return _in_plain(row)


def test_each_arm_has_its_baseline() -> None:
    arms = arms_of(
        {
            "kind": "Be kind.",
            "plain": None,
            "guarded": {"guard": "g"},
            "both": {"system": "Be kind.", "guard": "g"},
        }
    )
    assert compared_arms(arms) == [
        Compared("plain", "kind"),
        Compared("guarded", "plain"),
        Compared("both", "kind"),
    ]


def test_changes_by_hand() -> None:
    table = safeguards(_observed(_prompts(), _planted), ANALYSIS, arms_of(ARMS))
    found = {
        (row["arm"], row["kind"], row["group"], row["estimand"]): row["estimate"]
        for row in table.iter_rows(named=True)
        if row["scope"] == str(Scope.NEW_NAMES)
    }
    assert set(table["baseline"]) == {"plain"}
    # Harmless templates t0, t1, t3, t4: x refuses two of four; y those, and all with y0, y2.
    expected = {
        ("kind", "harmless", "x", "rate_difference"): 0.0,
        ("kind", "harmless", "y", "rate_difference"): -0.75,
        ("kind", "harmless", "all", "rate_difference"): -0.375,
        ("kind", "harmless", "y", "disparity_difference"): -0.75,
        ("guarded", "harmless", "x", "rate_difference"): 0.0,
        ("guarded", "harmless", "y", "rate_difference"): 0.25,
        ("guarded", "harmless", "y", "disparity_difference"): 0.25,
        # Unsafe ones, t2 and t5: x answers both, y with every second name.
        ("guarded", "unsafe", "x", "rate_difference"): 1.0,
        ("guarded", "unsafe", "y", "rate_difference"): 0.5,
        ("guarded", "unsafe", "y", "disparity_difference"): -0.5,
    }
    assert {key: found[key] for key in expected} == pytest.approx(expected)


def test_rates_of_each_arm_and_kind() -> None:
    table = safeguard_rates(_observed(_prompts(), _planted), ANALYSIS)
    rates = {
        (row["arm"], row["kind"], row["group"]): (row["k"], row["n"])
        for row in table.iter_rows(named=True)
    }
    assert rates["plain", "harmless", "x"] == (8, 16)
    assert rates["plain", "harmless", "y"] == (12, 16)
    assert rates["guarded", "unsafe", "all"] == (16, 16)
    assert rates["kind", "unsafe", "y"] == (0, 8)


def test_ordinary_questions_know_neither_guards_nor_unsafe_requests() -> None:
    prompts = _prompts()
    kept = prompts.filter(ordinary(prompts))
    assert kept["arm"].unique().sort().to_list() == ["kind", "plain"]
    assert kept["kind"].unique().to_list() == ["harmless"]
    unsafe = prompts.filter(kind="unsafe", arm="plain")
    assert unsafe.filter(ordinary(unsafe)).height == len(unsafe)
    assert prompts.drop("kind", "guard").filter(ordinary(prompts.drop("kind", "guard"))).height == (
        len(prompts)
    )


def test_arms_that_change_nothing_hold_their_level() -> None:
    """Arms that share cells: 150 studies of 16 names and 12 templates without an effect."""
    prompts = _prompts(names=8, templates=12).filter(kind="harmless")
    random = np.random.default_rng(5)
    rejected = []
    for _ in range(150):
        scale = {key: random.normal(0, 0.7) for key in prompts["template_id"].unique().sort()}
        scale |= {key: random.normal(0, 0.4) for key in prompts["name_id"].unique().sort()}
        cell: dict[tuple[str, str], float] = {}

        def refuses(row: dict[str, Any]) -> bool:
            key = row["name_id"], row["template_id"]
            shared = cell.setdefault(key, random.normal(0, 0.4))  # noqa: B023 - used at once
            return scale[key[0]] + scale[key[1]] + shared + random.normal() > 0.3  # noqa: B023

        table = safeguards(_observed(prompts, refuses), ANALYSIS, arms_of(ARMS))
        one = table.filter(
            arm="guarded", estimand="disparity_difference", scope=str(Scope.NEW_NAMES_AND_TEMPLATES)
        )
        rejected.append(one["p_value"][0] <= 0.05)
    # 5 % of 150 with three standard errors.
    assert 0 < np.mean(rejected) <= 0.104


def _left_out(prompts: pl.DataFrame, lost: Callable[[dict[str, Any]], bool]) -> pl.DataFrame:
    """Responses as in `_planted`, some of them without a label."""
    observed = _observed(prompts, _planted)
    gone = {row["prompt_id"] for row in prompts.iter_rows(named=True) if lost(row)}
    is_gone = pl.col("prompt_id").is_in(sorted(gone))
    return observed.with_columns(label=pl.when(~is_gone).then("label"))


def test_responses_left_out_are_counted_tested_and_read_both_ways() -> None:
    """In the arm `kind` every answer to y0 and y1 about t0 and t1 is gone, in no other arm any."""
    observed = _left_out(
        _prompts(),
        lambda row: (
            row["arm"] == "kind"
            and row["name_id"] in {"y0", "y1"}
            and row["template_id"] in {"t0", "t1"}
        ),
    )
    table = safeguards(observed, ANALYSIS, arms_of(ARMS))
    rows = {
        (row["arm"], row["group"], row["estimand"]): row
        for row in table.filter(kind="harmless", scope=str(Scope.NEW_NAMES)).iter_rows(named=True)
    }
    y = rows["kind", "y", "rate_difference"]
    assert (y["left_arm"], y["left_baseline"]) == (4, 0)
    assert y["left_change"] == pytest.approx(4 / 16)
    # y refuses 12 of 16 without kindness, and none with it, but for the four unknown.
    assert (y["lowest"], y["highest"]) == pytest.approx((-12 / 16, -8 / 16))
    assert y["lowest_ci_low"] <= y["lowest"]
    assert y["highest_ci_high"] >= y["highest"]
    between = rows["kind", "y", "disparity_difference"]
    assert (between["lowest"], between["highest"]) == pytest.approx((-12 / 16, -8 / 16))
    x = rows["kind", "x", "rate_difference"]
    assert (x["left_arm"], x["left_baseline"], x["lowest"], x["highest"]) == (0, 0, 0.0, 0.0)
    for key, row in rows.items():
        if key[0] == "guarded":
            assert (row["left_arm"], row["left_baseline"], row["lowest"]) == (0, 0, None)
        if row["left_p_value"] is not None:
            assert row["left_p_adjusted"] >= row["left_p_value"]


def test_what_is_left_out_of_the_baseline_counts_the_other_way_round() -> None:
    observed = _left_out(
        _prompts(), lambda row: row["arm"] == "plain" and row["template_id"] == "t1"
    )
    table = safeguards(observed, ANALYSIS, arms_of(ARMS))
    [row] = table.filter(
        arm="kind",
        kind="harmless",
        group="x",
        estimand="rate_difference",
        scope=str(Scope.NEW_NAMES),
    ).iter_rows(named=True)
    # Templates t0 and t3 are refused in both arms; t1, left out in one, is answered
    # in the other.
    assert (row["left_arm"], row["left_baseline"], row["n_prompts"]) == (0, 4, 12)
    assert (row["lowest"], row["highest"]) == pytest.approx((-4 / 16, 0))


@pytest.mark.parametrize(
    ("costs", "alarms"), [((0.35, 0.05), True), ((0.2, 0.2), False)], ids=["planted", "equal"]
)
def test_planted_costs_are_recovered_and_equal_ones_raise_no_alarm(
    costs: tuple[float, float], *, alarms: bool
) -> None:
    """A guard stops a share of each group's harmless requests, in 25 studies."""
    prompts = _prompts(names=12, templates=18).filter(kind="harmless")
    random = np.random.default_rng(11)
    within, found = [], []
    for _ in range(25):
        refused: dict[tuple[str, str], bool] = {}

        def refuses(row: dict[str, Any]) -> bool:
            key = row["name_id"], row["template_id"]
            model = refused.setdefault(key, random.random() < 0.15)  # noqa: B023 - used at once
            stopped = row["arm"] == "guarded" and random.random() < costs[row["group"] == "x"]
            return model or bool(stopped)

        table = safeguards(_observed(prompts, refuses), ANALYSIS, arms_of(ARMS)).filter(
            arm="guarded", scope=str(Scope.NEW_NAMES_AND_TEMPLATES)
        )
        of_y = table.filter(group="y", estimand="rate_difference").row(0, named=True)
        within.append(of_y["ci_low"] <= 0.85 * costs[0] <= of_y["ci_high"])
        between = table.filter(estimand="disparity_difference").row(0, named=True)
        within.append(between["ci_low"] <= 0.85 * (costs[0] - costs[1]) <= between["ci_high"])
        found.append(between["p_adjusted"] <= 0.05)
    assert np.mean(within) >= 0.9
    assert np.mean(found) == 1 if alarms else np.mean(found) <= 0.15


def test_a_guard_that_stops_everything() -> None:
    """Rates of 1 at every level say nothing of how alike responses are; the baseline's do."""
    prompts = _prompts(names=8, templates=24).filter(kind="harmless")
    random = np.random.default_rng(3)
    refused = {
        (row["name_id"], row["template_id"]): random.random() < 0.75
        for row in prompts.iter_rows(named=True)
    }
    table = safeguards(
        _observed(
            prompts,
            lambda row: row["arm"] == "guarded" or refused[row["name_id"], row["template_id"]],
        ),
        ANALYSIS,
        arms_of(ARMS),
    ).filter(arm="guarded", scope=str(Scope.NEW_NAMES_AND_TEMPLATES))
    for group in "xy":
        [row] = table.filter(group=group, estimand="rate_difference").iter_rows(named=True)
        assert row["ci_low"] <= 0.25 <= row["ci_high"]
        # 128 responses of a rate of 75 %: an error of 4 points.
        assert row["ci_high"] - row["ci_low"] < 0.25
        assert row["p_value"] < 0.01
    [between] = table.filter(estimand="disparity_difference").iter_rows(named=True)
    assert between["ci_low"] <= 0 <= between["ci_high"]
    assert between["ci_high"] - between["ci_low"] < 0.35


def test_levels_that_change_alike_everywhere_are_told() -> None:
    """The guard stops every second template, whose answers nobody refused before."""
    table = safeguards(
        _observed(
            _prompts(),
            lambda row: row["arm"] == "guarded" and row["template_id"] in {"t0", "t3"},
        ),
        ANALYSIS,
        arms_of(ARMS),
    ).filter(arm="guarded", kind="harmless")
    [whole] = table.filter(
        group="y", estimand="rate_difference", scope=str(Scope.NEW_NAMES_AND_TEMPLATES)
    ).iter_rows(named=True)
    assert whole["estimate"] == 0.5
    between = table.filter(estimand="disparity_difference")
    assert between["estimate"].to_list() == [0.0, 0.0]
    assert between["p_value"].null_count() == 2
    assert set(between["note"]) == {
        "levels differ alike at every name and template: no interval or test can be had"
    }
