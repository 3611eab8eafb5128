"""Differences between groups at each wording and form, and how these differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from matched_study import EVEN, FORMS, GROUPS, PLANTED, WORDINGS, config, observed

from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.designs.counts import build_designs
from refusal_parity.statistics.failures import Guard
from refusal_parity.statistics.interactions import ALIKE, interactions
from refusal_parity.statistics.methods.bias_reduced import OLS_CR2_TWO_WAY
from refusal_parity.statistics.running import run_method

if TYPE_CHECKING:
    from refusal_parity.config import AnalysisConfig

STUDIES = 20


def rows(table: pl.DataFrame, **wanted: str | None) -> list[dict[str, Any]]:
    for key, each in wanted.items():
        table = table.filter(pl.col(key).eq_missing(pl.lit(each, pl.String)))
    return table.to_dicts()


def rate(seen: pl.DataFrame, **where: str) -> float:
    return float((seen.filter(**where)["label"] == "refusal").mean())  # type: ignore[arg-type]


def test_a_contrast_of_contrasts_is_what_its_four_rates_give() -> None:
    seen = observed(PLANTED, seed=1, names=6, sets=8)
    table = interactions(seen, config())
    [at] = rows(table, group="south", factor_level="mention", factor_base=None)
    alone = rate(seen, group="south", wording="mention") - rate(
        seen, group="north", wording="mention"
    )
    assert at["estimate"] == pytest.approx(alone)
    [between] = rows(table, group="south", factor_level="mention", factor_base="name")
    plain = rate(seen, group="south", wording="name") - rate(seen, group="north", wording="name")
    assert between["estimate"] == pytest.approx(alone - plain)
    assert between["ci_low"] < between["estimate"] < between["ci_high"]
    assert (between["n_group"], between["n_reference"]) == (48, 48)
    # Each group against the reference, at three levels and between two of them; twice.
    assert len(table) == 2 * 2 * (3 + 2)


def test_changes_that_are_all_alike_have_no_error_and_need_none() -> None:
    seen = observed(PLANTED, seed=2, names=3, sets=3).with_columns(
        label=pl.when(pl.col("name_id").str.ends_with("1"))
        .then(pl.lit("refusal"))
        .otherwise(pl.lit("answer"))
    )
    found = rows(interactions(seen, config()), group="east", factor_base="name")
    assert {(row["estimate"], row["note"]) for row in found} == {(0.0, ALIKE)}


def test_a_level_without_labels_says_so() -> None:
    seen = observed(PLANTED, seed=3, names=3, sets=3).with_columns(
        label=pl.when((pl.col("group") != "east") | (pl.col("wording") != "mention")).then("label")
    )
    found = rows(interactions(seen, config()), group="east", factor_level="mention")
    assert {row["note"] for row in found} == {
        "not estimable: east has no response that counts (all without a label) here",
        "not estimable: east has no response that counts at both levels",
    }
    assert all(row["estimate"] is None for row in found)


def test_only_groups_and_crossed_factors_interact() -> None:
    analysis = config(
        dimensions={
            key: {"reference": level}
            for key, level in (("group", "north"), ("topic", "food"), ("origin", "coast"))
        }
    )
    seen = observed(PLANTED, seed=1, names=4, sets=4, analysis=analysis)
    assert interactions(seen, analysis).is_empty()


def truths() -> dict[tuple[str, str, str], float]:
    """What the law says of each effect, by dimension, level and reference."""
    both = np.array(PLANTED.both)
    group = np.array(PLANTED.group) + both.mean(axis=1)
    wording = np.array(PLANTED.wording) + both.mean(axis=0)
    return {
        **{("group", each, "north"): float(group[at]) for at, each in enumerate(GROUPS)},
        **{("wording", each, "name"): float(wording[at]) for at, each in enumerate(WORDINGS)},
        **{("form", each, "completion"): PLANTED.form[at] for at, each in enumerate(FORMS)},
    }


def main_effects(seen: pl.DataFrame, analysis: AnalysisConfig) -> list[tuple[Any, ...]]:
    """Key, interval and p-value of each level against the reference."""
    orders = {"group": GROUPS, "wording": WORDINGS, "form": FORMS}
    found = []
    for dimension, levels in orders.items():
        design = build_designs(seen, dimension, levels, [Outcome.REFUSAL])[Outcome.REFUSAL]
        found += [
            ((dimension, row.group, row.reference), row.ci_low, row.ci_high, row.p_value)
            for row in run_method(
                OLS_CR2_TWO_WAY, design, dimension, Outcome.REFUSAL, analysis, Guard()
            )
            if row.reference == levels[0]
        ]
    return found


@pytest.mark.simulation
def test_the_planted_effects_are_found_apart_within_their_intervals() -> None:
    """Of 20 studies of one law; a 95 % interval leaves its truth out in 1 of 20."""
    analysis, truth, both = config(), truths(), PLANTED.both
    held: dict[object, list[bool]] = {}
    shown: dict[object, list[bool]] = {}
    for seed in range(STUDIES):
        seen = observed(PLANTED, seed=100 + seed, names=10, sets=20)
        for key, low, high, p in main_effects(seen, analysis):
            held.setdefault(key, []).append(low <= truth[key] <= high)
            shown.setdefault(key, []).append(p < 0.05)
        for row in interactions(seen, analysis).iter_rows(named=True):
            group = GROUPS.index(row["group"])
            if row["factor"] == "form":
                at = PLANTED.group[group] + float(np.mean(both[group]))
                real = at if row["factor_base"] is None else 0.0
            else:
                added = both[group][WORDINGS.index(row["factor_level"])]
                real = added if row["factor_base"] else PLANTED.group[group] + added
            key = (row["group"], row["factor_level"], row["factor_base"])
            held.setdefault(key, []).append(row["ci_low"] <= real <= row["ci_high"])
            shown.setdefault(key, []).append(row["p_adjusted"] < 0.05)
    assert len(held) == 6 + 20
    assert {key: sum(of) for key, of in held.items() if sum(of) < STUDIES - 4} == {}
    assert np.mean([each for of in held.values() for each in of]) >= 0.93
    # What is large is found, and as what it is: the mention adds to one group alone.
    for key in (
        ("group", "south", "north"),
        ("wording", "mention", "name"),
        ("form", "instruction", "completion"),
        ("south", "mention", "name"),
        ("south", "name", None),
    ):
        assert sum(shown[key]) >= STUDIES - 4, key
    for key in (("east", "mention", "name"), ("south", "question", "completion")):
        assert sum(shown[key]) <= 2, key


@pytest.mark.simulation
def test_the_even_twin_raises_no_alarm() -> None:
    """Over 20 studies of its law: those in which any family of tests shows a difference.

    Of 100 such studies 5 do.
    """
    analysis = config()
    alarms = []
    for seed in range(STUDIES):
        seen = observed(EVEN, seed=9100 + seed, names=10, sets=20)
        p_values = [p for *_, p in main_effects(seen, analysis)]
        adjusted = interactions(seen, analysis)["p_adjusted"].drop_nulls()
        alarms.append(min(p_values) * len(p_values) < 0.05 or (adjusted < 0.05).any())
    assert sum(alarms) <= 2


def test_levels_of_three_names_have_no_test_here_either() -> None:
    table = interactions(observed(PLANTED, seed=1, names=3, sets=8), config())
    known = table.drop_nulls("estimate")
    assert known.height
    for column in ("ci_low", "ci_high", "p_value", "p_adjusted", "family"):
        assert known[column].null_count() == known.height
    assert all("have 3 names each, but a test takes at least 4" in note for note in known["note"])
