from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
from report_study import changed

from refusal_parity.report.making import jobs_table
from refusal_parity.report.page import render_page
from refusal_parity.tables import ClusterJobs, conform, empty

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def _jobs() -> pl.DataFrame:
    row = {
        "job_id": "4711",
        "run": "r",
        "rule": "generate_responses",
        "model": "<b>",
        "shard": None,
        "attempt": 2,
        "state": "COMPLETED",
        "exit_code": 0,
        "signal": 0,
        "node": "n1",
        "partition": "gpu",
        "submitted": datetime(2026, 1, 1, tzinfo=UTC),
        "wait_s": 75,
        "wall_s": 5400,
        "gpus": 2,
        "gpu_hours": 3.0,
        "asked_memory_mb": 8000.0,
        "peak_memory_mb": 2290.8,
    }
    return conform(pl.DataFrame([row], schema=empty(ClusterJobs).schema), ClusterJobs, where="test")


def test_a_row_for_each_job(inputs: ReportInputs) -> None:
    table = jobs_table(changed(inputs, jobs=_jobs()))
    assert table is not None
    headings = [heading for heading, _ in table.columns]
    (row,) = table.rows
    shown = dict(zip(headings, (cell.text for cell in row), strict=True))
    assert "Shard" not in shown
    assert (shown["Job"], shown["Attempt"], shown["Node"]) == ("4711", "2", "n1")
    assert (shown["Waited"], shown["Ran"], shown["GPU hours"]) == ("75", "5,400", "3.000")
    assert shown["Memory"] == "2,291"
    page = render_page(changed(inputs, jobs=_jobs()))
    assert "4711" in page
    assert "<td><b>" not in page


def test_a_study_without_cluster_has_no_such_table(inputs: ReportInputs) -> None:
    assert jobs_table(inputs) is None
    assert jobs_table(changed(inputs, jobs=empty(ClusterJobs))) is None
    assert "Jobs on the cluster" not in render_page(changed(inputs, jobs=empty(ClusterJobs)))
