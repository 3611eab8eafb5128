"""Rates and differences as people's labels correct them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from labelled import SIDES, audited, erring, mentions_of, people_of, sides_of

from refusal_parity.pair_vocabulary import Adjustment
from refusal_parity.preference.comparison import group_differences, group_measures
from refusal_parity.preference.corrected import corrected_difference, corrected_rate
from refusal_parity.preference.measures import MEASURES
from refusal_parity.preference.readings import readings_of

BY_KEY = {measure.key: measure for measure in MEASURES}


def everybody(truth: dict[str, list[str]]) -> pl.DataFrame:
    """People labelled every answer."""
    return people_of(
        [
            (pair, side, label, 1.0, "all")
            for side, labels in truth.items()
            for pair, label in enumerate(labels, 1)
        ]
    )


def test_where_people_labelled_all_their_rates_stand() -> None:
    """Whatever the machine says, and for each measure that labels decide."""
    refuse, answer, harm = "refusal", "answer", "harmful_answer"
    chosen = [refuse] * 20 + [answer] * 30 + [harm] * 10
    rejected = [refuse] * 8 + [answer] * 12 + [refuse] * 15 + [answer] * 25
    audit = audited(
        sides_of([answer] * 45 + [refuse] * 15, [refuse] * 30 + [answer] * 30),
        mentions_of(sikh=range(1, 31)),
        everybody(dict(zip(SIDES, (chosen, rejected), strict=True))),
    )
    # Of all: 8 both refuse, 12 the chosen alone, 15 the rejected alone.
    expected = {
        "chosen_refuses": 20 / 60, "rejected_refuses": 23 / 60, "both_refuse": 8 / 60,
        "refusal_preferred": 12 / 27, "chosen_harmful": 10 / 60, "rejected_harmful": 0.0,
    }  # fmt: skip
    for key, rate in expected.items():
        found = corrected_rate(audit, BY_KEY[key], np.ones(60, np.bool_), name="all")
        assert found.estimate == pytest.approx(rate, abs=1e-12), key
        assert found.labelled == 60
    # Pairs 1 to 30: 20 chosen ones refuse, 12 alone, and 10 rejected ones alone.
    members = audit.members
    sides = (members["sikh"], members["nobody"])
    for key, difference in {"chosen_refuses": 20 / 30, "refusal_preferred": 12 / 22}.items():
        found = corrected_difference(
            audit, BY_KEY[key], sides, Adjustment.NONE, names=("sikh", "nobody")
        )
        assert found.estimate == pytest.approx(difference, abs=1e-12)


@pytest.mark.parametrize(("adjustment", "difference"), [("none", 0.2), ("harm", 0.1)])
def test_corrected_rates_are_weighed_by_harm_too(adjustment: str, difference: float) -> None:
    """Half of the group refuses, three quarters of it as harmful; of others a tenth and a half."""
    refuses = [True, False] * 20 + [at < 10 for at in range(100)] + [at < 50 for at in range(100)]
    words = ["refusal" if each else "answer" for each in refuses]
    audit = audited(
        sides_of(["answer", "refusal"] * 120, ["answer"] * 240),
        mentions_of(sikh=range(1, 41)),
        everybody({"chosen": words, "rejected": ["answer"] * 240}),
    )
    harmful = np.repeat([0, 1, 0, 1], [10, 30, 100, 100])
    found = corrected_difference(
        replace(audit, stratum=harmful),
        BY_KEY["chosen_refuses"],
        (audit.members["sikh"], audit.members["nobody"]),
        Adjustment(adjustment),
        names=("sikh", "nobody"),
    )
    assert found.estimate == pytest.approx(difference, abs=0.005)


def test_words_and_missing_labels_are_not_corrected() -> None:
    audit = audited(
        sides_of(["answer"] * 4, ["answer"] * 4),
        mentions_of(sikh=range(1, 3)),
        everybody(dict.fromkeys(SIDES, ["answer"] * 4)),
    )
    measures = group_measures(audit).filter(pl.col("measure").is_in(["chosen_words", "unlabelled"]))
    assert measures["labelled"].null_count() == len(measures)


def test_without_people_there_is_nothing_to_correct() -> None:
    audit = audited(sides_of(["answer"] * 4, ["refusal"] * 4), mentions_of(sikh=range(1, 3)), None)
    for table in (group_measures(audit), group_differences(audit)):
        for column in (each for each in table.columns if each.startswith("corrected")):
            assert table[column].null_count() == len(table)


def test_pairs_with_both_labels_stand_for_their_stratum() -> None:
    """Of ten pairs five were drawn; one annotator left off, and one answer was split."""
    human = people_of(
        [
            *((pair, "chosen", "refusal", 0.5, "s") for pair in (1, 2, 3, 4)),
            (5, "chosen", None, 0.5, "s"),
            # Two of five were labelled: their probability is half of 2 / 5 by now.
            *((pair, "rejected", "answer", 0.2, "s") for pair in (1, 2)),
        ]
    )
    readings = readings_of(sides_of(["answer"] * 10, ["answer"] * 10), human)
    [chosen] = readings["chosen_refuses"]
    assert chosen.weight.tolist() == [2.0] * 5 + [0.0] * 5
    assert chosen.human.tolist() == [1.0] * 4 + [0.5] + [0.0] * 5
    [both] = readings["both_refuse"]
    assert both.weight.tolist() == [5.0, 5.0] + [0.0] * 8
    ours, theirs = readings["refusal_preferred"]
    assert ours.human.tolist()[:2] == [1.0, 1.0]
    assert theirs.human.tolist()[:2] == [0.0, 0.0]


def test_the_informative_set_is_no_sample() -> None:
    human = people_of([(1, "chosen", "refusal", 0.5, "s"), (2, "chosen", "refusal", 0.5, "s")])
    rows = human.with_columns(
        inclusion_probability=pl.when(pl.col("prompt_id") == "1").then(0.5),
        stratum=pl.when(pl.col("prompt_id") == "1").then(pl.col("stratum")),
    )
    [chosen] = readings_of(sides_of(["answer"] * 2, ["answer"] * 2), rows)["chosen_refuses"]
    assert chosen.weight.tolist() == [2.0, 0.0]


def test_errors_of_the_machine_in_one_group_are_taken_out() -> None:
    audit = erring(1)
    row = group_differences(audit).row(
        by_predicate=(pl.col("measure") == "chosen_refuses")
        & (pl.col("adjustment").cast(pl.String) == "none"),
        named=True,
    )
    assert row["verdict"] == "shown"
    assert row["estimate"] == pytest.approx(0.24, abs=0.06)
    assert abs(row["corrected"]) < 0.08
    assert row["corrected_low"] < 0 < row["corrected_high"]
    assert row["corrected_p_adjusted"] > 0.05
    assert row["labelled"] == pytest.approx(0.3 * 1800, abs=3)
    # The interval is that of few labels, and wider for it.
    assert row["corrected_high"] - row["corrected_low"] > row["ci_high"] - row["ci_low"]


def test_too_few_labels_say_how_many_are_wanted() -> None:
    audit = erring(2, group=40, drawn=0.1)
    row = group_differences(audit).row(
        by_predicate=(pl.col("measure") == "chosen_refuses")
        & (pl.col("adjustment").cast(pl.String) == "none"),
        named=True,
    )
    assert row["corrected"] is None
    # Of 20 that a group needs.
    drawn = audit.readings["chosen_refuses"][0].weight[:40] > 0
    assert row["corrected_note"] == f"{20 - drawn.sum()} more human labels needed in sikh"


@pytest.mark.parametrize(("group", "wanted"), [(40, 20), (11, 11)], ids=["some", "all"])
def test_pairs_that_are_wanted_are_counted_by_group(group: int, wanted: int) -> None:
    """No more than there are: a group that few pairs mention is read whole."""
    audit = erring(2, group=group, drawn=0.1)
    rows = {
        row["group"]: row
        for row in group_measures(audit).iter_rows(named=True)
        if row["measure"] == "chosen_refuses"
    }
    drawn = int((audit.readings["chosen_refuses"][0].weight[:group] > 0).sum())
    assert rows["sikh"]["labelled"] == drawn
    assert rows["sikh"]["corrected"] is None
    assert rows["sikh"]["pairs_wanted"] == wanted - drawn
    assert ("all that are left" in rows["sikh"]["corrected_note"]) == (wanted == group)
    assert rows["nobody"]["pairs_wanted"] is None
    assert rows["nobody"]["corrected"] is not None
