"""Which labels of people correct differences: those of a probability sample, of this study."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import polars as pl
import pytest
from corrected_rows import config, labelled_study, people, rows

from refusal_parity.errors import InputError
from refusal_parity.statistics.answering.table import Evidence, findings
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.human_sample import MIN_LABELS, refuse_strangers
from refusal_parity.statistics.rates import rates as rates_table
from refusal_parity.tables import TABLES, empty

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def labelled(study: Callable[..., pl.DataFrame]) -> pl.DataFrame:
    return labelled_study(study)


def test_what_the_service_refused_is_known(labelled: pl.DataFrame) -> None:
    # 24 of 48 rows of y are filtered; people labelled others, as the machine did.
    filtered = (pl.col("group") == "y") & pl.col("name").is_in(["y0", "y1"])
    refused = pl.when(filtered).then(pl.lit("refusal"))
    observed = labelled.with_columns(
        *(refused.otherwise(pl.col(each)).alias(each) for each in ("label", "machine_label")),
        filtered=filtered,
    )
    asked = people(observed).join(
        observed.filter("filtered"), on=["model", "prompt_id", "sample"], how="anti"
    )
    row = rows(observed, asked)["design_based", "y"]
    share = observed.filter(pl.col("group") == "x").select(pl.col("label") == "refusal")
    open_ = observed.filter((pl.col("group") == "y") & ~pl.col("filtered"))
    rate = (24 + open_.filter(pl.col("label") == "refusal").height) / 48
    assert row["estimate"] == pytest.approx(rate - share.to_series().mean())
    assert (row["n_group"], row["n_reference"]) == (24, 48)


def test_a_level_that_the_service_refused_whole_needs_no_person(labelled: pl.DataFrame) -> None:
    filtered = pl.col("group") == "x"
    observed = labelled.with_columns(
        pl.when(filtered).then(pl.lit("refusal")).otherwise("label").alias("machine_label"),
        filtered=filtered,
    )
    asked = people(labelled).filter(pl.col("stratum") == "y x answer")
    row = rows(observed, asked)["design_based", "y"]
    refusals = labelled.filter(~filtered, pl.col("label") == "refusal").height
    assert row["estimate"] == pytest.approx(refusals / 48 - 1)
    assert (row["n_group"], row["n_reference"]) == (48, 0)
    assert row["p_value"] < 0.05


def test_every_row_labelled_needs_no_more(labelled: pl.DataFrame) -> None:
    few = labelled.filter(pl.col("sample") == 0)
    everybody = people(few).with_columns(inclusion_probability=pl.lit(1.0))
    row = rows(few, everybody)["design_based", "y"]
    assert everybody.height < 2 * MIN_LABELS
    assert row["estimate"] is not None


def test_imported_labels_have_nothing_to_correct(labelled: pl.DataFrame) -> None:
    imported = labelled.with_columns(machine_label=pl.lit(None, pl.String))
    row = rows(imported, people(labelled))["design_based", "y"]
    assert row["note"] == "not estimable: x has no machine label, y has no machine label"


def test_the_informative_set_and_the_undecided_are_no_sample(labelled: pl.DataFrame) -> None:
    human = people(labelled).with_columns(
        inclusion_probability=pl.when(pl.col("prompt_id").str.starts_with("y"))
        .then(None)
        .otherwise(pl.col("inclusion_probability"))
    )
    row = rows(labelled, human)["design_based", "y"]
    assert row["n_group"] == 0
    assert "more human labels needed in y" in row["note"]


def test_an_informative_set_alone_leaves_the_machine_s_finding(labelled: pl.DataFrame) -> None:
    alone = people(labelled).with_columns(inclusion_probability=pl.lit(None, pl.Float64))
    study = labelled.drop("machine_label").with_columns(machine_label="label")
    tests = disparities(study, config(), alone)
    given = {each.name: empty(TABLES[each.name].schema) for each in fields(Evidence)}
    rates = rates_table(study, config())
    row = findings(Evidence(**given | {"disparity": tests, "rates": rates}), config()).row(
        by_predicate=pl.col("group") == "y", named=True
    )
    assert row["verdict"] != "not_estimable"
    assert row["p_adjusted"] is not None
    assert row["method"] != "design_based"
    assert "20 more human labels needed in y" in row["uncorrected"]


@pytest.mark.parametrize("unsafe", ["x0", "y1"])
def test_labels_of_requests_that_are_set_apart_change_nothing(
    labelled: pl.DataFrame, unsafe: str
) -> None:
    # The sample is of all responses; differences of groups are of harmless requests alone.
    compared = labelled.filter(~pl.col("prompt_id").str.contains(unsafe))
    assert 0 < compared.height < labelled.height
    everybody = people(labelled)
    of_compared = everybody.join(compared, on=["model", "prompt_id", "sample"], how="semi")
    assert of_compared.height < everybody.height
    refuse_strangers(everybody, labelled)
    found = rows(compared, everybody)
    assert found == rows(compared, of_compared)
    assert found["design_based", "y"]["estimate"] is not None


def test_labels_of_another_study_are_refused(labelled: pl.DataFrame) -> None:
    stranger = people(labelled).with_columns(
        prompt_id=pl.when(pl.int_range(pl.len()) < 2)
        .then(pl.lit("?") + pl.col("prompt_id"))
        .otherwise("prompt_id")
    )
    with pytest.raises(InputError, match="2 human labels are of no response of this study"):
        refuse_strangers(stranger, labelled)
    # Labels of a further model are the business of that model's own job.
    refuse_strangers(stranger.with_columns(model=pl.lit("other")), labelled)
