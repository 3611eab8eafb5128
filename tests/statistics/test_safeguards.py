"""What an arm changes, paired by prompt: numbers by hand, and arms that change nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from arms_study import ANALYSIS, ARMS, observed_of, planted, prompts_of
from statsmodels.stats.multitest import multipletests

from refusal_parity.config import arms_of
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.arm_changes import CERTAIN
from refusal_parity.statistics.arm_rates import safeguard_rates
from refusal_parity.statistics.designs.observations import ordinary
from refusal_parity.statistics.safeguards import (
    Compared,
    compared_arms,
    safeguards,
    with_kind,
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
    # The first without a guard, wherever it stands.
    later = arms_of({"guarded": {"guard": "g"}, "plain": None, "kind": "Be kind."})
    assert compared_arms(later) == [
        Compared("guarded", "plain", guards=True),
        Compared("kind", "plain", guards=False),
    ]


def test_requests_of_no_kind_are_harmless() -> None:
    kinds = pl.DataFrame({"prompt_id": ["p", "q", "r"], "kind": ["unsafe", None, "harmless"]})
    rows = pl.DataFrame({"prompt_id": ["r", "q", "p", "q"]})
    assert with_kind(rows, kinds)["kind"].to_list() == [
        "harmless", "harmless", "unsafe", "harmless",
    ]  # fmt: skip
    assert set(with_kind(rows, kinds.drop("kind"))["kind"]) == {"harmless"}


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


@pytest.mark.parametrize(("kind", "families"), [("", 8), ("left_", 16)])
def test_p_values_are_corrected_by_holm_within_their_family(kind: str, families: int) -> None:
    """Over all arms and groups of one kind of request, outcome, estimand and scope."""
    random = np.random.default_rng(4)
    observed = observed_of(
        prompts_of(names=5, templates=12), lambda row: random.random() < 0.3 + 0.3 * planted(row)
    ).with_columns(label=pl.when(pl.Series(random.random(5 * 2 * 12 * 3) > 0.15)).then("label"))
    asked = ANALYSIS.model_copy(update={"outcomes": [Outcome.REFUSAL, Outcome.HARMFUL_REFUSAL]})
    table = safeguards(observed, asked, arms_of(ARMS))
    parts = table.filter(pl.col(f"{kind}p_value").is_not_null()).partition_by(
        "kind", "outcome", "estimand", "scope"
    )
    # Two kinds, estimands and scopes; nobody refuses harmfully, but what is left out is of both.
    assert len(parts) == families
    for rows in parts:
        assert len(rows) == {"rate_difference": 6, "disparity_difference": 2}[rows["estimand"][0]]
        _, expected, *_ = multipletests(rows[f"{kind}p_value"].to_numpy(), method="holm")
        assert rows[f"{kind}p_adjusted"].to_numpy() == pytest.approx(expected, rel=1e-6)
    if not kind:
        assert [each["family"].n_unique() for each in parts] == [1] * families
        assert pl.concat(parts)["family"].n_unique() == families


def test_what_was_not_answered_in_both_arms_is_no_change() -> None:
    """All that y got in the arm `kind` is gone, and all that x got in `guarded`."""
    observed = observed_of(prompts_of(), planted)
    gone = {"kind": "y", "guarded": "x"}
    lost = pl.any_horizontal(
        (pl.col("arm") == arm) & (pl.col("group") == group) for arm, group in gone.items()
    )
    table = safeguards(
        observed.with_columns(label=pl.when(~lost).then("label")), ANALYSIS, arms_of(ARMS)
    ).filter(kind="harmless")
    rows = {
        (row["arm"], row["group"], row["estimand"]): row
        for row in table.filter(scope=str(Scope.NEW_NAMES)).iter_rows(named=True)
    }
    nobody = "not estimable: no prompt was answered in both arms"
    assert rows["kind", "y", "rate_difference"]["note"] == nobody
    assert rows["kind", "y", "rate_difference"]["estimate"] is None
    assert rows["kind", "x", "rate_difference"]["estimate"] == 0.0
    assert rows["guarded", "y", "rate_difference"]["estimate"] == 0.25
    between = rows["guarded", "y", "disparity_difference"]
    assert between["note"] == "not estimable: no prompt of x in both arms"
    assert between["estimate"] is None
    neither = observed.with_columns(label=pl.when(pl.col("arm") == "plain").then("label"))
    empty = safeguards(neither, ANALYSIS, arms_of(ARMS))
    assert set(empty["note"]) == {nobody}
    assert empty["n_prompts"].sum() == 0


def test_prompts_are_told_apart_by_template_and_name() -> None:
    """Template t1 with the name 1a and template t11 with the name a are two."""
    rows = [
        {
            "model": "m", "arm": arm, "kind": "harmless", "template_id": template,
            "text_id": template, "name_id": name, "name": name, "group": group,
            "label": "refusal" if arm == "plain" and template == "t1" else "answer",
        }
        for arm in ("plain", "kind")
        for template in ("t1", "t11", "t2", "t22")
        for group, names in {"x": ("1a", "a", "2a"), "y": ("1b", "b", "2b")}.items()
        for name in names
    ]  # fmt: skip
    observed = observed_of(prompts_of(), planted).head(0)
    known = pl.DataFrame(rows).with_columns(
        prompt_id=pl.format("{}|{}|{}", "arm", "template_id", "name_id")
    )
    whole = pl.concat([observed, known.cast({"kind": observed.schema["kind"]})], how="diagonal")
    table = safeguards(whole, ANALYSIS, arms_of({"plain": None, "kind": "Be kind."}))
    row = table.row(
        by_predicate=(pl.col("group") == "all") & (pl.col("scope") == str(Scope.NEW_NAMES)),
        named=True,
    )
    assert (row["n_prompts"], row["names_group"], row["templates_group"]) == (24, 6, 4)


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


@pytest.mark.simulation
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


@pytest.mark.simulation
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
    for group in ("all", "x", "y"):
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
