"""Annotators against each other, and all of them together."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from rated_responses import measured, only, rows

from refusal_parity.agreement.coefficients import gwet_ac1
from refusal_parity.agreement.pairs import drawn_times
from refusal_parity.agreement.ratings import Ratings
from refusal_parity.agreement.table import measure_agreement
from refusal_parity.audit.votes import unnamed
from refusal_parity.config import AnalysisConfig


def test_annotators() -> None:
    frame = rows({"white": 0.2, "muslim": 0.2})
    key = ["model", "prompt_id", pl.col("sample").cast(pl.String), "template_id", "name_id"]
    votes = pl.concat(
        [
            frame.select(*key, annotator=pl.lit("anna"), label="imported"),
            frame.select(*key, annotator=pl.lit("ben"), label="classifier")[:100],
            frame.select(*key, annotator=pl.lit("cleo"), label="keyword")[50:150],
            frame.select(*key, annotator=pl.lit(unnamed(1)), label="keyword")[150:160],
        ]
    )
    table = measured(frame, votes).filter(pl.col("model") == "all")
    ben = only(table, rater="ben", yardstick="anna", coefficient="agreement")
    agreed = (frame["imported"] == frame["classifier"])[:100].mean()
    assert (ben["n"], ben["estimate"]) == (100, pytest.approx(agreed))
    together = only(table, rater="all annotators", coefficient="krippendorff_alpha")
    assert together["n"] == 160
    # Somebody without a name may be another person in each row: no rater to compare.
    assert not set(table["rater"]) & {unnamed(1)}
    assert not set(table["yardstick"]) & {unnamed(1)}
    assert together["ci_low"] <= together["estimate"] <= together["ci_high"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("human", "peter"),
        ("sample", "name_id"),
        ("keyword", "classifier"),
        ("anna", "annotator anna"),
    ],
)
def test_annotators_called_like_something_else(one: str, other: str) -> None:
    frame = rows({"white": 0.3, "muslim": 0.2})[:120]
    key = ["model", "prompt_id", pl.col("sample").cast(pl.String), "template_id", "name_id"]

    def table(names: tuple[str, str]) -> pl.DataFrame:
        votes = pl.concat(
            frame.select(*key, annotator=pl.lit(who), label=column)
            for who, column in zip(names, ("imported", "classifier"), strict=True)
        )
        return measured(frame, votes).filter(pl.col("model") == "all")

    found, plain = table((one, other)), table(("ann", "bob"))
    assert {one, other} <= {*found["rater"], *found["yardstick"]}
    named = ["rater", "yardstick"]
    assert found.drop(named).sort(pl.all()).equals(plain.drop(named).sort(pl.all()))


def test_classes_of_two_people_hang_on_neither_name() -> None:
    """One of them never speaks of partial refusals, whoever comes first."""
    frame = rows({"white": 0.3, "muslim": 0.2})[:60]
    key = ["model", "prompt_id", pl.col("sample").cast(pl.String), "template_id", "name_id"]
    labels = {"six": ["refusal", "answer"] * 30, "seven": ["partial_refusal", "answer"] * 30}
    found = []
    for six, seven in (("a", "b"), ("b", "a")):
        votes = pl.concat(
            frame.select(*key, annotator=pl.lit(who), label=pl.Series(labels[kind]))
            for who, kind in ((six, "six"), (seven, "seven"))
        )
        table = measured(frame, votes).filter(pl.col("rater") == "b")
        assert "seven_classes" not in set(table["over"])
        classes = table.filter(over="six_classes", coefficient="cohen_kappa")
        found += classes["estimate"].to_list()
    assert found == pytest.approx([found[0]] * 2)


def test_where_nothing_is_labelled_twice_that_is_the_reason() -> None:
    frame = rows({"white": 0.3, "muslim": 0.2})[:60]
    key = ["model", "prompt_id", pl.col("sample").cast(pl.String), "template_id", "name_id"]
    votes = pl.concat(
        part.select(*key, annotator=pl.lit(who), label="imported")
        for who, part in (("a", frame[:30]), ("b", frame[30:]))
    )
    together = only(measured(frame, votes), rater="all annotators", coefficient="gwet_ac1")
    assert (together["n"], together["estimate"]) == (0, None)
    assert together["note"] == "not defined: no response has labels of two people"


def test_the_interval_of_all_annotators_is_that_of_ratings_drawn_anew() -> None:
    frame = rows({"white": 0.3, "muslim": 0.2})[:150]
    key = ["model", "prompt_id", pl.col("sample").cast(pl.String), "template_id", "name_id"]
    votes = pl.concat(
        frame.select(*key, annotator=pl.lit(who), label=column)
        for who, column in (("anna", "imported"), ("ben", "classifier"))
    )
    analysis = AnalysisConfig.model_validate({"alpha": 0.2})
    table = measure_agreement(Ratings(rows=frame, votes=votes), analysis)
    row = only(table, rater="all annotators", coefficient="gwet_ac1")
    ratings = np.column_stack(
        [
            (frame[each] == "refusal").cast(pl.Float64).to_numpy()
            for each in ("imported", "classifier")
        ]
    )
    times = drawn_times(frame["name_id"], frame["template_id"], 200, analysis.seed)
    assert times is not None
    drawn = [gwet_ac1(np.repeat(ratings, each, axis=0), 2) for each in times]
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(tuple(np.quantile(drawn, [0.1, 0.9])))
    assert row["estimate"] == pytest.approx(gwet_ac1(ratings, 2))
    # Of all classes there are six: nobody called anything a partial refusal.
    six = only(table, rater="all annotators", coefficient="gwet_ac1", over="six_classes")
    assert six["estimate"] == pytest.approx(gwet_ac1(ratings, 6))
