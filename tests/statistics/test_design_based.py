"""Differences corrected by human labels, as rows of the table, and where they give up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from corrected_rows import MIXED, config, labelled_study, people, rows

from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.designs.counts import build_designs
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.human_sample import MIN_LABELS, with_human_labels
from refusal_parity.statistics.variances.level_means import contrast, level_means
from refusal_parity.text import minus
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@pytest.fixture
def labelled(study: Callable[..., pl.DataFrame]) -> pl.DataFrame:
    return labelled_study(study)


def test_rows_of_the_table(labelled: pl.DataFrame) -> None:
    found = rows(labelled, people(labelled))
    row = found["design_based", "y"]
    assert row["estimate"] == pytest.approx(6 / 48 - 1 / 24, abs=0.1)
    assert row["ci_low"] < row["estimate"] < row["ci_high"]
    assert row["scope"] == "new templates and new names"
    assert (row["n_group"], row["n_reference"]) == (48, 48)
    assert row["family"] == "primary: refusal by group, design_based"
    assert found["design_based_equivalence", "y"]["p_value"] > 0.05


SPLIT_AT = (3, 8, 21)
"""Rows of group y on which two people differ, whom the machine reads as answers."""


def split_at(human: pl.DataFrame, places: Sequence[int], votes: str) -> pl.DataFrame:
    at = pl.int_range(pl.len()).over(pl.col("stratum"))
    is_split = (pl.col("stratum") == "y x answer") & at.is_in(places)
    return human.with_columns(
        label=pl.when(~is_split).then("label"), split=pl.when(is_split).then(pl.lit(votes))
    )


@pytest.mark.parametrize(
    ("votes", "share"),
    [
        ("answer / refusal", 1 / 2),
        ("answer / failure / refusal", 1 / 3),
        ("partial_refusal / refusal", 1.0),
        ("answer / failure", 0.0),
    ],
)
def test_votes_without_a_majority_count_by_their_share(
    labelled: pl.DataFrame, votes: str, share: float
) -> None:
    every = people(labelled)
    human = split_at(every, SPLIT_AT, votes)
    hits = human.filter(pl.col("stratum") == "y x answer")["label"].is_in(["refusal"]).sum()
    others = every.filter(pl.col("stratum") == "x x answer")["label"].is_in(["refusal"]).mean()
    row = rows(labelled, human)["design_based", "y"]
    # All rows were drawn with one probability, so that the corrected rate is people's own.
    assert row["estimate"] == pytest.approx((hits + 3 * share) / 48 - others)
    assert row["n_group"] == 48
    if not 0 < share < 1:
        assert "split" not in (row["note"] or "")
        return
    low, high = (100 * ((hits + 3 * each) / 48 - others) for each in (0, 1))
    assert (
        "people give no one label to 3 of y, which count by the share of their votes" in row["note"]
    )
    first, second = (minus(f"{end:+.1f}") for end in (low, high))
    assert f"difference is {first} points, all the other way {second}" in row["note"]


def test_each_label_weighs_what_its_inclusion_probability_says(
    labelled: pl.DataFrame,
) -> None:
    """Against Horvitz and Thompson's and Hajek's estimates, written out row by row."""
    wrong = pl.int_range(pl.len()) % 5 == 0
    observed = labelled.with_columns(
        machine_label=pl.when(wrong)
        .then(
            pl.when(pl.col("label") == "refusal")
            .then(pl.lit("answer"))
            .otherwise(pl.lit("refusal"))
        )
        .otherwise("label")
    )
    chances = {
        "x0": 0.1,
        "x1": 1.0,
        "x2": 0.4,
        "x3": 0.8,
        "y0": 0.9,
        "y1": 0.2,
        "y2": 0.5,
        "y3": 0.7,
    }
    sample = people(observed).with_columns(
        inclusion_probability=pl.col("prompt_id").str.slice(0, 2).replace_strict(chances)
    )
    weights = dict(
        with_human_labels(observed, sample)
        .select(pl.col("name").alias("name"), "weight")
        .iter_rows()
    )
    assert weights == {name: pytest.approx(1 / chance) for name, chance in chances.items()}
    rates = {}
    for group in "xy":
        part = observed.filter(group=group)
        f = [float(label == "refusal") for label in part["machine_label"]]
        y = [float(label == "refusal") for label in part["label"]]
        w = [1 / chances[name] for name in part["name"]]
        v = [each * (each - 1) for each in w]
        mean_f, mean_y = (sum(a * b for a, b in zip(v, of, strict=True)) / sum(v) for of in (f, y))
        slope = sum(a * (b - mean_f) * (c - mean_y) for a, b, c in zip(v, f, y, strict=True)) / sum(
            a * (b - mean_f) ** 2 for a, b in zip(v, f, strict=True)
        )
        slope = min(max(slope, 0), 1)
        error = sum(a * (c - slope * b) for a, b, c in zip(w, f, y, strict=True)) / sum(w)
        rates[group] = slope * sum(f) / len(f) + error
    found = rows(observed, sample)["design_based", "y"]
    assert found["estimate"] == pytest.approx(rates["y"] - rates["x"], rel=1e-10)
    alike = sample.with_columns(inclusion_probability=pl.lit(0.5))
    assert rows(observed, alike)["design_based", "y"]["estimate"] != pytest.approx(
        found["estimate"], abs=1e-3
    )


def test_the_error_has_that_of_a_sample_in_which_nobody_disagrees(labelled: pl.DataFrame) -> None:
    """People say what the machine says: what is left is its own error, and what is smoothed."""
    human = people(labelled).gather_every(2)
    found = rows(labelled, human)["design_based", "y"]
    design = build_designs(labelled, "group", ["x", "y"], [Outcome.REFUSAL])[Outcome.REFUSAL]
    plain = contrast(level_means(design), np.array([-1.0, 1.0]), Scope.NEW_NAMES_AND_TEMPLATES)
    assert plain is not None
    key = ["model", "prompt_id", "sample"]
    drawn = labelled.join(human.select(key), on=key, how="semi")
    extra = 0.0
    for group in "xy":
        every, sample = (each.filter(group=group) for each in (labelled, drawn))
        # Weights of 2, scaled to the level's rows.
        weight = every.height / sample.height
        for says in (True, False):
            alike = [
                part.filter((pl.col("label") == "refusal") == says).height
                for part in (sample, drawn)
            ]
            # Half a disagreement among all that the machine calls so, and none of its own.
            share = 0.5 / (alike[1] + 1) / 2
            extra += share * (1 - share) * alike[0] * weight * (weight - 1) / every.height**2
    assert extra > 0
    assert found["estimate"] == pytest.approx(plain.estimate)
    assert found["std_error"] ** 2 == pytest.approx(plain.std_error**2 + extra)


def test_small_is_what_lies_within_the_margin_of_the_study(labelled: pl.DataFrame) -> None:
    """The interval at 1 - 2 alpha lies within the margin exactly where p is below alpha."""
    human = people(labelled).gather_every(2)
    ends = rows(labelled, human)["design_based_equivalence", "y"]
    reach = max(abs(ends["ci_low"]), abs(ends["ci_high"]))
    for margin, small in ((1.01 * reach, True), (0.99 * reach, False)):
        asked = config().model_copy(update={"margin": margin})
        [row] = (
            disparities(labelled, asked, human)
            .filter(group="y", method="design_based_equivalence")
            .to_dicts()
        )
        assert (row["ci_low"], row["ci_high"]) == (ends["ci_low"], ends["ci_high"])
        assert (row["p_value"] < asked.alpha) is small


def test_no_human_labels_no_rows(labelled: pl.DataFrame) -> None:
    methods = disparities(labelled, config())["method"].cast(pl.String)
    assert not methods.str.starts_with("design_based").any()


def test_says_how_many_labels_are_wanted(labelled: pl.DataFrame) -> None:
    few = people(labelled).filter(
        (pl.col("stratum") == "x x answer") | pl.col("prompt_id").str.starts_with("y1")
    )
    row = rows(labelled, few)["design_based", "y"]
    assert row["estimate"] is None
    assert row["ci_low"] is None
    have = few.filter(stratum="y x answer").height
    assert f"not estimable: {MIN_LABELS - have} more human labels needed in y" in row["note"]


@pytest.mark.parametrize("letter", ["a", "r"], ids=["no event", "events only"])
def test_an_arm_without_variation_is_not_estimable(
    study: Callable[..., pl.DataFrame], letter: str
) -> None:
    # The textbook formula would give an interval of width zero.
    same = {f"y{at}": [letter * 3] * 4 for at in range(4)}
    observations = study({"x": {f"x{at}": MIXED for at in range(4)}, "y": same})
    observations = observations.with_columns(machine_label="label")
    row = rows(observations, people(observations).gather_every(2))["design_based", "y"]
    assert row["ci_low"] is None
    assert "more human labels needed in y" in row["note"]
