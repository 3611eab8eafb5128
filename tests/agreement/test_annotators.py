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
