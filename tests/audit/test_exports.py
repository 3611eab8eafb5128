"""What Label Studio exports, read without a server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.audit.human_labels import human_labels, read_votes, report_problems
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


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


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (
            {"t1": [(1, "answer"), (None, "failure")], "t2": [(None, "refusal")], "t3": [],
             "t4": [(1, "answer")]},
            ["3 of 5 responses labelled, by 1 annotator and, 2 times, by somebody without a name"],
        ),
        (
            {"t1": [(1, "answer"), (2, "answer")], "t5": [(3, "refusal")]},
            [
                "2 of 5 responses labelled, by 3 annotators",
                ("1 stratum of the probability sample has no label yet, the first being 'B': "
                "corrected rates do not cover it"),
            ],
        ),
        (
            {"t5": [(1, "refusal")]},
            [
                "1 of 5 responses labelled, by 1 annotator",
                ("2 strata of the probability sample have no label yet, the first being 'A': "
                "corrected rates do not cover them"),
            ],
        ),
    ],
)  # fmt: skip
def test_what_was_read_is_told(
    tmp_path: Path, sample: pl.DataFrame, labels: dict[str, Any], said: list[str]
) -> None:
    path = tmp_path / "EXPORT.JSON"
    path.write_text(export(sample, labels), encoding="utf-8")
    ballot = read_votes([path], sample)
    lines: list[str] = []
    report_problems(ballot, sample, say=lines.append)
    assert [line for line in lines if not line.startswith("EXPORT.JSON")] == said


@pytest.mark.parametrize("content", ["{", "{}", '[{"id": 1}]', "\ufeff[1]", "[" * 99_999])
def test_files_that_are_no_export(tmp_path: Path, sample: pl.DataFrame, content: str) -> None:
    path = tmp_path / "export.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"export.json.*Export the project as JSON"):
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
            ["no label; counts as not labelled"] * 2 + ["an annotation that was skipped; left out"],
        ),
        (
            [annotation(1, 1, " "), annotation(2, 2, "answer")],
            [("user-2", "answer")],
            ["no label; counts as not labelled"],
        ),
        (
            [annotation(1, [True], "answer"), annotation(2, 3, "refusal")],
            [("(unnamed 1)", "answer"), ("user-3", "refusal")],
            ["it does not say who labelled; counts as a person of this row alone"],
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


def test_drafts_are_no_votes_and_are_told_of(tmp_path: Path, sample: pl.DataFrame) -> None:
    drafts = [annotation(7, 2, "refusal"), annotation(8, 2), 9, None]
    tasks = [
        {"data": {"task": "t1"}, "annotations": [annotation(1, 1, "answer")]},
        {"data": {"task": "t3"}, "annotations": [], "drafts": drafts, "predictions": drafts},
    ]
    path = tmp_path / "export.json"
    path.write_text(json.dumps(tasks), encoding="utf-8")
    ballot = read_votes([path], sample)
    assert ballot.votes["task"].to_list() == ["t1"]
    problems = ballot.problems.filter(pl.col("row").is_not_null())
    assert problems.select("row", "problem", "consequence").rows() == [
        (2, "a draft that was not submitted", "left out")
    ]


def test_half_a_character_in_an_export(tmp_path: Path, sample: pl.DataFrame) -> None:
    votes = [annotation(1, "a \ud83d", "answer"), annotation(2, 2, "answer", "no \udc00")]
    tasks = [{"data": {"task": "t3", "response": "\ud83d"}, "annotations": votes}]
    tasks += [{"data": {"task": "t1 \ud83d"}, "annotations": votes}]
    path = tmp_path / "export.json"
    path.write_text(json.dumps(tasks), encoding="utf-8")
    ballot = read_votes([path], sample)
    assert ballot.votes.select("task", "annotator").rows() == [("t3", "a \ufffd")]


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


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_of_exports_that_say_nothing_of_time_the_last_named_counts(
    tmp_path: Path, sample: pl.DataFrame, order: str
) -> None:
    labels = {"a": "refusal", "b": "answer"}
    for name, label in labels.items():
        tasks = [{"data": {"task": "t3"}, "annotations": [annotation(4, 7, label)]}]
        (tmp_path / f"{name}.json").write_text(json.dumps(tasks), encoding="utf-8")
    ballot = read_votes([tmp_path / f"{name}.json" for name in order], sample)
    assert ballot.votes["label"].to_list() == [labels[order[1]]]
    problem = ballot.problems.row(0, named=True)
    assert (problem["file"], problem["consequence"]) == (
        f"{order[0]}.json",
        "the later label counts",
    )


@pytest.mark.parametrize(
    ("first", "second", "name"),
    [
        (7, {"id": 7}, "user-7"),
        (7, {"id": "7"}, "user-7"),
        ({"id": 7, "email": "a@example.org"}, 7, "a@example.org"),
        (7, {"id": 7, "email": "a@example.org", "first_name": "A"}, "a@example.org"),
        ({"id": 7, "email": ""}, 7, "user-7"),
    ],
)
def test_one_account_in_two_exports_is_one_person(
    tmp_path: Path, sample: pl.DataFrame, first: Any, second: Any, name: str
) -> None:
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    for path, who in zip(paths, (first, second), strict=True):
        path.write_text(export(sample, {"t1": [(who, "answer")]}), encoding="utf-8")
    ballot = read_votes(paths, sample)
    assert ballot.votes.select("task", "annotator").rows() == [("t1", name)]
