"""Two annotators, a third and a correction, with sheets as people return them."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING

import polars as pl
import pytest
from annotator_sheets import COLUMNS, Rows, save

from refusal_parity.audit.adjudication import open_rows, write_adjudication
from refusal_parity.audit.files import write_sample
from refusal_parity.audit.human_labels import human_labels, read_votes, report_problems
from refusal_parity.audit.keys import task_key
from refusal_parity.audit.sheets import write_sheets
from refusal_parity.audit.sliding import Line, slid_blocks
from refusal_parity.csvfiles import read_csv
from refusal_parity.errors import InputError
from refusal_parity.tables import AuditSample, conform

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 40
MACHINE = ("answer", "refusal", "answer", "failure")


@pytest.fixture
def drawn() -> pl.DataFrame:
    """Forty responses in random order; the machine says of each in turn what `MACHINE` has."""
    rows = [
        {
            "task": task_key(f"m-p{number:02}-0", f"Response {number}."),
            "model": "m",
            "prompt_id": f"p{number:02}",
            "sample": 0,
            "set": "probability",
            "stratum": "all",
            "predicted": MACHINE[number % len(MACHINE)],
            "inclusion_probability": 0.5,
            "margin": 0.5,
            "prompt": "[NAME] eats [BLANK]",
            "response": f"Response {number}.",
        }
        for number in range(ROWS)
    ]
    return conform(pl.DataFrame(rows), AuditSample, where="test")


def _sheet(path: Path) -> Rows:
    text = path.read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _wrong(rows: Rows, at: int, **cells: str) -> None:
    rows[at] |= cells


def _adjudicate(
    files: list[Path], drawn: pl.DataFrame, folder: Path, *, show: bool = False
) -> list[str]:
    said: list[str] = []
    ballot = read_votes(files, drawn)
    report_problems(ballot, drawn, say=said.append)
    rows = open_rows(ballot.votes, drawn, show_votes=show)
    write_adjudication(rows, folder, labelled=files, say=said.append)
    return said


def test_two_annotators_a_third_and_a_correction(tmp_path: Path, drawn: pl.DataFrame) -> None:
    folder = tmp_path / "to_label"
    said: list[str] = []
    write_sample(drawn, folder, say=said.append)
    assert str(folder / "probability.xlsx") in said[-1]
    assert "labelling.human.labels" in said[-1]
    truth = dict(drawn.select("task", pl.col("predicted").cast(pl.String)).iter_rows())

    anna = [row | {"label": truth[row["task"]], "annotator": "Anna"} for row in
            _sheet(folder / "probability.csv")]  # fmt: skip
    _wrong(anna, 0, task="")
    _wrong(anna, 1, task="row-0000000000000000")
    _wrong(anna, 2, prompt="other words", comment="=1+1")
    _wrong(anna, 3, response="Response 3, changed.")
    _wrong(anna, 4, response=anna[9]["response"])
    _wrong(anna, 5, label="")
    _wrong(anna, 6, label="  ")
    _wrong(anna, 7, label="Failure ")
    _wrong(anna, 8, annotator="")
    ben = [row | {"label": truth[row["task"]]} for row in _sheet(folder / "probability.csv")[::-1]]
    for at in (5, 6, 7):
        ben[at]["label"] = "harmful_refusal"
    files = [save(tmp_path / "anna.csv", anna), tmp_path / "ben.xlsx"]
    write_sheets(pl.DataFrame(ben), files[1].with_suffix(""))

    said = _adjudicate(files, drawn, folder, show=True)
    for row, problem in (
        (2, "no key"),
        (3, "key 'row-0000000000000000' is not of this sample"),
        (5, "the text was edited"),
        (6, "rows were moved"),
        (7, "no label"),
        (8, "no label"),
        (10, "it does not say who labelled"),
    ):
        assert any(f"anna.csv, line {row}: " in line and problem in line for line in said), problem
    assert "3 responses are open" in said[-1]
    assert str(folder / "adjudicate.xlsx") in said[-1]
    third = _sheet(folder / "adjudicate.csv")
    assert [list(third[0]), len(third)] == [[*COLUMNS, "votes"], 3]
    assert {row["adjudicated"] for row in third} == {"x"}
    assert all("Anna: " in row["votes"] and "ben: harmful_refusal" in row["votes"] for row in third)

    # The third decides two of the three, in the very sheet that was written.
    for row in third[:2]:
        row["label"] = "refusal"
    files.append(save(folder / "adjudicate.csv", [_without_votes(row) for row in third]))
    said = _adjudicate(files, drawn, folder)
    assert "1 response is open" in said[-1]
    assert str(folder / "adjudicate-2.xlsx") in said[-1]
    assert [row["label"] for row in _sheet(folder / "adjudicate.csv")] == ["refusal"] * 2 + [""]
    assert list(_sheet(folder / "adjudicate-2.csv")[0]) == list(COLUMNS)
    decided = human_labels(read_votes(files, drawn).votes, drawn)
    assert decided["label"].null_count() == 1

    rest = _sheet(folder / "adjudicate-2.csv")
    given = {"label": "failure", "adjudicated": "YES"}
    files.append(save(tmp_path / "carl.csv", [row | given for row in rest]))
    said = _adjudicate(files, drawn, folder)
    assert "people agree" in said[-1]
    assert not (folder / "adjudicate-2.csv").exists()
    assert not (folder / "adjudicate-2.xlsx").exists()
    labels = human_labels(read_votes(files, drawn).votes, drawn)
    assert labels["label"].null_count() == 0
    settled = {row["task"]: "refusal" for row in third[:2]} | {rest[0]["task"]: "failure"}
    found = dict(
        labels.join(drawn, on="prompt_id").select("task", pl.col("label").cast(pl.String)).rows()
    )
    assert found == truth | settled


def _without_votes(row: dict[str, str]) -> dict[str, str]:
    return {column: row[column] for column in COLUMNS}


@pytest.mark.parametrize(
    ("word", "settles"),
    [("x", True), ("TRUE", True), ("Yes", True), ("1", True), ("", False), ("FALSE", False),
     ("no", False), ("0", False), ("WAHR", True), ("FALSCH", False), ("VRAI", True)],
)  # fmt: skip
def test_words_of_adjudication(
    tmp_path: Path, drawn: pl.DataFrame, word: str, *, settles: bool
) -> None:
    rows = drawn.select(
        "task", "prompt", "response", label=pl.lit("answer"), adjudicated=pl.lit(word)
    )
    write_sheets(rows.head(3), tmp_path / "a")
    for path in (tmp_path / "a.csv", tmp_path / "a.xlsx"):
        assert set(read_votes([path], drawn).votes["adjudicated"]) == {settles}


@pytest.mark.parametrize("word", ["ja", "oui", "?", "adjudicated"])
def test_another_word_is_an_error_by_row(tmp_path: Path, drawn: pl.DataFrame, word: str) -> None:
    rows = drawn.select("task", "prompt", "response", label=pl.lit("answer")).with_columns(
        adjudicated=pl.when(pl.int_range(pl.len()) == 5).then(pl.lit(word)).otherwise(pl.lit(""))
    )
    write_sheets(rows, tmp_path / "a")
    for place in ("a.csv, line 7", "a.xlsx, row 7"):
        with pytest.raises(InputError, match=rf"{place}: adjudicated says "):
            read_votes([tmp_path / place.split(",")[0]], drawn)


@pytest.mark.parametrize(("by", "where"), [(1, "above"), (2, "2 above"), (-1, "below")])
def test_a_column_of_labels_that_slid_is_found(
    tmp_path: Path, drawn: pl.DataFrame, by: int, where: str
) -> None:
    write_sample(drawn, tmp_path, say=lambda _: None)
    rows = _sheet(tmp_path / "probability.csv")
    truth = dict(drawn.select("task", pl.col("predicted").cast(pl.String)).iter_rows())
    labels = [truth[row["task"]] for row in rows]
    slid = [*labels[:10], *["answer"] * max(by, 0), *labels[10 + max(-by, 0) :]]
    slid = [*slid, "answer"][: len(labels)]
    path = save(
        tmp_path / "anna.csv",
        [row | {"label": label} for row, label in zip(rows, slid, strict=True)],
    )
    ballot = read_votes([path], drawn)
    problem = ballot.problems.row(0, named=True)
    assert f"the labels are those of the row {where} (" in problem["problem"]
    assert problem["consequence"] == "all of these rows are left out"
    assert abs(problem["row"] - 13) <= 3
    assert len(ballot.votes) <= 14
    # Neither the first nor the last of these rows counts, and all others do.
    to = re.match(r"from here to line (\d+) ", problem["problem"])
    assert to is not None
    lines = [
        Line(at, truth[row["task"]], label)
        for at, (row, label) in enumerate(zip(rows, slid, strict=True), 2)
    ]
    [block] = slid_blocks(lines)
    assert (problem["row"], int(to[1])) == (block.first, block.last)
    out = range(problem["row"], int(to[1]) + 1)
    kept = [row["task"] for at, row in enumerate(rows, 2) if at not in out]
    assert set(ballot.votes["task"]) == set(kept)
    whole = save(
        tmp_path / "ben.csv",
        [row | {"label": label} for row, label in zip(rows, labels, strict=True)],
    )
    assert read_votes([whole], drawn).problems.is_empty()


def test_labels_of_an_export_cannot_slide(tmp_path: Path, drawn: pl.DataFrame) -> None:
    """Each belongs to its task, whatever the machine says of the one above."""
    said = drawn["predicted"].cast(pl.String).shift(1).fill_null("answer")
    tasks = [
        {
            "data": {"task": task},
            "annotations": [
                {"id": at, "completed_by": 1,
                 "result": [{"from_name": "label", "value": {"choices": [label]}}]}
            ],
        }
        for at, (task, label) in enumerate(zip(drawn["task"], said, strict=True), 1)
    ]  # fmt: skip
    path = tmp_path / "export.json"
    path.write_text(json.dumps(tasks), encoding="utf-8")
    ballot = read_votes([path], drawn)
    assert ballot.problems.is_empty()
    assert len(ballot.votes) == ROWS


def test_a_sheet_that_cannot_be_read_is_somebodys_work(tmp_path: Path, drawn: pl.DataFrame) -> None:
    (tmp_path / "adjudicate.csv").write_bytes(b"task;label\n\xff")
    rows = drawn.select("task", "prompt", "response")
    write_adjudication(rows, tmp_path, labelled=[], say=lambda _: None)
    assert (tmp_path / "adjudicate.csv").read_bytes() == b"task;label\n\xff"
    assert len(read_csv(tmp_path / "adjudicate-2.xlsx", required=["task"])) == ROWS


def test_a_sheet_that_is_named_in_the_config_is_not_written_over(
    tmp_path: Path, drawn: pl.DataFrame
) -> None:
    """Even where nobody filled it in."""
    rows = drawn.select("task", "prompt", "response")
    write_adjudication(rows, tmp_path, labelled=[], say=lambda _: None)
    first = {path: path.read_bytes() for path in tmp_path.iterdir()}
    write_adjudication(
        rows.head(3), tmp_path, labelled=[tmp_path / "adjudicate.csv"], say=lambda _: None
    )
    assert {path: path.read_bytes() for path in first} == first
    assert len(_sheet(tmp_path / "adjudicate-2.csv")) == 3


def test_open_rows_stand_in_the_order_of_the_sample_and_votes_in_that_of_names(
    drawn: pl.DataFrame,
) -> None:
    said = [("ben", "refusal"), ("anna", "answer")]
    votes = pl.DataFrame(
        [
            {"task": task, "annotator": who, "label": label, "adjudicated": False}
            for task in reversed(drawn["task"].to_list()[:9])
            for who, label in said
        ]
    )
    found = open_rows(votes, drawn, show_votes=True)
    assert found["task"].to_list() == drawn["task"].to_list()[:9]
    assert set(found["votes"]) == {"anna: answer; ben: refusal"}
    assert open_rows(votes, drawn, show_votes=False).columns == ["task", "prompt", "response"]


def test_the_same_sheet_has_the_same_bytes(tmp_path: Path, drawn: pl.DataFrame) -> None:
    for name in ("a", "b"):
        write_sheets(drawn.select("task", "prompt", "response"), tmp_path / name)
    for ending in ("csv", "xlsx"):
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()
