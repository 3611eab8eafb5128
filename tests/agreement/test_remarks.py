"""What is said beside the coefficients of agreement."""

from __future__ import annotations

import polars as pl

from refusal_parity.agreement.remarks import remarks


def votes_of(rows: list[tuple[str, str, str, bool]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["task", "annotator", "label", "adjudicated"], orient="row")


def judged(model: str, labels: list[str | None]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "model": model,
            "judge_label": pl.Series(labels, dtype=pl.String),
            "problem": [None if label else "names none of the labels" for label in labels],
        }
    )


def test_nothing_is_said_of_whole_labels() -> None:
    assert remarks(None) == []
    apart = votes_of([("t", "anna", "answer", False), ("t", "ben", "refusal", False)])
    assert remarks(apart, judgements=[judged("m", ["answer"])]) == []


def test_what_a_judge_did_not_label_is_said_for_each_model() -> None:
    said = remarks(None, judgements=[judged("m", ["answer", None, None]), judged("n", ["refusal"])])
    assert said == ["m: 1 of 3 responses judged; without a label: 2 (names none of the labels)"]


def test_votes_that_decide_are_counted() -> None:
    one = [("t", "anna", "answer", False), ("t", "cleo", "refusal", True)]
    assert remarks(votes_of(one)) == [
        "1 vote that decides between people is left out of the agreement between people"
    ]
    two = [*one, ("u", "cleo", "refusal", True)]
    assert remarks(votes_of(two)) == [
        "2 votes that decide between people are left out of the agreement between people"
    ]


def test_two_people_with_the_same_labels_are_named() -> None:
    labels = ["answer", "refusal"] * 20
    rows = [
        (f"t{at}", who, label, False)
        for who in ("anna", "ben", "(unnamed 1)")
        for at, label in enumerate(labels)
    ]
    [said] = remarks(votes_of(rows))
    assert said.startswith("anna and ben gave the same labels to all of their 40 common rows")
