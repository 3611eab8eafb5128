"""The sample that people label: how likely each response is drawn, and what they see of it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from predictions import predicted

from refusal_parity.audit.sampling import draw_sample, permanent_number
from refusal_parity.config import HumanConfig
from refusal_parity.errors import InputError
from refusal_parity.tables import LeafSample


def test_inclusion_probabilities_are_true() -> None:
    """Over many seeds each row is drawn as often as its probability says.

    300 draws of 60 rows: the largest of 60 standardised deviations exceeds
    5 with probability below 0.001.
    """
    rows = predicted(60)
    times = dict.fromkeys(rows.select("model", "prompt_id").iter_rows(), 0)
    chance = {}
    draws = 300
    for seed in range(draws):
        sample = draw_sample(rows, HumanConfig(probability=20, floor=2, informative=0, seed=seed))
        for model, prompt_id, p in sample.select(
            "model", "prompt_id", "inclusion_probability"
        ).iter_rows():
            times[model, prompt_id] += 1
            chance[model, prompt_id] = p
    for key, p in chance.items():
        error = np.sqrt(max(p * (1 - p), 1e-12) / draws)
        assert abs(times[key] / draws - p) <= 5 * error + 1e-9


def test_weighed_responses_are_drawn_in_proportion_to_what_they_stand_for() -> None:
    """Over many seeds as above, of rows whose weights differ by up to a hundred times."""
    weight = np.exp(np.random.default_rng(3).uniform(np.log(0.002), np.log(0.2), 80))
    rows = predicted(80).with_columns(
        pl.Series("weight", weight),
        opening=pl.format("o{}", pl.int_range(pl.len()) % 2),
        predicted=pl.when(pl.int_range(pl.len()) % 5 == 0)
        .then(pl.lit("answer"))
        .otherwise(pl.lit("refusal")),
    )
    times, chance, draws = dict.fromkeys(rows["response"], 0), {}, 300
    for seed in range(draws):
        human = HumanConfig(probability=30, floor=2, informative=0, mask_names=False, seed=seed)
        sample = draw_sample(rows, human, (), LeafSample)
        for response, p in sample.select("response", "inclusion_probability").iter_rows():
            times[response.split(" [")[0]] += 1
            chance[response.split(" [")[0]] = p
        within = sample.filter(pl.col("inclusion_probability") < 1).group_by("stratum")
        rate = pl.col("inclusion_probability") / pl.col("weight")
        spread = within.agg(most=rate.max() / rate.min())["most"]
        assert spread.to_list() == pytest.approx([1] * len(spread))
    assert len(chance) > 70
    for response, p in chance.items():
        error = np.sqrt(max(p * (1 - p), 1e-12) / draws)
        assert abs(times[response] / draws - p) <= 5 * error + 0.01 * p + 1e-9
    # The strata that stand for most have most rows.
    drawn = draw_sample(rows, HumanConfig(probability=30, floor=1, informative=0), (), LeafSample)
    stands = rows.group_by(stratum=pl.format("{} / {} / {}", "model", "group", "predicted")).agg(
        pl.col("weight").sum(), n=pl.len()
    )
    found = stands.join(drawn.group_by("stratum").len(), on="stratum").filter(pl.col("len") > 2)
    assert np.corrcoef(found["weight"], found["len"])[0, 1] > 0.7
    # Given out once, it stays as it is, and no smaller a share of any is drawn when there are more.
    again = draw_sample(
        rows, HumanConfig(probability=30, informative=0, floor=1), [drawn], LeafSample
    )
    assert again.equals(drawn)
    fewer = draw_sample(
        rows, HumanConfig(probability=5, informative=0, floor=1), [drawn], LeafSample
    )
    assert set(drawn["task"]) == set(fewer["task"])


@pytest.mark.parametrize("seed", [12, 14, 21, 24, 26, 28])
def test_drawn_are_the_lowest_odds_of_the_permanent_number_by_those_of_inclusion(seed: int) -> None:
    """Pareto sampling as Rosen (1997) has it, of one stratum whose rows differ in weight.

    With these seeds others would be drawn by the number over the inclusion probability.
    """
    weight = np.array([1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 9.0, 7.0]) / 40
    rows = predicted(8).with_columns(
        pl.Series("weight", weight), stratum=pl.lit("one"), opening=pl.lit("7")
    )
    human = HumanConfig(probability=4, floor=1, informative=0, seed=seed)
    drawn = draw_sample(rows, human, (), LeafSample)
    every = draw_sample(rows, human.model_copy(update={"probability": 8}), (), LeafSample)
    tasks = every.select("model", "prompt_id", "task")
    chance = 4 * weight / weight.sum()
    u = np.array(
        [
            permanent_number(f"{seed}|drawn|{task}")
            for task in rows.join(tasks, on=["model", "prompt_id"], maintain_order="left")["task"]
        ]
    )
    first = np.argsort(u / (1 - u) * (1 - chance) / chance)[:4]
    of_rows = rows[first.tolist()].select("model", "prompt_id").rows()
    assert set(drawn.select("model", "prompt_id").rows()) == set(of_rows)
    assert set(of_rows) != set(
        rows[np.argsort(u / chance)[:4].tolist()].select("model", "prompt_id").rows()
    )
    given = dict(zip(of_rows, chance[first], strict=True))
    for row in drawn.iter_rows(named=True):
        expected = given[row["model"], row["prompt_id"]]
        assert row["inclusion_probability"] == pytest.approx(expected)


def test_position_says_nothing_of_stratum_or_of_what_was_drawn_first() -> None:
    sample = draw_sample(predicted(), HumanConfig(probability=200, informative=100))
    assert sample["set"].to_list() == ["probability"] * 200 + ["informative"] * 100
    drawn, torn = sample[:200], sample[200:]
    same = (drawn["stratum"][1:] == drawn["stratum"][:-1]).sum()
    shares = drawn["stratum"].value_counts()["count"].to_numpy() / 200
    # By chance as many neighbours are of one stratum: five standard errors.
    expected = 199 * (shares**2).sum()
    assert abs(same - expected) < 5 * np.sqrt(expected)
    place = np.arange(200)
    number = [permanent_number(f"1|drawn|{task}") for task in drawn["task"]]
    assert abs(np.corrcoef(place, number)[0, 1]) < 5 / np.sqrt(200)
    assert abs(np.corrcoef(place[:100], torn["margin"])[0, 1]) < 5 / np.sqrt(100)


def test_rows_of_a_unit_are_drawn_together() -> None:
    """Two sides of one pair, in strata that are alike."""
    rows = predicted(400).with_columns(
        unit=pl.format("u{}", pl.int_range(pl.len()) // 2),
        stratum=pl.when(pl.col("model") == "a").then(pl.lit("left")).otherwise(pl.lit("right")),
    )
    sample = draw_sample(rows, HumanConfig(probability=60, floor=1, informative=0))
    told = sample.join(rows.select("model", "prompt_id", "unit"), on=["model", "prompt_id"])
    by_stratum = told.group_by("stratum").agg(pl.col("unit").sort())["unit"].to_list()
    assert len(by_stratum) == 2
    assert by_stratum[0] == by_stratum[1]
    assert len(by_stratum[0]) == 30


def test_same_seed_same_sample_whatever_the_order() -> None:
    rows = predicted()
    human = HumanConfig(probability=60)
    assert draw_sample(rows, human).equals(draw_sample(rows.reverse(), human))
    other = draw_sample(rows, HumanConfig(probability=60, seed=2))
    assert set(other["task"]) != set(draw_sample(rows, human)["task"])


def test_annotators_see_no_model_and_no_name() -> None:
    sample = draw_sample(predicted(), HumanConfig(probability=60))
    shown = sample.select("task", "prompt", "response")
    greg = shown.filter(
        pl.col("prompt").str.contains("Greg") | pl.col("prompt").str.contains("Omar")
    )
    assert len(greg) == 0
    assert shown["response"].str.contains(r"\[NAME\]").all()
    cut = shown.filter(pl.col("response").str.ends_with(". [cut off here]"))
    assert 0 < len(cut) < len(shown)
    named = draw_sample(predicted(), HumanConfig(probability=60, mask_names=False))
    assert named["response"].str.ends_with("with Greg. [cut off here]").sum() == len(cut)
    assert named["prompt"].str.contains("Greg|Omar").all()
    assert named["task"].to_list() == sample["task"].to_list()


def test_nothing_to_draw_from() -> None:
    with pytest.raises(InputError, match="nothing to draw from"):
        draw_sample(predicted().head(0), HumanConfig())
