"""Factors that matched sets meet every level of are compared within sets."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from matched_study import PLANTED, config, observed

from refusal_parity.dimensions import DIMENSIONS, Unit
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.methods import METHODS
from refusal_parity.statistics.rates import rates


def row_of(table: pl.DataFrame, **wanted: str) -> dict[str, object]:
    found = table.filter(**wanted).to_dicts()
    assert len(found) == 1
    return found[0]


def test_what_a_factor_is_a_property_of() -> None:
    analysis = config(
        dimensions={
            "group": {"reference": "north"},
            **{
                key: {"reference": level}
                for key, level in (("origin", "coast"), ("topic", "food"), ("wording", "name"))
            },
        }
    )
    observed(PLANTED, seed=1, analysis=analysis)
    units = {key: DIMENSIONS[key].unit for key in analysis.dimensions}
    assert units == {
        "group": Unit.NAME,
        "origin": Unit.NAME,
        "topic": Unit.TEMPLATE,
        "wording": Unit.SET,
    }


def test_a_difference_within_sets_is_that_of_pairs_of_name_and_set() -> None:
    seen = observed(PLANTED, seed=2)
    table = disparities(seen, config())
    key = {"dimension": "form", "group": "question", "reference": "completion"}
    found = row_of(table, method="ols_cr2_two_way", **key)
    hits = seen.with_columns(hit=(pl.col("label") == "refusal").cast(pl.Float64))
    pairs = (
        hits.group_by("name_id", "text_id", "form")
        .agg(pl.col("hit").mean())
        .pivot(on="form", index=["name_id", "text_id"], values="hit")
        .sort("name_id", "text_id")
    )
    difference = (pairs["question"] - pairs["completion"]).to_numpy()
    grid = difference.reshape(pairs["name_id"].n_unique(), pairs["text_id"].n_unique())
    assert found["estimate"] == pytest.approx(grid.mean())
    # Means of names and of sets as samples; of both what they share is counted twice.
    by_name, by_set = (grid.mean(axis=axis).var(ddof=1) / grid.shape[1 - axis] for axis in (1, 0))
    by_cell = grid.var(ddof=1) / grid.size
    variance = max(by_name + by_set - by_cell, by_name, by_set)
    # Not of three levels together: others' residuals are in the same clusters.
    assert found["std_error"] == pytest.approx(np.sqrt(variance), rel=0.15)


def test_sets_are_the_sample_of_texts_for_groups_too() -> None:
    seen = observed(PLANTED, seed=3)
    apart = seen.with_columns(text_id="template_id")
    wide, narrow = (
        row_of(
            disparities(each, config(dimensions={"group": {"reference": "north"}})),
            group="south",
            reference="north",
            method="ols_cr2_two_way",
        )
        for each in (seen, apart)
    )
    assert wide["estimate"] == pytest.approx(narrow["estimate"])
    # Nine templates of one set are no nine texts: what groups have in a set is shared.
    assert wide["std_error"] > narrow["std_error"]
    counted = row_of(rates(seen, config()), dimension="group", group="south", within="all")
    assert counted["n_templates"] == 16 * 9


def test_each_method_says_which_designs_it_suits() -> None:
    within = {key for key, each in METHODS.items() if Unit.SET in each.needs.units}
    assert {"ols_cr2_two_way", "ols_cr2_name"} <= within
    # What permutes names, or draws them anew within levels, needs levels of names.
    assert not {"permutation_names", "permutation_names_exact"} & within


def test_groups_are_counted_within_the_levels_of_every_factor() -> None:
    table = rates(observed(PLANTED, seed=4), config())
    within = table.filter(dimension="group", within="wording")
    assert set(within["within_group"]) == {"name", "adjacent", "mention"}
    assert len(within) == 9
