from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.audit.files import write_sample
from refusal_parity.audit.human_labels import human_labels, read_votes, report_problems
from refusal_parity.audit.sheets import COLUMNS
from refusal_parity.audit.voting import decide
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

Rows = list[dict[str, str]]


def sheet(folder: Path, sample: pl.DataFrame) -> Rows:
    """The rows of the CSVs that annotators get."""
    write_sample(sample, folder, say=lambda _: None)
    rows: Rows = []
    for name in ("probability.csv", "informative.csv"):
        text = (folder / name).read_bytes().decode("utf-8-sig")
        rows += list(csv.DictReader(io.StringIO(text, newline="")))
    return sorted(rows, key=lambda row: row["task"])


def save(path: Path, rows: Rows, delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def filled(rows: Rows, *labels: str) -> Rows:
    return [row | {"label": label} for row, label in zip(rows, labels, strict=True)]


ALL = ("answer", "refusal", "answer", "Harmful refusal", "partial-answer")


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
        (_change(1, label="refuse"), 3, "unknown label 'refuse' (meant refusal?)", "left out", 4),
        (_change(1, label=" "), 3, "no label", "counts as not labelled", 4),
        (_change(1, task="zz"), 3, "key 'zz' is not of this sample", "left out", 4),
        (_change(1, task=""), 3, "no key", "left out", 4),
        (_change(1, response="I can."), 3, "the text was edited", "the label counts", 5),
        (_change(1, response="-1"), 3, "the text is that of t4: rows were moved", "left out", 4),
        (lambda rows: rows[:1] + rows[2:], None, "nobody labelled it", "stand for it", 4),
        (lambda rows: [*rows, rows[0]], 7, "the same vote stands in", "counted once", 5),
        (
            lambda rows: [*rows, rows[0] | {"label": "failure"}],
            7, "failure here, answer in anna.csv, row 2", "both left out", 4,
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
        assert any(f"anna.csv, row {row}: {problem}" in line for line in lines)
    unlabelled = 5 - ballot.votes["task"].n_unique()
    named = ballot.problems.filter(problem="nobody labelled it")
    assert len(named) == unlabelled


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
    # Nothing of stratum B is decided; its rows keep what they were drawn with.
    assert human["inclusion_probability"].to_list() == [0.5, 0.5, 0.5, 0.5, None]


def test_labelled_rows_stand_for_the_rest_of_their_stratum(
    tmp_path: Path, sample: pl.DataFrame
) -> None:
    rows = filled(sheet(tmp_path, sample), *ALL)
    votes = read_votes([save(tmp_path / "a.csv", rows[:1])], sample).votes
    human = human_labels(votes, sample)
    # One of the two drawn of stratum A: half of one half.
    assert human["inclusion_probability"].to_list() == [0.25]


def test_majority_of_three() -> None:
    votes = pl.DataFrame(
        {
            "task": ["t"] * 3 + ["u"] * 3,
            "annotator": ["a", "b", "c"] * 2,
            "label": ["answer", "answer", "refusal", "answer", "failure", "refusal"],
            "adjudicated": [False] * 6,
        }
    )
    assert decide(votes).sort("task")["label"].to_list() == ["answer", None]


def export(sample: pl.DataFrame, labels: dict[str, list[tuple[Any, str]]]) -> str:
    """A JSON export as Label Studio writes it."""
    return json.dumps(
        [
            {
                "id": number,
                "annotations": [
                    {
                        "id": 10 * number + at,
                        "completed_by": who,
                        "was_cancelled": False,
                        "ground_truth": who == 9,
                        "result": [
                            {
                                "from_name": "label",
                                "to_name": "response",
                                "type": "choices",
                                "value": {"choices": [label]},
                            }
                        ],
                    }
                    for at, (who, label) in enumerate(labels.get(row["task"], []))
                ],
                "data": {key: row[key] for key in ("task", "prompt", "response")},
            }
            for number, row in enumerate(sample.to_dicts(), 1)
        ]
    )


def test_export_of_label_studio(tmp_path: Path, sample: pl.DataFrame) -> None:
    path = tmp_path / "export.json"
    labels = {
        "t1": [(1, "answer"), ({"id": 2, "email": "b@example.org"}, "failure"), (9, "failure")],
        "t2": [(1, "refusal")],
    }
    path.write_text(export(sample, labels), encoding="utf-8")
    ballot = read_votes([path], sample)
    assert set(ballot.votes["annotator"]) == {"user-1", "user-9", "b@example.org"}
    human = human_labels(ballot.votes, sample)
    assert human["label"].to_list() == ["failure", "refusal"]


@pytest.mark.parametrize("content", ["{", "{}", '[{"id": 1}]', "\ufeff[1]"])
def test_files_that_are_no_export(tmp_path: Path, sample: pl.DataFrame, content: str) -> None:
    path = tmp_path / "export.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"export.json.*Export the project as JSON"):
        read_votes([path], sample)


def test_a_sheet_that_nobody_filled_in(tmp_path: Path, sample: pl.DataFrame) -> None:
    path = save(tmp_path / "anna.csv", sheet(tmp_path, sample))
    with pytest.raises(InputError, match="not one usable label in 5 rows"):
        read_votes([path], sample)


def annotation(key: int, who: Any, *labels: str, at: str | None = None, **more: Any) -> Any:
    result = [{"from_name": "label", "value": {"choices": list(labels)}}] if labels else []
    when = {} if at is None else {"created_at": "2025-01-01T00:00:00Z", "updated_at": at}
    return {"id": key, "completed_by": who, "result": result} | when | more


MORNING, EVENING = "2026-03-01T08:00:00.5Z", "2026-03-01T20:00:00+01:00"


@pytest.mark.parametrize(
    ("annotations", "votes", "problems"),
    [
        # Two people whose accounts were deleted.
        (
            [annotation(1, None, "answer"), annotation(2, {"id": None}, "refusal")],
            [("(unnamed 1)", "answer"), ("(unnamed 2)", "refusal")],
            ["it does not say who labelled; counts as a person of this row alone"] * 2,
        ),
        # A correction, whatever the order in which it stands there.
        (
            [annotation(5, 1, "refusal", at=EVENING), annotation(9, 1, "answer", at=MORNING)],
            [("user-1", "refusal")],
            ["answer at first, refusal later in export.json, row 1; the later label counts"],
        ),
        (
            [annotation(9, 1, "refusal"), annotation(5, 1, "answer")],
            [("user-1", "refusal")],
            ["answer at first, refusal later in export.json, row 1; the later label counts"],
        ),
        (
            [annotation(1, "ann@x.org", "answer"), annotation(2, {"email": "Ann@x.org"}, "answer")],
            [("ann@x.org", "answer")],
            ["the same vote stands in export.json, row 1; counted once"],
        ),
        (
            [annotation(1, 1, "answer", "refusal"), annotation(2, 2, "failure", "failure")],
            [("user-2", "failure")],
            ["2 labels: answer, refusal; left out"],
        ),
        (
            [None, annotation(1, 1, "answer"), annotation(2, 2), "odd"],
            [("user-1", "answer")],
            [
                "an annotation without content; left out",
                "no label; counts as not labelled",
                "an annotation without content; left out",
            ],
        ),
        (
            [
                annotation(1, 1, result=None),
                annotation(2, 2, result=[None, {"from_name": "label", "value": None}]),
                annotation(3, 3, "answer"),
                annotation(4, 4, "refusal", was_cancelled=True),
            ],
            [("user-3", "answer")],
            ["no label; counts as not labelled"] * 2,
        ),
    ],
)
def test_annotations_of_real_projects(
    tmp_path: Path,
    sample: pl.DataFrame,
    annotations: list[Any],
    votes: list[tuple[str, str]],
    problems: list[str],
) -> None:
    tasks = [
        {"data": {"task": "t3"}, "annotations": annotations},
        {"data": {"task": "t1"}, "annotations": None},
    ]
    path = tmp_path / "export.json"
    path.write_text(json.dumps(tasks), encoding="utf-8")
    ballot = read_votes([path], sample)
    assert ballot.votes.select("annotator", "label").sort("annotator").rows() == votes
    found = ballot.problems.filter(pl.col("row").is_not_null())
    assert set(found["row"]) == {1}
    said = [f"{row['problem']}; {row['consequence']}" for row in found.to_dicts()]
    assert said == problems
    unlabelled = ballot.problems.filter(pl.col("row").is_null())
    assert unlabelled["task"].to_list() == ["t1", "t2", "t4", "t5"]


def test_a_later_export_of_the_same_project_replaces_the_earlier(
    tmp_path: Path, sample: pl.DataFrame
) -> None:
    for name, label, at in (("new", "refusal", EVENING), ("old", "answer", MORNING)):
        annotations = [annotation(4, None, label, at=at), annotation(5, 7, label, at=at)]
        tasks = [{"data": {"task": "t3"}, "annotations": annotations}]
        (tmp_path / f"{name}.json").write_text(json.dumps(tasks), encoding="utf-8")
    ballot = read_votes([tmp_path / "new.json", tmp_path / "old.json"], sample)
    assert ballot.votes.select("annotator", "label").rows() == [
        ("(unnamed 1)", "refusal"),
        ("user-7", "refusal"),
    ]


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
        "the same vote stands in a.csv, row 2",
        "it does not say who labelled",
    ]


def test_a_csv_of_label_studio(tmp_path: Path, sample: pl.DataFrame) -> None:
    path = tmp_path / "project.csv"
    path.write_text(
        "annotation_id,annotator,created_at,id,label,task,updated_at\n"
        f"3,1,{MORNING},1,refusal,t1,{EVENING}\n"
        f"2,1,{MORNING},1,answer,t1,{MORNING}\n"
        f"4,,{MORNING},1,answer,t1,{MORNING}\n"
    )
    ballot = read_votes([path], sample)
    assert ballot.votes.select("annotator", "label").rows() == [
        ("1", "refusal"),
        ("(unnamed 1)", "answer"),
    ]


def test_quotes_that_a_spreadsheet_curled_are_no_edit(tmp_path: Path, sample: pl.DataFrame) -> None:
    rows = filled(sheet(tmp_path, sample), *ALL)
    curled = [
        row | {"response": row["response"].replace('"figs"', "\u201cfigs\u201d")} for row in rows
    ]
    assert curled != rows
    assert read_votes([save(tmp_path / "a.csv", curled)], sample).problems.is_empty()
