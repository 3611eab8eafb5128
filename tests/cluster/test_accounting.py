from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from refusal_parity.cluster.accounting import parse_jobs, read_jobs, record_jobs
from refusal_parity.cluster.runs import note_run
from refusal_parity.tables import ClusterJobs, empty, read_table

if TYPE_CHECKING:
    from pathlib import Path

# As sacct 22.05 printed it, command lines shortened.
_LINE = (
    "/usr/bin/sbatch --parsable --job-name run-1 --comment rule_{rule} -t 10 --mem 1000 {gpus}"
    "--wrap=/usr/bin/python -m snakemake --target-jobs '{target}' --allowed-rules x"
)
_GPU = _LINE.format(
    rule="generate_responses_wildcards_even",
    gpus="--gpus=a100:2 ",
    target="generate_responses:model=even",
)
_SHARD = _LINE.format(
    rule="generate_shard_wildcards_even_3_4",
    gpus="--gpus=1 ",
    target="generate_shard:model=even,shard=3,shards=4",
)
_CPU = _LINE.format(rule="expand_prompts", gpus="", target="expand_prompts:")


def _printed(*records: tuple[str, ...]) -> str:
    return "".join("\x1f".join(record) + "\n" for record in records)


def _job(
    number: str,
    state: str,
    line: str,
    *,
    start: str = "1795244587",
    elapsed: str = "43",
    allocated: str = "billing=1,cpu=1,mem=1000M,node=1",
    code: str = "0:0",
) -> tuple[str, ...]:
    return (
        number, "run-1", state, code, "n1", "gpu", "1795244586", start, elapsed, allocated,
        "billing=1,cpu=1,mem=1000M,node=1", "1000M", "", line,
    )  # fmt: skip


def _step(number: str, peak: str) -> tuple[str, ...]:
    return (number, "batch", "COMPLETED", *[""] * 9, peak, "")


def test_a_job_with_its_steps_is_one_row() -> None:
    jobs = parse_jobs(
        _printed(_job("2", "COMPLETED", _CPU), _step("2.batch", "247316K"), _step("2.0", "1.5G"))
    )
    (row,) = jobs.to_dicts()
    assert row["rule"] == "expand_prompts"
    assert row["model"] is row["shard"] is None
    assert row["submitted"] == datetime(2026, 11, 21, 7, 3, 6, tzinfo=UTC)
    assert (row["wait_s"], row["wall_s"], row["gpus"], row["gpu_hours"]) == (1, 43, 0, 0)
    assert (row["asked_memory_mb"], row["peak_memory_mb"]) == (1000, 1536)


@pytest.mark.parametrize("allocated", ["cpu=1,gres/gpu=2,node=1", "cpu=1,node=1"])
def test_gpu_hours_with_and_without_accounting_of_gpus(allocated: str) -> None:
    jobs = parse_jobs(_printed(_job("3", "COMPLETED", _GPU, elapsed="5400", allocated=allocated)))
    (row,) = jobs.to_dicts()
    assert (row["model"], row["gpus"], row["gpu_hours"]) == ("even", 2, 3.0)


def test_shards_are_told_apart() -> None:
    (row,) = parse_jobs(_printed(_job("4", "COMPLETED", _SHARD))).to_dicts()
    assert (row["rule"], row["model"], row["shard"]) == ("generate_shard", "even", 3)


def test_work_that_was_submitted_again_counts_its_attempts() -> None:
    jobs = parse_jobs(
        _printed(
            _job("3", "TIMEOUT", _GPU),
            _job("5", "CANCELLED by 1000", _GPU, code="0:15"),
            _job("6", "COMPLETED", _SHARD),
            _job("9", "COMPLETED", _GPU),
        )
    )
    assert jobs["state"].to_list() == ["TIMEOUT", "CANCELLED", "COMPLETED", "COMPLETED"]
    assert jobs["attempt"].to_list() == [1, 2, 1, 3]
    assert jobs["signal"].to_list() == [0, 15, 0, 0]


def test_job_that_never_started() -> None:
    line = _GPU.replace("--gpus=a100:2", "--gpus=2")
    (row,) = parse_jobs(
        _printed(_job("7", "CANCELLED by 0", line, start="Unknown", elapsed="0", allocated=""))
    ).to_dicts()
    assert (row["wait_s"], row["wall_s"], row["gpu_hours"]) == (None, 0, 0)


def test_a_study_is_not_lost_over_its_bookkeeping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note_run(tmp_path, "run-1")
    monkeypatch.setenv("PATH", str(tmp_path))
    said: list[str] = []
    record_jobs(tmp_path, tmp_path / "jobs.parquet", say=said.append)
    assert said == ["how the jobs ended is not known (sacct is not installed here)"]
    assert read_table(ClusterJobs, tmp_path / "jobs.parquet").is_empty()


def test_without_runs_nothing_is_asked() -> None:
    assert read_jobs([]).equals(empty(ClusterJobs))
