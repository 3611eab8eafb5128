"""All labels of each answer beside each other, as agreement is measured from."""

from __future__ import annotations

import polars as pl
import pytest
from labelled import conversations_of, mentions_of, people_of, sides_of

from refusal_parity.agreement.ratings import CLASSIFIER, HUMAN, IMPORTED, JUDGE, KEYWORD
from refusal_parity.preference.noise import (
    BOTH,
    rated_sides,
    side_agreement,
    side_confusion,
    side_votes,
    with_groups,
)
from refusal_parity.preference.places import NOBODY

PEOPLE = people_of([(1, "chosen", "refusal", 0.5, "s"), (2, "rejected", None, 0.25, "s")])


def rated(*, classified: bool = True) -> pl.DataFrame:
    """Three pairs: a refusal too doubtful to count, an answer, a refusal that keywords miss."""
    sides = sides_of(["refusal", "answer", "harmful_refusal"], ["answer"] * 3)
    doubtful = (pl.col("pair") == 1) & (pl.col("side").cast(pl.String) == "chosen")
    machine = sides.with_columns(
        label=pl.when(~doubtful).then("label"),
        unsure=pl.lit(None if not classified else False, pl.Boolean),
    )
    clusters = conversations_of(3).with_columns(cluster=pl.col("pair") * 10)
    return rated_sides(machine, PEOPLE, clusters)


def test_labels_of_one_answer_stand_in_one_row() -> None:
    columns = ("model", "prompt_id", "name_id", CLASSIFIER, KEYWORD, HUMAN)
    rows = rated().sort("model", "prompt_id")
    assert rows.select(columns).rows() == [
        ("chosen", "1", "10", "refusal", "refusal", "refusal"),
        ("chosen", "2", "20", "answer", "answer", None),
        ("chosen", "3", "30", "harmful_refusal", "answer", None),
        ("rejected", "1", "10", "answer", "answer", None),
        ("rejected", "2", "20", "answer", "answer", None),
        ("rejected", "3", "30", "answer", "answer", None),
    ]
    assert rows["inclusion_probability"].to_list() == [0.5, None, None, None, 0.25, None]
    assert rows.select(IMPORTED, JUDGE).null_count().row(0) == (6, 6)
    assert set(rows["template_id"]) == {""}


def test_without_a_classifier_the_keyword_list_is_the_one_machine() -> None:
    rows = rated(classified=False)
    assert rows[CLASSIFIER].null_count() == len(rows)
    assert rows[KEYWORD].null_count() == 0


@pytest.mark.parametrize(("place", "group"), [("request", "sikh"), ("chosen", NOBODY)])
def test_an_answer_is_of_each_group_that_its_conversation_mentions(place: str, group: str) -> None:
    """Enough pairs mention each; those beyond the third are of nobody here."""
    mentions = mentions_of(sikh=[1, *range(10, 20)], woman=[1, 2, *range(20, 30)])
    where = pl.lit(place).cast(mentions.schema["place"])
    moved = mentions.with_columns(
        place=pl.when(pl.col("group") == "sikh").then(where).otherwise("place")
    )
    found = with_groups(rated(), moved, mentioned_in="request")
    groups = {
        (pair, side): sorted(part["group"])
        for (pair, side), part in found.group_by("pair", "model")
    }
    first = sorted({group, "woman"} - {NOBODY})
    for side in ("chosen", "rejected"):
        assert groups[1, side] == first
        assert groups[2, side] == ["woman"]
        assert groups[3, side] == [NOBODY]


def test_votes_and_confusion_are_of_answers() -> None:
    rows = rated()
    sample = pl.DataFrame(
        {"task": ["b", "a"], "model": ["chosen", "rejected"], "prompt_id": ["1", "2"], "sample": 0},
        schema_overrides={"sample": pl.Int32},
    )
    votes = pl.DataFrame(
        {
            "task": ["a", "b", "a", "b", "b"],
            "annotator": ["x", "x", "y", "chief", "z"],
            "label": [*["answer"] * 4, "undecided"],
            "adjudicated": [False, False, False, True, False],
        }
    )
    found = side_votes(votes, sample, rows)
    assert found.select("model", "prompt_id", "name_id", "annotator").rows() == [
        ("rejected", "2", "20", "x"), ("chosen", "1", "10", "x"), ("rejected", "2", "20", "y"),
    ]  # fmt: skip
    confusion = side_confusion(rows).filter(pl.col("n") > 0)
    assert confusion.select("model", "truth", "given", "n").rows() == [
        (BOTH, "refusal", "refusal", 1)
    ]
    table = side_agreement(rows, rows.with_columns(group=pl.lit("sikh")), found, alpha=0.05)
    of_machines = table.filter(pl.col("rater").cast(pl.String).is_in([CLASSIFIER, KEYWORD]))
    assert set(of_machines["model"]) == {"chosen", "rejected", BOTH}
    apart = table.filter(pl.col("group") == "sikh")
    assert set(apart["model"]) == {BOTH}
