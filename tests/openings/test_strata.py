"""Which openings a prompt's responses are drawn on, and how many."""

from __future__ import annotations

import math

import polars as pl
import pytest
from weighed_prompts import CHANCE, of_prompt, openings

from refusal_parity.openings.strata import numbers, strata


def test_as_many_are_drawn_on_as_there_are_prompts_for() -> None:
    """Half a response a prompt on average, whatever the number of prompts that have draws."""
    draws = [("", False), ("1", True)]
    of_prompts = [of_prompt(draws, prompt) for prompt in "abc"] + [of_prompt([], "d")]
    told, propensity = (pl.concat(each) for each in zip(*of_prompts, strict=True))
    leaves = strata(openings(), told, propensity, longest=9, continued=0.25)
    assert set(leaves["prompt_id"]) == {"a", "b", "c"}
    assert leaves["expected"].sum() == pytest.approx(3 * 0.25)
    assert leaves.group_by("prompt_id").agg(pl.col("expected").sum())["expected"].to_list() == (
        pytest.approx([0.25] * 3)
    )


def test_leaves_are_those_of_the_prompt_s_fold_that_have_a_probability() -> None:
    """Of the tree of fold 2, and not of that of all responses or of another fold."""
    told, propensity = of_prompt([("", False)] * 2)
    other = (
        openings()
        .filter(fold=2)
        .with_columns(fold=pl.lit(1, openings().schema["fold"]), share=pl.lit(0.9))
    )
    # What counts is how often sampled responses open so, not what the model gives them.
    unlike = told.with_columns(probability=pl.lit(0.5))
    leaves = strata(pl.concat([other, openings()]), unlike, propensity, longest=9)
    assert leaves["chance"].to_list() == list(CHANCE.values())
    assert dict(leaves.select("opening", "share").iter_rows()) == {"1": 24 / 40, "2-5": 1.0}
    never = told.with_columns(
        probability_sampled=pl.when(pl.col("opening") == "1").then(0.0).otherwise(0.02)
    )
    left = strata(openings(), never, propensity, longest=9)
    assert left["opening"].to_list() == ["2-5"]
    assert left["expected"].to_list() == pytest.approx([0.5])


def test_numbers_are_as_many_as_expected_whatever_the_order() -> None:
    rows = pl.DataFrame(
        {
            "prompt_id": [f"p{at}" for at in range(4000)],
            "opening": ["7"] * 4000,
            "expected": [0.25, 1.75] * 2000,
        }
    )
    found = numbers(rows, seed=3)
    few, many = found[::2], found[1::2]
    assert set(few) == {0, 1}
    assert set(many) == {1, 2}
    assert abs(few.sum() - 500) < 4 * math.sqrt(2000 * 0.25 * 0.75)
    assert abs(many.sum() - 3500) < 4 * math.sqrt(2000 * 0.25 * 0.75)
    assert numbers(rows[::-1], seed=3).to_list() == found.to_list()[::-1]
    assert numbers(rows, seed=4).to_list() != found.to_list()
    # Each opening of a prompt has a chance of its own.
    other = numbers(rows.with_columns(opening=pl.lit("8")), seed=3)
    assert 0.3 < (other[::2] == few).mean() < 0.9
