"""Weighed rates corrected by people's labels: unbiased, whatever the machine gets wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from programs import program_of

from propensity_study import config_of
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.methods.design_based import design_based
from refusal_parity.statistics.propensity.corrected import corrected_rates
from refusal_parity.statistics.weighed_sample import unread
from refusal_parity.tables import HumanLabels, LeafHumanLabels, conform

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture(scope="module")
def program() -> ModuleType:
    """The program that measures coverage, which makes the studies up."""
    return program_of("corrected_weighed")


@pytest.mark.simulation
@pytest.mark.parametrize(
    ("machine", "sign"),
    [
        ("alarms after the opening, in one group", 1),
        ("alarms elsewhere, in one group", 1),
        ("refusals missed outside the tree, in one group", -1),
        ("refusals missed after the opening, in one group", -1),
    ],
)
def test_a_corrected_difference_has_no_bias_and_its_interval_holds(
    program: ModuleType, machine: str, sign: int
) -> None:
    """The machine alone takes the groups for different. Of many studies: the program."""
    found, none = program.simulate(program.MACHINES[machine], 30)
    assert none == 0
    table = np.array(found, dtype=float)
    mean, error = table.mean(axis=0), table.std(axis=0) / np.sqrt(len(found))
    by_machine, corrected, held, rate, rate_error, rate_held = range(6)
    assert sign * mean[by_machine] > 0.015
    assert abs(mean[corrected]) < 3.5 * error[corrected]
    assert abs(mean[rate]) < 3.5 * error[rate]
    assert mean[held] >= 0.83
    assert mean[rate_held] >= 0.9
    # The error is that for new names and templates too, and these ones' own rates are held here.
    assert table[:, rate].std() < mean[rate_error]


def test_with_every_label_it_is_the_truth(program: ModuleType) -> None:
    study = program.made_up(1, next(iter(program.MACHINES.values())))
    everything = study["drawn"].with_columns(
        label="truth",
        split=pl.lit(None, pl.String),
        inclusion_probability=pl.lit(1.0),
        stratum=pl.lit("s"),
        n_annotators=pl.lit(1),
    )
    given = pl.col("opening") != ""
    rows = program.sample_of(
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
    [found, _] = design_based(rows, "group", program.GROUPS, Outcome.REFUSAL, program.ANALYSIS)
    assert found.estimate == pytest.approx(rate[1] - rate[0], abs=1e-12)


@pytest.mark.parametrize("which", [0, 1])
def test_half_of_the_labels_correct_nothing(program: ModuleType, which: int) -> None:
    """Draws and responses to openings have errors of their own: both have to be read."""
    study = program.made_up(2, next(iter(program.MACHINES.values())), names=3)
    said: list[pl.DataFrame | None] = [None, None]
    said[which] = study["labelled"][which]
    rows = program.sample_of(study, *said)
    found = design_based(rows, "group", program.GROUPS, Outcome.REFUSAL, program.ANALYSIS)
    what = "responses that were given an opening of", "ordinary draws of"
    assert all(row.is_missing for row in found)
    assert f"people labelled none of the {what[which]} even" in str(found[0].note)
    note = corrected_rates(rows, program.ANALYSIS)["wronged"]["corrected_note"]
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


def corrected_in(
    study: dict[str, pl.DataFrame], rows: pl.DataFrame, arms: pl.Expr
) -> dict[str, Any]:
    """The corrected row of the table of disparities, of prompts in arms."""
    observations = study["prompts"].with_columns(
        sample=0, name="name_id", label=pl.lit("answer"), machine_label=pl.lit("answer"),
        truncated=False, filtered=False, exclusion=pl.lit(None, pl.String), words=3,
        log_odds=pl.lit(None, pl.Float64), weighed_rate="tree_rate",
        weighed_variance=pl.lit(1e-4), weighed_step=pl.lit(1 / 3), arm=arms,
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
    return row


def test_corrected_weighed_rates_stand_in_the_table_of_disparities(program: ModuleType) -> None:
    study = program.made_up(3, next(iter(program.MACHINES.values())))
    row = corrected_in(study, program.sample_of(study), pl.lit("plain"))
    assert (row["outcome"], row["group"]) == ("weighed_refusal", "wronged")
    assert row["family"] == "primary: weighed_refusal by group, design_based"
    assert row["n_group"] + row["n_reference"] == sum(map(len, study["labelled"]))
    assert row["adjusted_low"] <= row["estimate"] <= row["adjusted_high"]


@pytest.mark.parametrize(("lost", "tested"), [(["wronged"], False), (["wronged", "even"], True)])
def test_a_group_without_one_of_two_arms_is_not_compared_by_people_either(
    program: ModuleType, lost: list[str], *, tested: bool
) -> None:
    """Templates of two kinds, asked in either arm, of which one arm has the frequent refusals."""
    study = program.made_up(3, next(iter(program.MACHINES.values())))
    strict = pl.col("prompt_id").str.slice(-1).is_in(list("2589")) & pl.lit(value=True)
    raised = pl.when("strict").then(pl.col("tree_rate") + 0.5).otherwise("tree_rate")
    prompts = study["prompts"].with_columns(strict=strict).with_columns(tree_rate=raised)
    study["prompts"] = prompts.filter(~(pl.col("group").is_in(lost) & pl.col("strict")))
    arms = pl.when("strict").then(pl.lit("strict")).otherwise(pl.lit("plain"))
    row = corrected_in(study, program.sample_of(study), arms)
    assert (row["p_value"] is not None) == tested
    assert ("the pooled arms" in (row["note"] or "")) is not tested
