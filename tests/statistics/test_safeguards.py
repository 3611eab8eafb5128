"""What an arm changes, paired by prompt: numbers by hand, and arms that change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig, arms_of
from refusal_parity.expansion import expand
from refusal_parity.statistics.designs.observations import observe, ordinary
from refusal_parity.statistics.safeguards import (
    Compared,
    compared_arms,
    safeguard_rates,
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
