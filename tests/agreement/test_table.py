"""The agreement table: coefficients, errors by group, and who is compared with whom."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from rated_responses import NO_VOTES, measured, only, rows

from refusal_parity.agreement.errors import difference_of_errors
from refusal_parity.agreement.pairs import Pair
from refusal_parity.agreement.ratings import Ratings
from refusal_parity.agreement.sentences import agreement_sentences
from refusal_parity.agreement.table import measure_agreement
from refusal_parity.config import AnalysisConfig


def test_errors_are_counted_by_group() -> None:
    frame = rows({"white": 0.0, "muslim": 0.3, "mexican": 0.1})
    table = measured(frame)
    for group in ("white", "muslim", "mexican"):
        of_group = frame.filter(pl.col("imported") == "refusal", pl.col("group") == group)
        row = only(
            table, rater="classifier", dimension="group", group=group,
            coefficient="missed_refusal_rate",
        )  # fmt: skip
        wrong = of_group.filter(pl.col("classifier") != "refusal")
        assert (row["n_of"], row["wrong"]) == (80, len(wrong))
        assert row["estimate"] == pytest.approx(len(wrong) / 80)
        if len(wrong):
            assert row["ci_low"] <= row["estimate"] <= row["ci_high"]
    spread = only(table, rater="classifier", dimension="group", coefficient="missed_refusal_spread")
    assert spread["p_value"] < 0.01
    none = only(table, rater="keyword", dimension="group", coefficient="missed_refusal_spread")
    assert (none["wrong"], none["p_value"], none["note"]) == (0, None, "no error to compare")
    false = only(table, rater="classifier", coefficient="false_refusal_rate")
    assert (false["n_of"], false["wrong"], false["estimate"]) == (240, 0, 0.0)


def test_test_of_differential_error_holds_its_level() -> None:
    """Equal error in all groups: 5 % of 200 tests, 2 to 18 with probability above 0.99."""
    found = 0
    for seed in range(200):
        frame = rows({"white": 0.2, "muslim": 0.2, "mexican": 0.2}, seed)
        pair = Pair.of(frame, "classifier", "imported", weighted=False).over("refusal_or_not")
        level = np.array([["white", "muslim", "mexican"].index(each) for each in frame["group"]])
        risk = pair.truth == 1
        tested = difference_of_errors(
            pair.keep(risk), level[risk], ["white", "muslim", "mexican"], 0.05
        )
        assert tested.p_value is not None
        found += tested.p_value < 0.05
    assert 2 <= found <= 22


def test_people_weigh_by_how_likely_they_were_drawn() -> None:
    frame = rows({"white": 0.0, "muslim": 0.5}).with_columns(imported=pl.lit(None, pl.String))
    truth = (
        pl.when(pl.col("keyword") == "refusal").then(pl.lit("refusal")).otherwise(pl.lit("answer"))
    )
    missed = pl.col("classifier") != truth
    sampled = frame.with_columns(
        human=truth, inclusion_probability=pl.when(missed).then(1.0).otherwise(0.25)
    ).filter(missed | (pl.int_range(pl.len()) % 4 == 0))
    row = only(
        measured(sampled), rater="classifier", yardstick="human", coefficient="missed_refusal_rate"
    )
    weight = 1 / sampled["inclusion_probability"].to_numpy()
    refused = (sampled["human"] == "refusal").to_numpy()
    wrong = (sampled["classifier"] != "refusal").to_numpy()
    assert row["weighted"]
    assert row["estimate"] == pytest.approx(weight[refused & wrong].sum() / weight[refused].sum())
    alpha = only(
        measured(sampled), rater="classifier", yardstick="human",
        coefficient="krippendorff_alpha",
    )  # fmt: skip
    assert alpha["estimate"] is None
    assert "weighted" in alpha["note"]


def test_the_informative_set_is_no_yardstick() -> None:
    frame = rows({"white": 0.1, "muslim": 0.1}).with_columns(human=pl.lit("answer"))
    assert set(measured(frame)["yardstick"]) == {"imported"}


def test_without_people_the_classifier_is_the_yardstick() -> None:
    frame = rows({"white": 0.1, "muslim": 0.1}).with_columns(imported=pl.lit(None, pl.String))
    table = measured(frame)
    assert set(table.select("rater", "yardstick").iter_rows()) == {("keyword", "classifier")}
    assert "six_classes" not in table["over"]


def test_intervals_are_quantiles_over_clusters_drawn_anew() -> None:
    """At 80 %: of agreement, and of missed refusals among the refusals that are drawn."""
    frame = rows({"white": 0.2, "muslim": 0.4})
    analysis = AnalysisConfig.model_validate({"alpha": 0.2})
    table = measure_agreement(Ratings(rows=frame, votes=NO_VOTES), analysis)
    pair = Pair.of(frame, "classifier", "imported", weighted=False).over("refusal_or_not")
    draws = [
        part.drawn_confusions(2, np.random.default_rng(analysis.seed))
        for part in (pair, pair.keep(pair.truth == 1))
    ]
    for drawn, wrong in zip(draws, (False, True), strict=True):
        assert drawn is not None
        told = drawn[:, 1, 0] if wrong else np.trace(drawn, axis1=1, axis2=2)
        ends = np.quantile(told / drawn.sum(axis=(1, 2)), [0.1, 0.9])
        coefficient = "missed_refusal_rate" if wrong else "agreement"
        row = only(table, rater="classifier", coefficient=coefficient)
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(tuple(ends))


def test_who_is_compared_with_whom() -> None:
    """People are the yardstick of machines, beside imported labels; else the classifier is."""
    frame = rows({"white": 0.1, "muslim": 0.1})
    people = frame.with_columns(human=pl.lit("answer"), inclusion_probability=pl.lit(0.5))
    imported = {("classifier", "imported"), ("keyword", "imported")}
    of_people = {("imported", "human"), ("classifier", "human"), ("keyword", "human")}
    judged = frame.with_columns(judge=pl.lit("answer"), imported=pl.lit(None, pl.String))
    by_machine = {("judge", "classifier"), ("keyword", "classifier")}
    for given, expected in (
        (frame, imported),
        (people, imported | of_people),
        (judged, by_machine),
    ):
        assert set(measured(given).select("rater", "yardstick").iter_rows()) == expected
    weighted = measured(people).filter(pl.col("weighted"))
    assert set(weighted["yardstick"]) == {"human"}


def test_rows_of_a_dimension_are_of_all_its_levels_and_the_reference_first() -> None:
    frame = rows({"mexican": 0.1, "muslim": 0.3, "white": 0.2}).with_columns(
        # Of some names nobody knows the gender, and there the classifier misses everything.
        gender=pl.col("name_id")
        .str.slice(-1)
        .replace_strict(
            {"0": None, "1": "male", "2": "male"}, default="female", return_dtype=pl.String
        )
    )
    unknown = pl.col("gender").is_null()
    frame = frame.with_columns(
        classifier=pl.when(unknown).then(pl.lit("answer")).otherwise("classifier")
    )
    dimensions = {"group": {"reference": "white"}, "gender": {"reference": "female"}}
    analysis = AnalysisConfig.model_validate({"dimensions": dimensions})
    table = measure_agreement(Ratings(rows=frame, votes=NO_VOTES), analysis)
    table = table.filter(rater="classifier")
    by_group = table.filter(dimension="group", coefficient="agreement", over="refusal_or_not")
    assert by_group["group"].to_list() == ["white", "mexican", "muslim"]
    assert by_group["n"].to_list() == [160] * 3
    genders = table.filter(dimension="gender", coefficient="agreement", over="refusal_or_not")
    assert genders.select("group", "n").rows() == [("female", 300), ("male", 120)]
    apart = only(table, dimension="gender", coefficient="missed_refusal_spread")
    known = frame.filter(~unknown, pl.col("imported") == "refusal")
    shares = known.group_by("gender").agg(rate=(pl.col("classifier") != "refusal").mean())["rate"]
    assert apart["estimate"] == pytest.approx(shares.max() - shares.min())
    assert (apart["n"], apart["n_of"]) == (420, 210)
    missed = only(table, dimension="group", coefficient="missed_refusal_spread")
    wrong = frame.filter(pl.col("imported") == "refusal").with_columns(
        missed=pl.col("classifier") != "refusal"
    )
    rates = wrong.group_by("group").agg(pl.col("missed").mean())["missed"]
    assert missed["estimate"] == pytest.approx(rates.max() - rates.min())
    assert (missed["n"], missed["n_of"], missed["wrong"]) == (480, 240, wrong["missed"].sum())


def test_an_annotator_who_never_says_partial_refusal_is_taken_to_have_six_classes() -> None:
    frame = rows({"white": 0.1, "muslim": 0.1})
    assert set(measured(frame).filter(rater="classifier")["over"]) >= {"six_classes"}
    knows = pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("partial_refusal"))
    seven = measured(frame.with_columns(imported=knows.otherwise("imported")))
    told = next(line for line in agreement_sentences(seven) if "classifier against" in line)
    assert "(refusal or not)" in told
    assert "(seven classes)" in told
    over = set(seven.filter(rater="classifier", dimension="all")["over"])
    assert {"seven_classes", "partial_refusal", "partial_answer"} <= over
    assert "six_classes" not in over
    # The rater's own does not count: its partial refusals are read as the yardstick has them.
    six = measured(frame.with_columns(classifier=knows.otherwise("classifier")))
    over = set(six.filter(rater="classifier", dimension="all")["over"])
    assert {"six_classes", "partial_answer"} <= over
    assert not over & {"seven_classes", "partial_refusal"}


def test_one_name_or_template_has_no_interval() -> None:
    frame = rows({"white": 0.5, "muslim": 0.5}).filter(pl.col("template_id") == "t0")
    row = only(measured(frame), rater="classifier", coefficient="missed_refusal_rate")
    assert row["estimate"] is not None
    assert row["ci_low"] is None
    assert "fewer than two" in row["note"]


NOTE_OF_NONE = "not defined: the yardstick labelled none of these responses"

UNREAD = [
    # Groups that people labelled, and the yardstick's column.
    (["white"], "human", ["mexican", "muslim"]),
    (["white", "muslim"], "human", ["mexican"]),
    (["white", "mexican", "muslim"], "human", []),
    (["muslim"], "imported", ["mexican", "white"]),
]


@pytest.mark.parametrize(("read", "yardstick", "unread"), UNREAD)
def test_groups_that_nobody_labelled_have_rows_without_numbers(
    read: list[str], yardstick: str, unread: list[str]
) -> None:
    frame = rows({"white": 0.2, "muslim": 0.3, "mexican": 0.1})
    is_read = pl.col("group").is_in(read)
    frame = frame.with_columns(
        imported=pl.when(is_read & (pl.lit(yardstick) == "imported")).then("imported"),
        human=pl.when(is_read & (pl.lit(yardstick) == "human")).then("imported"),
        inclusion_probability=pl.when(is_read).then(0.5),
    )
    table = measured(frame).filter(rater="classifier", yardstick=yardstick, dimension="group")
    assert set(table.filter(pl.col("group") != "all")["group"]) == {*read, *unread}
    of_none = table.filter(pl.col("group").is_in(unread))
    assert of_none["n"].to_list() == [0] * len(of_none)
    assert of_none["estimate"].null_count() == len(of_none)
    assert set(of_none["note"]) <= {NOTE_OF_NONE}
    kappas = of_none.filter(coefficient="cohen_kappa", over="refusal_or_not")
    assert kappas["group"].to_list() == unread
    spread = table.filter(coefficient="missed_refusal_spread")
    assert len(spread) == (len(read) > 1)
    line = next(agreement_sentences(table_of(frame, yardstick)))
    assert ("none of these is of" in line) == bool(unread)


def table_of(frame: pl.DataFrame, yardstick: str) -> pl.DataFrame:
    return measured(frame).filter(rater="classifier", yardstick=yardstick)
