"""What an arm changes, paired by prompt: numbers by hand, and arms that change nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from arms_study import ANALYSIS, ARMS, observed_of, planted, prompts_of

from refusal_parity.config import arms_of
from refusal_parity.statistics.arm_changes import CERTAIN
from refusal_parity.statistics.arm_rates import safeguard_rates
from refusal_parity.statistics.designs.observations import ordinary
from refusal_parity.statistics.safeguards import (
    Compared,
    compared_arms,
    safeguards,
)
from refusal_parity.vocabulary import Scope


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
        Compared("plain", "kind", guards=False),
        Compared("guarded", "plain", guards=True),
        Compared("both", "kind", guards=True),
    ]


def test_changes_by_hand() -> None:
    table = safeguards(observed_of(prompts_of(), planted), ANALYSIS, arms_of(ARMS))
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
    table = safeguard_rates(observed_of(prompts_of(), planted), ANALYSIS)
    rates = {
        (row["arm"], row["kind"], row["group"]): (row["k"], row["n"])
        for row in table.iter_rows(named=True)
    }
    assert rates["plain", "harmless", "x"] == (8, 16)
    assert rates["plain", "harmless", "y"] == (12, 16)
    assert rates["guarded", "unsafe", "all"] == (16, 16)
    assert rates["kind", "unsafe", "y"] == (0, 8)


def test_ordinary_questions_know_neither_guards_nor_unsafe_requests() -> None:
    prompts = prompts_of()
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
    prompts = prompts_of(names=8, templates=12).filter(kind="harmless")
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

        table = safeguards(observed_of(prompts, refuses), ANALYSIS, arms_of(ARMS))
        one = table.filter(
            arm="guarded", estimand="disparity_difference", scope=str(Scope.NEW_NAMES_AND_TEMPLATES)
        )
        rejected.append(one["p_value"][0] <= 0.05)
    # 5 % of 150 with three standard errors.
    assert 0 < np.mean(rejected) <= 0.104


@pytest.mark.parametrize(
    ("costs", "alarms"), [((0.35, 0.05), True), ((0.2, 0.2), False)], ids=["planted", "equal"]
)
def test_planted_costs_are_recovered_and_equal_ones_raise_no_alarm(
    costs: tuple[float, float], *, alarms: bool
) -> None:
    """A guard stops a share of each group's harmless requests, in 25 studies."""
    prompts = prompts_of(names=12, templates=18).filter(kind="harmless")
    random = np.random.default_rng(11)
    within, found = [], []
    for _ in range(25):
        refused: dict[tuple[str, str], bool] = {}

        def refuses(row: dict[str, Any]) -> bool:
            key = row["name_id"], row["template_id"]
            model = refused.setdefault(key, random.random() < 0.15)  # noqa: B023 - used at once
            stopped = row["arm"] == "guarded" and random.random() < costs[row["group"] == "x"]
            return model or bool(stopped)

        table = safeguards(observed_of(prompts, refuses), ANALYSIS, arms_of(ARMS)).filter(
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
    prompts = prompts_of(names=8, templates=24).filter(kind="harmless")
    random = np.random.default_rng(3)
    refused = {
        (row["name_id"], row["template_id"]): random.random() < 0.75
        for row in prompts.iter_rows(named=True)
    }
    table = safeguards(
        observed_of(
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
        # A guard refuses and cannot undo a refusal: that it costs something needs no test.
        assert row["ci_low"] > 0
        assert (row["p_value"], row["note"]) == (None, CERTAIN)
    [between] = table.filter(estimand="disparity_difference").iter_rows(named=True)
    assert between["ci_low"] <= 0 <= between["ci_high"]
    assert between["ci_high"] - between["ci_low"] < 0.35


def test_levels_that_change_alike_everywhere_are_told() -> None:
    """The guard stops every second template, whose answers nobody refused before."""
    table = safeguards(
        observed_of(
            prompts_of(),
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
