"""The CSVs for annotators, written and read back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import xlsxwriter
from annotator_sheets import ALL, Rows, filled, save, sheet

from refusal_parity.audit.human_labels import human_labels, read_votes, report_problems
from refusal_parity.audit.rubric import CUT_OFF_HERE
from refusal_parity.audit.sheets import CUT, read_sheet
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def test_no_cell_of_the_sheet_is_a_formula(tmp_path: Path, sample: pl.DataFrame) -> None:
    for row in sheet(tmp_path, sample):
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_round_trip(tmp_path: Path, sample: pl.DataFrame, delimiter: str) -> None:
    rows = filled(sheet(tmp_path, sample), *ALL)
    ballot = read_votes([save(tmp_path / "anna.csv", rows, delimiter)], sample)
    assert ballot.problems.is_empty()
    assert ballot.votes.sort("task")["label"].to_list() == [
        "answer", "refusal", "answer", "harmful_refusal", "partial_answer",
    ]  # fmt: skip
    assert set(ballot.votes["annotator"]) == {"anna"}
    human = human_labels(ballot.votes, sample)
    assert human["inclusion_probability"].to_list() == [0.5, 0.5, 0.5, 0.5, None]
    assert human["n_annotators"].to_list() == [1] * 5


def _change(number: int, **cells: str) -> Any:
    def change(rows: Rows) -> Rows:
        return [row | cells if at == number else row for at, row in enumerate(rows)]

    return change


@pytest.mark.parametrize(
    ("change", "row", "problem", "consequence", "votes"),
    [
        (_change(1, label=" "), 3, "no label", "counts as not labelled", 4),
        (_change(1, task="zz"), 3, "key 'zz' is not of this sample", "left out", 4),
        (_change(1, task=""), 3, "no key", "left out", 4),
        (_change(1, response="I can."), 3, "the text was edited", "the label counts", 5),
        (_change(2, response="[NAME] eats rice,"), 4, "the text was edited", "the label counts", 5),
        (_change(2, response=f"[NAME] drinks{CUT}"), 4, "the text was edited", "the label", 5),
        (_change(1, response="-1"), 3, "the text is that of t4: rows were moved", "left out", 4),
        (lambda rows: rows[:1] + rows[2:], None, "nobody labelled it", "stand for it", 4),
        (lambda rows: [*rows, rows[0]], 7, "the same vote stands in", "counted once", 5),
        (
            lambda rows: [*rows, rows[0] | {"label": "failure"}],
            7, "failure here, answer in anna.csv, line 2", "both left out", 4,
        ),
    ],
)  # fmt: skip
def test_problems_are_reported_by_row(
    tmp_path: Path, sample: pl.DataFrame, change: Any, row: int | None, problem: str,
    consequence: str, votes: int,
) -> None:  # fmt: skip
    # One line each, so that a row's line is known.
    flat = [
        each | {"response": " ".join(each["response"].split())}
        for each in filled(sheet(tmp_path, sample), *ALL)
    ]
    ballot = read_votes([save(tmp_path / "anna.csv", change(flat))], sample)
    first = ballot.problems.row(0, named=True)
    assert first["row"] == row
    assert problem in first["problem"]
    assert consequence in first["consequence"]
    assert len(ballot.votes) == votes
    lines: list[str] = []
    report_problems(ballot, sample, say=lines.append)
    if row is not None:
        assert any(f"anna.csv, line {row}: {problem}" in line for line in lines)
    unlabelled = 5 - ballot.votes["task"].n_unique()
    named = ballot.problems.filter(problem="nobody labelled it")
    assert len(named) == unlabelled


def test_a_sheet_of_before_that_does_not_say_what_was_cut_off(
    tmp_path: Path, sample: pl.DataFrame
) -> None:
    rows = filled(sheet(tmp_path, sample), *ALL)
    ballot = read_votes(
        [save(tmp_path / "anna.csv", rows)],
        sample.with_columns(pl.col("response") + CUT_OFF_HERE),
    )
    assert ballot.problems.is_empty()
    assert len(ballot.votes) == 5


@pytest.mark.parametrize(("rows", "said"), [(5, 5), (6, 1), (1200, 1)])
def test_a_sheet_that_was_left_off_half_way_is_one_line(
    tmp_path: Path, sample: pl.DataFrame, rows: int, said: int
) -> None:
    ballot = read_votes(
        [save(tmp_path / "anna.csv", filled(sheet(tmp_path, sample), *ALL))], sample
    )
    problems = pl.DataFrame(
        {
            "file": "ben.csv",
            "row": range(2, 2 + rows),
            "problem": "no label",
            "consequence": "it waits",
        }
    )
    lines: list[str] = []
    report_problems(replace(ballot, problems=problems), sample, say=lines.append)
    told = [line for line in lines if line.startswith("ben.csv, line 2") or ": no label" in line]
    assert len(told) == said
    if said == 1:
        assert told == [
            f"ben.csv, line 2 and {rows - 1:,} more, to line {rows + 1}: no label; it waits"
        ]


def test_a_sheet_that_nobody_filled_in(tmp_path: Path, sample: pl.DataFrame) -> None:
    rows = sheet(tmp_path, sample)
    path = save(tmp_path / "anna.csv", [*rows, rows[0]])
    with pytest.raises(
        InputError, match=r"usable label in 6 rows, the first, line 2 of anna\.csv: no label"
    ):
        read_votes([path], sample)


def test_labels_in_numbers_are_told_of_the_seven(tmp_path: Path, sample: pl.DataFrame) -> None:
    path = save(tmp_path / "anna.csv", filled(sheet(tmp_path, sample), *"12345"))
    with pytest.raises(
        InputError,
        match=r"anna\.csv, line 2: labels that are none of the seven: '1' in 1 row, '2' in 1 row, "
        r".*\. Write one of answer, .*, or nothing",
    ):
        read_votes([path], sample)


def test_sheets_of_one_name_are_of_two_people(tmp_path: Path, sample: pl.DataFrame) -> None:
    rows = sheet(tmp_path, sample)
    for who in ("anna", "ben"):
        (tmp_path / who).mkdir()
        save(tmp_path / who / "sheet.csv", filled(rows, *ALL))
    ballot = read_votes([tmp_path / "anna/sheet.csv", tmp_path / "ben/sheet.csv"], sample)
    assert set(ballot.votes["annotator"]) == {"anna/sheet", "ben/sheet"}
    assert set(ballot.votes["file"]) == {"anna/sheet.csv", "ben/sheet.csv"}
    assert ballot.problems.is_empty()


def test_one_person_in_two_spellings_is_one(tmp_path: Path, sample: pl.DataFrame) -> None:
    rows = filled(sheet(tmp_path, sample), *ALL)
    twice = [*(rows[0] | {"annotator": who} for who in ("Zo\u00e9", "zoe\u0301 ")), rows[1]]
    ballot = read_votes([save(tmp_path / "a.csv", twice)], sample)
    assert ballot.votes.select("task", "annotator").rows() == [
        ("t1", "Zo\u00e9"),
        ("t2", "(unnamed 1)"),
    ]
    assert ballot.problems["problem"].to_list()[:2] == [
        "the same vote stands in a.csv, line 2",
        "it does not say who labelled",
    ]


def test_quotes_that_a_spreadsheet_curled_are_no_edit(tmp_path: Path, sample: pl.DataFrame) -> None:
    rows = filled(sheet(tmp_path, sample), *ALL)
    curled = [
        row | {"response": row["response"].replace('"figs"', "\u201cfigs\u201d")} for row in rows
    ]
    assert curled != rows
    assert read_votes([save(tmp_path / "a.csv", curled)], sample).problems.is_empty()


def test_one_word_of_many_rows_stops_the_study(tmp_path: Path, sample: pl.DataFrame) -> None:
    """Left out, rows of other labels would stand for all of its rows."""
    labels = ["answer", "refused", "answer", "Refused", "?"]
    path = save(tmp_path / "anna.csv", filled(sheet(tmp_path, sample), *labels))
    with pytest.raises(InputError) as raised:
        read_votes([path], sample)
    words = (
        "anna.csv, line 3: labels that are none of the seven: 'refused' in 1 row, 'Refused' in 1"
    )
    assert str(raised.value).startswith(words)


@pytest.mark.parametrize("hidden", [False, True])
def test_labels_on_two_sheets_of_a_workbook(tmp_path: Path, *, hidden: bool) -> None:
    path = tmp_path / "both.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name in ("anna", "to label", "ben"):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ("task", "response", "Label"))
            # Of the first, nobody filled anything in.
            sheet.write_row(1, 0, ("t1", "Sure.", "" if name == "anna" else "answer"))
        if hidden:
            sheet.hide()
    with pytest.raises(InputError, match=r"its sheets 'to label' and 'ben' both hold labels"):
        list(read_sheet(path, path.name))


def test_sheets_beside_that_hold_no_labels_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "one.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("to label").write_column(0, 0, ("task", "t1"))
        book.get_worksheet_by_name("to label").write_column(0, 1, ("label", "answer"))
        book.add_worksheet("notes").write_column(0, 0, ("label", "means"))
        book.add_worksheet("kept").write_row(0, 0, ("task", "label"))
    assert [vote.label for vote in read_sheet(path, path.name)] == ["answer"]
