from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.cluster.endings import failed_jobs, sentence

if TYPE_CHECKING:
    from pathlib import Path


def _job(**facts: Any) -> dict[str, Any]:
    return {
        "run": "r", "rule": "generate_responses", "model": "even", "shard": None, "job_id": "17",
        "state": "FAILED", "node": "n1", "asked_memory_mb": 700.0,
    } | facts  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (
            {"state": "OUT_OF_MEMORY"},
            (
                "even: generate_responses, SLURM job 17 on n1, OUT_OF_MEMORY: it was killed for "
                "using more than its 700 MB of memory; raise models.even.mem_mb and run the same "
                "command again. Log: "
            ),
        ),
        (
            {"state": "TIMEOUT", "rule": "generate_shard", "shard": 2},
            (
                "even (shard 2): generate_shard, SLURM job 17 on n1, TIMEOUT: its time was up in "
                "every attempt; raise models.even.runtime and run the same command again. Log: "
            ),
        ),
        (
            {"state": "TIMEOUT", "rule": "ask_judge"},
            "raise labelling.judge.runtime and run the same command again. Log: ",
        ),
        (
            {"state": "OUT_OF_MEMORY", "rule": "train_variant"},
            "raise train.variants.even.mem_mb and run the same command again. Log: ",
        ),
        (
            {"state": "OUT_OF_MEMORY", "rule": "test_disparity"},
            (
                "of memory; run the same command again with --set-resources "
                "test_disparity:mem_mb=MORE. Log: "
            ),
        ),
        (
            {"state": "CANCELLED", "node": None},
            "SLURM job 17 on no node, CANCELLED: it was cancelled; run the same command again.",
        ),
        (
            {"rule": "train_classifier", "model": None},
            (
                "train_classifier: train_classifier, SLURM job 17 on n1, FAILED: results: no "
                "{room}; mend that and run the same command again. Log: "
            ),
        ),
    ],
)
def test_sentence(tmp_path: Path, facts: dict[str, Any], text: str) -> None:
    log = tmp_path / "job.log"
    log.write_text("07:00:00 starting\n07:00:01 ERROR results: no {room}.\n")
    said = sentence(_job(**facts), [log])
    assert text in said
    assert said.endswith(f"Log: {log}")


def test_reason_of_a_job_whose_own_log_is_empty(tmp_path: Path) -> None:
    by_slurm = tmp_path / "17.log"
    by_slurm.write_text("[even] ERROR disk: full.\n")
    said = sentence(_job(), [tmp_path / "none", by_slurm])
    assert "FAILED: disk: full; mend that" in said
    assert said.endswith(f"Log: {tmp_path}/none")


def test_job_without_a_log() -> None:
    assert "FAILED: it failed without a word;" in sentence(_job(), [])


def test_only_the_last_attempt_of_the_run_counts() -> None:
    jobs = pl.DataFrame(
        [
            _job(run="before"),
            _job(state="TIMEOUT"),
            _job(state="COMPLETED"),
            _job(model="odd", state="COMPLETED"),
            _job(model="odd", state="NODE_FAIL", job_id="18"),
            _job(model="late", state="RUNNING"),
        ]
    )
    assert [job["job_id"] for job in failed_jobs(jobs, "r")] == ["18"]


def test_memory_that_is_up_is_read_from_slurms_log(tmp_path: Path) -> None:
    """Without the kernel's count SLURM ends such a job as FAILED, and its own log is silent."""
    own, by_slurm = tmp_path / "rule.log", tmp_path / "17.log"
    own.write_text("07:00:00 starting\n")
    by_slurm.write_text("slurmstepd-n1: error: Exceeded job memory limit\n")
    said = sentence(_job(), [own, by_slurm])
    assert "FAILED: it was killed for using more than its 700 MB of memory; raise models" in said
