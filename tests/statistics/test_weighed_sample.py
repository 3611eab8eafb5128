"""Weighed rates corrected by people's labels: unbiased, whatever the machine gets wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from propensity_study import config_of
from refusal_parity.audit.sampling import draw_sample
from refusal_parity.config import HumanConfig
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.methods.design_based import design_based
from refusal_parity.statistics.propensity.corrected import corrected_rates
from refusal_parity.statistics.weighed_sample import unread, weighed_sample
from refusal_parity.tables import (
    PROBABILITY_COLUMNS,
    AuditSample,
    HumanLabels,
    LeafHumanLabels,
    LeafSample,
    WeighedResponses,
    conform,
)

NAMES, TEMPLATES, DRAWN = 8, 14, 3
GROUPS = ("even", "wronged")
LEAF, OUTSIDE = 0.5, 0.01
"""How often a response refuses that opens with the leaf, and one that does not."""

ANALYSIS = config_of(outcomes=["refusal", "weighed_refusal"]).analysis


def made_up(seed: int, names: int = NAMES) -> dict[str, Any]:
    """A study of two groups that are treated alike; the machine takes one's answers for refusals.

    After the leaf it calls each second answer to the second group a refusal; elsewhere it
    misses half of all refusals.
    """
    random = np.random.default_rng(seed)
    cells = [
        (group, f"{group}{n}", f"t{t}", random.lognormal(-2.5 + 0.4 * (t % 3), 0.4))
        for group in GROUPS
        for n in range(names)
        for t in range(TEMPLATES)
    ]
    # What the tree says elsewhere is off, and by a fifth.
    prompts = pl.DataFrame(
        {
            "model": "even",
            "prompt_id": [f"{name}~{template}" for _, name, template, _ in cells],
            "name_id": [name for _, name, *_ in cells],
            "template_id": [template for *_, template, _ in cells],
            "text_id": [template for *_, template, _ in cells],
            "group": [group for group, *_ in cells],
            "chance": np.minimum([chance for *_, chance in cells], 0.6),
        }
    ).with_columns(tree_rate=pl.col("chance") * 0.4)
    rows = []
    each = 0.75 / prompts["chance"].mean()
    for prompt_id, chance in prompts.select("prompt_id", "chance").iter_rows():
        expected = each * chance
        weight = chance / (DRAWN * chance + expected)
        opens = random.random(DRAWN) < chance
        rows += [
            (prompt_id, "", at, "7" if inside else "", weight if inside else 1 / DRAWN)
            for at, inside in enumerate(opens)
        ]
        given = int(expected + random.random())
        rows += [(prompt_id, "7", at, "7", weight) for at in range(given)]
    drawn = pl.DataFrame(
        rows, schema=["prompt_id", "opening", "sample", "leaf", "weight"], orient="row"
    ).join(prompts, on="prompt_id", maintain_order="left")
    inside, wronged = drawn["leaf"] == "7", drawn["group"] == "wronged"
    truth = random.random(len(drawn)) < np.where(inside, LEAF, OUTSIDE)
    coin = random.random(len(drawn)) < 0.5
    machine = np.where(inside, truth | (wronged.to_numpy() & coin), truth & coin)
    words = {True: "refusal", False: "answer"}
    drawn = drawn.with_columns(
        machine_label=pl.Series([words[bool(one)] for one in machine]),
        truth=pl.Series([words[bool(one)] for one in truth]),
        share=pl.when(pl.col("leaf") == "7").then(0.4).otherwise(0.0),
    )
    return {"prompts": prompts, "drawn": drawn, "labelled": labelled(drawn, seed)}


def labelled(drawn: pl.DataFrame, seed: int) -> list[pl.DataFrame]:
    """Tables of HumanLabels and LeafHumanLabels: people see what is true."""
    said = []
    for given, size, sampled, schema in (
        (False, 250, AuditSample, HumanLabels),
        (True, 100, LeafSample, LeafHumanLabels),
    ):
        frame = drawn.filter((pl.col("opening") != "") == given).with_columns(
            predicted="machine_label",
            response_id=pl.format("{}{}{}", "prompt_id", "opening", "sample"),
            response=pl.lit("text"),
            prompt=pl.lit("prompt"),
            name="name_id",
            truncated=pl.lit(value=False),
            unsure=pl.lit(value=False),
            **{column: pl.lit(0.1) for column in PROBABILITY_COLUMNS},
        )
        human = HumanConfig(probability=size, floor=2, informative=0, mask_names=False, seed=seed)
        sample = draw_sample(
            frame if given else frame.drop("weight", "opening"), human, (), sampled
        )
        key = ["model", "prompt_id", "sample", *(["opening"] if given else [])]
        told = sample.join(
            frame.select(*key, label="truth").cast({"sample": pl.Int32}), on=key
        ).with_columns(split=pl.lit(None, pl.String), n_annotators=pl.lit(1))
        said.append(conform(told, schema, where="people"))
    return said


def sample_of(study: dict[str, Any], *said: pl.DataFrame | None) -> pl.DataFrame:
    responses = conform(study["drawn"], WeighedResponses, where="test")
    return weighed_sample(study["prompts"], responses, *(said or study["labelled"]))


def test_a_corrected_difference_has_no_bias_and_its_interval_holds() -> None:
    """100 studies; the machine alone takes the groups for different."""
    studies, estimates, machine, held, rates = 100, [], [], 0, []
    for seed in range(studies):
        study = made_up(seed)
        rows = sample_of(study)
        [found, _] = design_based(rows, "group", GROUPS, Outcome.REFUSAL, ANALYSIS)
        assert found.estimate is not None, found.note
        estimates.append(found.estimate)
        held += found.ci_low <= 0 <= found.ci_high
        refuses = (pl.col("machine_label") == "refusal").cast(pl.Float64)
        by_machine = (
            rows.group_by("group")
            .agg(
                (
                    (pl.col("fixed") + pl.col("worth") * refuses).sum() / pl.col("prompts").sum()
                ).alias("rate")
            )
            .sort("group")["rate"]
        )
        machine.append(by_machine[1] - by_machine[0])
        true = (study["prompts"]["chance"] * (LEAF - OUTSIDE)).mean() + OUTSIDE
        levels = corrected_rates(rows.with_columns(group=pl.lit("all")), ANALYSIS)
        rates.append((levels["all"]["corrected_rate"] - true, levels["all"]["corrected_error"]))
    error = np.std(estimates) / np.sqrt(studies)
    assert abs(np.mean(estimates)) < 3.5 * error
    assert np.mean(machine) > 0.02 > 8 * error
    assert held >= 0.88 * studies
    off = np.array([each for each, _ in rates])
    assert abs(off.mean()) < 3.5 * off.std() / np.sqrt(studies)
    # The error is that for new names and templates too, and these ones' own rates are held here.
    assert off.std() < np.mean([each for _, each in rates])


def test_with_every_label_it_is_the_truth() -> None:
    study = made_up(1)
    everything = study["drawn"].with_columns(
        label="truth",
        split=pl.lit(None, pl.String),
        inclusion_probability=pl.lit(1.0),
        stratum=pl.lit("s"),
        n_annotators=pl.lit(1),
    )
    given = pl.col("opening") != ""
    rows = sample_of(
        study,
        conform(everything.filter(~given), HumanLabels, where="people"),
        conform(everything.filter(given), LeafHumanLabels, where="people"),
    )
    refuses = (pl.col("truth") == "refusal").cast(pl.Float64)
    rate = (
        study["drawn"]
        .with_columns(more=pl.col("weight") * (refuses - pl.col("share")))
        .group_by("group", "prompt_id", "tree_rate")
        .agg(pl.col("more").sum())
        .group_by("group")
        .agg(rate=(pl.col("tree_rate") + pl.col("more")).mean())
        .sort("group")["rate"]
    )
    [found, _] = design_based(rows, "group", GROUPS, Outcome.REFUSAL, ANALYSIS)
    assert found.estimate == pytest.approx(rate[1] - rate[0], abs=1e-12)


@pytest.mark.parametrize("which", [0, 1])
def test_half_of_the_labels_correct_nothing(which: int) -> None:
    """Draws and responses to openings have errors of their own: both have to be read."""
    study = made_up(2, names=3)
    said: list[pl.DataFrame | None] = [None, None]
    said[which] = study["labelled"][which]
    rows = sample_of(study, *said)
    found = design_based(rows, "group", GROUPS, Outcome.REFUSAL, ANALYSIS)
    what = "responses that were given an opening of", "ordinary draws of"
    assert all(row.is_missing for row in found)
    assert f"people labelled none of the {what[which]} even" in str(found[0].note)
    note = corrected_rates(rows, ANALYSIS)["wronged"]["corrected_note"]
    assert note == f"people labelled none of the {what[which]} wronged"


@pytest.mark.parametrize(
    ("openings", "human", "note"),
    [
        # Ordinary draws, of which one was read; a level without responses to openings lacks none.
        (["", ""], [None, 1.0], None),
        (["", ""], [None, None], "people labelled none of the ordinary draws of y"),
        (["7", "7"], [1.0, None], None),
        (
            ["", "7", "7"],
            [0.0, None, None],
            "people labelled none of the responses that were given an opening of y",
        ),
        (["", "7"], [0.0, 0.5], None),
    ],
)
def test_what_nobody_read_of_a_level(
    openings: list[str], human: list[float | None], note: str | None
) -> None:
    rows = pl.DataFrame(
        {"opening": openings, "human": human}, schema_overrides={"human": pl.Float64}
    )
    assert unread(rows, "y") == note
    assert unread(rows.drop("opening"), "y") is None


def test_corrected_weighed_rates_stand_in_the_table_of_disparities() -> None:
    study = made_up(3)
    rows = sample_of(study)
    observations = study["prompts"].with_columns(
        sample=0, name="name_id", label=pl.lit("answer"), machine_label=pl.lit("answer"),
        truncated=False, filtered=False, exclusion=pl.lit(None, pl.String), words=3,
        log_odds=pl.lit(None, pl.Float64), weighed_rate="tree_rate",
        weighed_variance=pl.lit(1e-4), weighed_step=pl.lit(1 / 3),
    )  # fmt: skip
    analysis = config_of(
        outcomes=["refusal", "weighed_refusal"],
        dimensions={"group": {"reference": "even"}},
        primary_family={"outcome": "weighed_refusal", "dimension": "group"},
    ).analysis
    found = disparities(observations, analysis, weighed=rows).filter(
        pl.col("method").cast(pl.String) == "design_based"
    )
    [row] = found.to_dicts()
    assert (row["outcome"], row["group"]) == ("weighed_refusal", "wronged")
    assert row["family"] == "primary: weighed_refusal by group, design_based"
    assert row["n_group"] + row["n_reference"] == sum(map(len, study["labelled"]))
    assert row["adjusted_low"] <= row["estimate"] <= row["adjusted_high"]
