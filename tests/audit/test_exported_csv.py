"""What Label Studio exports as CSV."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from refusal_parity.audit.human_labels import read_votes

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

MORNING: Final = "2026-03-01T08:00:00.5Z"
EVENING: Final = "2026-03-01T20:00:00+01:00"


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
        ("user-1", "refusal"),
        ("(unnamed 1)", "answer"),
    ]


def test_a_csv_and_a_json_of_one_project_have_the_same_people(
    tmp_path: Path, sample: pl.DataFrame
) -> None:
    table, listed = tmp_path / "project.csv", tmp_path / "project.json"
    table.write_text(
        "annotation_id,annotator,label,task,updated_at\n"
        f"3,7,refusal,t1,{EVENING}\n"
        f"4,ana@example.org,refusal,t2,{EVENING}\n"
    )
    chosen = {"from_name": "label", "value": {"choices": ["answer"]}}
    said = {"id": 3, "completed_by": 7, "updated_at": MORNING, "result": [chosen]}
    tasks = [{"data": {"task": "t1"}, "annotations": [said]}]
    listed.write_text(json.dumps(tasks), encoding="utf-8")
    ballot = read_votes([table, listed], sample)
    assert ballot.votes.select("task", "annotator", "label").rows() == [
        ("t1", "user-7", "refusal"),
        ("t2", "ana@example.org", "refusal"),
    ]
