"""From votes of several people to one label a row."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest
from annotator_sheets import ALL, filled, save, sheet

from refusal_parity.audit.deciding import decide
from refusal_parity.audit.human_labels import human_labels, read_votes, report_problems
from refusal_parity.audit.sheets import CUT
from refusal_parity.audit.votes import RawVote, is_named, moment, unnamed
from refusal_parity.audit.voting import count_votes

if TYPE_CHECKING:
    from pathlib import Path


def test_two_annotators_and_a_third_who_settles(tmp_path: Path, sample: pl.DataFrame) -> None:
    rows = sheet(tmp_path, sample)
    first = save(tmp_path / "a.csv", filled(rows, *ALL))
    second = save(
        tmp_path / "b.csv", filled(rows, "answer", "answer", "failure", "answer", "answer")
    )
    settled = [rows[1] | {"label": "refusal", "adjudicated": "yes", "annotator": "chief"}]
    third = save(tmp_path / "c.csv", settled)
    votes = read_votes([first, second, third], sample).votes
    human = human_labels(votes, sample).sort("prompt_id")
    assert human["label"].to_list() == ["answer", "refusal", None, None, None]
    assert human["n_annotators"].to_list() == [2, 3, 2, 2, 2]
    # What nobody settled keeps the votes, and its place in the sample.
    assert human["split"].to_list() == [
        None, None, "answer / failure", "answer / harmful_refusal", "answer / partial_answer",
    ]  # fmt: skip
    assert human["inclusion_probability"].to_list() == [0.5, 0.5, 0.5, 0.5, None]


def test_labelled_rows_stand_for_the_rest_of_their_stratum(
    tmp_path: Path, sample: pl.DataFrame
) -> None:
    rows = filled(sheet(tmp_path, sample), *ALL)
    votes = read_votes([save(tmp_path / "a.csv", rows[:1])], sample).votes
    human = human_labels(votes, sample)
    # One of the two drawn of stratum A: half of one half.
    assert human["inclusion_probability"].to_list() == [0.25]


def test_a_split_row_is_not_replaced_by_others(tmp_path: Path, sample: pl.DataFrame) -> None:
    rows = sheet(tmp_path, sample)[:2]
    first = save(tmp_path / "a.csv", filled(rows, "answer", "answer"))
    second = save(tmp_path / "b.csv", filled(rows, "answer", "refusal"))
    human = human_labels(read_votes([first, second], sample).votes, sample)
    # Both drawn of stratum A have votes: neither stands for more than itself.
    assert human["inclusion_probability"].to_list() == [0.5, 0.5]
    assert human["label"].to_list() == ["answer", None]


@pytest.mark.parametrize(
    ("lines", "vote", "problems"),
    [
        ([("answer", "")], ("answer", False), []),
        ([("answer", "")] * 2, ("answer", False), ["the same vote stands in anna.csv, line 2"]),
        # Said once more to settle it, it settles it.
        (
            [("answer", ""), ("answer", "yes")],
            ("answer", True),
            ["the same vote stands in anna.csv, line 2"],
        ),
        (
            [("answer", "yes"), ("answer", "")],
            ("answer", True),
            ["the same vote stands in anna.csv, line 2"],
        ),
        # Of two that differ none counts, nor one that follows.
        (
            [("answer", ""), ("failure", "")],
            None,
            ["failure here, answer in anna.csv, line 2"],
        ),
        (
            [("answer", ""), ("failure", "x")],
            ("failure", True),
            ["a line that decides says failure, in anna.csv, line 3"],
        ),
        (
            [("answer", ""), ("failure", ""), ("failure", ""), ("answer", "")],
            None,
            [
                "failure here, answer in anna.csv, line 2",
                "labelled again after two labels that differ",
                "labelled again after two labels that differ",
            ],
        ),
    ],
)
def test_what_one_person_says_of_one_row_in_one_sheet(
    tmp_path: Path,
    sample: pl.DataFrame,
    lines: list[tuple[str, str]],
    vote: tuple[str, bool] | None,
    problems: list[str],
) -> None:
    first, second, *_ = sheet(tmp_path, sample)
    rows = [first | {"label": label, "adjudicated": word} for label, word in lines]
    ballot = read_votes(
        [save(tmp_path / "anna.csv", [*rows, second | {"label": "answer"}])], sample
    )
    found = ballot.votes.filter(task=first["task"])
    assert found.select("label", "adjudicated").rows() == ([] if vote is None else [vote])
    told = ballot.problems.filter(pl.col("problem") != "nobody labelled it")
    assert told["problem"].to_list() == problems
    decided = len(problems) == 1 and "decides" in problems[0]
    assert told["row"].to_list() == ([2] if decided else list(range(3, 3 + len(problems))))


def _vote(task: str, response: str) -> RawVote:
    return RawVote(
        file="anna.csv", row=2, task=task, annotator="anna", label="answer", adjudicated=False,
        response=response,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("beside", "problem"),
    [
        # What a cell holds of a text that is longer than cells are.
        ("Rice and beans. " * 2_000 + CUT, None),
        ("Rice and beans. " * 2_000, "the text was edited"),
        ("Corn and beans. " * 2_000 + CUT, "the text was edited"),
    ],
    ids=["cut", "ends early", "another"],
)
def test_a_text_that_a_cell_cut_is_the_text(
    sample: pl.DataFrame, beside: str, problem: str | None
) -> None:
    long = pl.when(pl.col("task") == "t1").then(pl.lit("Rice and beans. " * 4_000))
    rows = sample.with_columns(response=long.otherwise("response"))
    ballot = count_votes([_vote("t1", beside)], rows)
    assert ballot.votes["task"].to_list() == ["t1"]
    told = ballot.problems.filter(pl.col("row").is_not_null())["problem"].to_list()
    assert told == ([] if problem is None else [problem])


@pytest.mark.parametrize(
    ("beside", "task"),
    [
        ("I cannot.", "1234567890123456"),
        # The text was changed: the key may have been one alone.
        ("I can't.", "1234567890123456"),
        # It is that of another row.
        ("Rice.", None),
    ],
)
def test_a_key_that_became_a_number_counts_unless_the_text_is_that_of_another_row(
    sample: pl.DataFrame, beside: str, task: str | None
) -> None:
    old = sample.head(2).with_columns(
        task=pl.Series(["1234567890123456", "9876543210987654"]),
        response=pl.Series(["I cannot.", "Rice."]),
    )
    ballot = count_votes([_vote("1.23457E+15", beside)], old)
    assert ballot.votes["task"].to_list() == ([] if task is None else [task])
    problem = ballot.problems.row(0, named=True)
    assert "is a number that a spreadsheet made of it" in problem["problem"]
    assert problem["consequence"] == ("left out" if task is None else "counts for that row")


def test_votes_in_the_order_in_which_they_were_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a readable time a vote comes first, and without an offset a time is UTC."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    ordered = [
        moment(None, "x", 1),
        moment(None, None, 2),
        moment(None, float("inf"), 3),
        moment("yesterday", 7, 0),
        moment("1970-01-01T00:00:01+00:00", 3),
        moment("2024-05-01T12:00:00+02:00", 9),
        moment("2024-05-01T11:00:00", 2),
        moment("2024-05-01T11:00:00Z", "4"),
        moment("2024-05-01T11:00:00Z", 4, 1),
        moment("2024-05-01T11:00:01Z", "no number", 0),
    ]
    mixed = [ordered[at] for at in (4, 0, 8, 6, 9, 2, 5, 7, 1, 3)]
    assert sorted(mixed) == ordered
    assert moment(None, 1).position == 0
    monkeypatch.undo()
    time.tzset()


def test_who_is_named() -> None:
    people = pl.DataFrame(
        {"annotator": ["anna", unnamed(1), unnamed(12), "(unnamed)", "x (unnamed 1)"]}
    )
    assert people.filter(is_named(pl.col("annotator")))["annotator"].to_list() == [
        "anna", "(unnamed)", "x (unnamed 1)",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("votes", "label", "split"),
    [
        # More than half; a half is none.
        ("aar", "answer", None),
        ("ar", None, "answer / refusal"),
        ("afr", None, "answer / failure / refusal"),
        # Each vote stands there, whoever else gave the same.
        ("raaf", None, "answer / answer / failure / refusal"),
        ("raaaf", "answer", None),
        # Whoever settles it decides alone, against all others.
        ("aaR", "refusal", None),
        ("rF", "failure", None),
        # Several who settle it decide by more than half of them, and else stay split.
        ("aaaFR", None, "failure / refusal"),
        ("aFFR", "failure", None),
    ],
)
def test_one_label_of_several_votes(votes: str, label: str | None, split: str | None) -> None:
    """Of people in lower case, and in capitals of those who settle it."""
    words = {"a": "answer", "f": "failure", "r": "refusal"}
    frame = pl.DataFrame(
        {
            "task": "t",
            "annotator": [f"p{at}" for at in range(len(votes))],
            "label": [words[vote.lower()] for vote in votes],
            "adjudicated": [vote.isupper() for vote in votes],
        }
    )
    assert decide(frame).rows() == [("t", label, split, len(votes))]


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (["answer", "refusal"] * 20, True),
        (["answer"] * 40, False),
        (["answer", "refusal"] * 10, False),
    ],
)
def test_two_people_with_the_same_labels(
    sample: pl.DataFrame, labels: list[str], *, told: bool
) -> None:
    """Of many rows with several labels, which no two people read alike throughout."""
    rows = pl.concat(sample[:1].with_columns(task=pl.lit(f"t{at}")) for at in range(len(labels)))
    ballot = count_votes(
        [
            replace(
                _vote(f"t{at}", str(sample["response"][0])),
                file=f"{who}.csv",
                row=at + 2,
                annotator=who,
                label=label,
            )
            for who in ("anna", "anna_final")
            for at, label in enumerate(labels)
        ],
        rows,
    )
    lines: list[str] = []
    report_problems(ballot, rows, say=lines.append)
    said = "anna and anna_final gave the same labels to all of their 40 common rows"
    assert any(line.startswith(said) for line in lines) is told
