"""Shares of what was left out, cut off or filtered, and what they may hide."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from scipy import stats

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.losses.shares import bounds, losses

if TYPE_CHECKING:
    from collections.abc import Callable

ANALYSIS = AnalysisConfig(
    outcomes=[Outcome.REFUSAL], dimensions={"group": DimensionConfig(reference="x")}
)
WHOLE = ["ra", "ar", "aa", "ra"]


def holes(share: float, seed: int) -> dict[str, list[str]]:
    """Five names of four templates and six samples, of which a share is left out."""
    random = np.random.default_rng(seed)
    letters = np.where(random.random((5, 4, 6)) < share, "-", "a")
    return {f"n{seed}{at}": ["".join(cell) for cell in name] for at, name in enumerate(letters)}


def test_a_share_is_of_all_that_was_asked_for(study: Callable[..., pl.DataFrame]) -> None:
    table = losses(study({"x": {"A": ["r-", "--"], "B": ["aa", "ar"]}, "y": {"C": ["aa"] * 2}}),
                   ANALYSIS)  # fmt: skip
    row = table.row(0, named=True)
    assert table.height == 1
    assert (row["loss"], row["group"], row["reference"]) == ("left_out", "y", "x")
    assert (row["n_group"], row["n_reference"], row["k_group"], row["k_reference"]) == (4, 8, 0, 3)
    assert row["estimate"] == -3 / 8


def test_nothing_lost_has_no_rows(study: Callable[..., pl.DataFrame]) -> None:
    observations = study({"x": {"A": WHOLE, "B": WHOLE}, "y": {"C": WHOLE, "D": WHOLE}})
    assert losses(observations, ANALYSIS).is_empty()
    assert bounds(observations, ANALYSIS).is_empty()


def test_shares_that_differ_are_found_and_others_are_not(
    study: Callable[..., pl.DataFrame],
) -> None:
    found = []
    for seed in range(60):
        groups = {"x": holes(0.2, 3 * seed), "y": holes(0.2, 3 * seed + 1)}
        groups["z"] = holes(0.6, 3 * seed + 2)
        table = losses(study(groups), ANALYSIS)
        found.append(dict(table.select("group", "p_value").iter_rows()))
    # Names and templates alike: a t test of level 5 % finds 5 %, give or take three errors.
    assert np.mean([each["y"] < 0.05 for each in found]) <= 0.05 + 3 * 0.03
    assert np.mean([each["z"] < 0.05 for each in found]) > 0.9


def test_no_interval_goes_beyond_what_shares_can_differ_by(
    study: Callable[..., pl.DataFrame],
) -> None:
    groups = {
        "x": {"A": ["aa", "aa"], "B": ["aa", "a-"]},
        "y": {"C": ["--", "--"], "D": ["-a", "--"]},
    }
    row = losses(study(groups), ANALYSIS).row(0, named=True)
    half = stats.t.isf(0.025, row["df"]) * row["std_error"]
    assert row["estimate"] == pytest.approx(6 / 8)
    assert row["ci_high"] == 1 < row["estimate"] + half
    assert row["ci_low"] == pytest.approx(max(row["estimate"] - half, -1))


def test_levels_are_adjusted_together(study: Callable[..., pl.DataFrame]) -> None:
    groups = {"x": holes(0.2, 1), "y": holes(0.3, 2), "z": holes(0.5, 3)}
    table = losses(study(groups), ANALYSIS)
    p = sorted(table["p_value"])
    assert sorted(table["p_adjusted"]) == pytest.approx([2 * p[0], max(2 * p[0], p[1])])


def test_all_against_none_is_tested_by_splits_of_the_names(
    study: Callable[..., pl.DataFrame],
) -> None:
    groups = {
        "x": {f"x{at}": ["aa"] * 3 for at in range(4)},
        "y": {f"y{at}": ["--"] * 3 for at in range(4)},
    }
    row = losses(study(groups), ANALYSIS).row(0, named=True)
    assert row["std_error"] is None
    assert row["p_value"] == pytest.approx(2 / len(list(combinations(range(8), 4))))


def test_cut_and_filtered_responses_are_counted_though_they_count(
    study: Callable[..., pl.DataFrame],
) -> None:
    observations = study({"x": {"A": WHOLE, "B": WHOLE}, "y": {"C": WHOLE, "D": WHOLE}})
    changed = observations.with_columns(
        truncated=pl.col("name") == "C", filtered=(pl.col("name") == "D") & (pl.col("sample") == 0)
    )
    table = losses(changed, ANALYSIS)
    assert dict(table.select("loss", "k_group").iter_rows()) == {"truncated": 8, "filtered": 4}


def test_bounds_read_what_was_left_out_each_way(study: Callable[..., pl.DataFrame]) -> None:
    # x: 3 of 12 refused, 2 left out; y: 6 of 12 refused, 3 left out.
    observations = study(
        {"x": {"A": ["rra", "a-a"], "B": ["raa", "a-a"]},
         "y": {"C": ["rrr", "aa-"], "D": ["rrr", "a--"]}}
    )  # fmt: skip
    table = bounds(observations, ANALYSIS).select(
        "reading", "left_group", "left_reference", "estimate"
    )
    assert table.rows() == [
        ("highest", 3, 2, pytest.approx(9 / 12 - 3 / 12)),
        ("lowest", 3, 2, pytest.approx(6 / 12 - 5 / 12)),
    ]


def test_a_bound_has_the_error_of_the_names_of_each_group(
    study: Callable[..., pl.DataFrame],
) -> None:
    # One template: new names alone, so Welch's t test of the names' rates as they are read.
    random = np.random.default_rng(3)
    letters = {
        group: {f"{group}{at}": ["".join(random.choice(list("ra-"), 10))] for at in range(6)}
        for group in "xy"
    }
    # Every template holds what the one does, so that templates add nothing of their own.
    whole = {group: {name: cell * 2 for name, cell in names.items()}
             for group, names in letters.items()}  # fmt: skip
    row = bounds(study(whole), ANALYSIS).filter(reading="highest").row(0, named=True)
    rates = [
        [sum(letter in counted for letter in cell[0]) / 10 for cell in letters[group].values()]
        for group, counted in (("y", "r-"), ("x", "r"))
    ]
    welch = stats.ttest_ind(*rates, equal_var=False)
    assert row["estimate"] == pytest.approx(np.mean(rates[0]) - np.mean(rates[1]))
    assert row["p_value"] == pytest.approx(welch.pvalue, rel=1e-6)
