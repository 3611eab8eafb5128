"""What became of a job that failed, in one sentence with what to do."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from os import PathLike

_NO_FAILURE: Final = ("COMPLETED", "RUNNING", "PENDING", "COMPLETING")
_MEMORY_IS_UP: Final = ("Exceeded job memory limit", "oom-kill", "oom_kill")
"""What SLURM writes into a job's log when it, or the kernel, kills it for its memory."""
_AGAIN: Final = "run the same command again"
_MEANINGS: Final[Mapping[str, tuple[str, str]]] = {
    "TIMEOUT": ("its time was up in every attempt", "raise {key}runtime and {again}"),
    "OUT_OF_MEMORY": (
        "it was killed for using more than its {asked:,.0f} MB of memory",
        "raise {key}mem_mb and {again}",
    ),
    "CANCELLED": ("it was cancelled", "{again}"),
    "NODE_FAIL": ("its node failed", "{again}"),
    "PREEMPTED": ("it had to make room for another job", "{again}"),
    "DEADLINE": ("it could not end before its deadline", "{again}"),
    "BOOT_FAIL": ("its node did not start", "{again}"),
}


def failed_jobs(jobs: pl.DataFrame, run: str) -> list[dict[str, Any]]:
    """Rows of `ClusterJobs` whose last attempt in a run did not end well."""
    last = (
        jobs.filter(pl.col("run") == run)
        .group_by("rule", "model", "shard", maintain_order=True)
        .last()
    )
    return last.filter(~pl.col("state").is_in(_NO_FAILURE)).to_dicts()


def sentence(job: Mapping[str, Any], logs: Sequence[str | PathLike[str]]) -> str:
    """What became of a job: who, which job where, why, what to do, and its log.

    Args:
        job: a row of `ClusterJobs`.
        logs: its logs, that of the rule first; the reason of a failure is looked
            for in all of them.
    """
    who = job["model"] or job["rule"]
    if job["shard"] is not None:
        who += f" (shard {job['shard']})"
    key = f"models.{job['model']}." if job["rule"].startswith("generate_") else "the rule's "
    state = job["state"]
    if state == "FAILED" and _is_told(logs, _MEMORY_IS_UP):
        state = "OUT_OF_MEMORY"
    why, remedy = _MEANINGS.get(state, (None, "mend that and {again}"))
    why = _last_error(logs) if why is None else why.format(asked=job["asked_memory_mb"] or 0)
    return (
        f"{who}: {job['rule']}, SLURM job {job['job_id']} on {job['node'] or 'no node'}, "
        f"{job['state']}: {why}; {remedy.format(key=key, again=_AGAIN)}. "
        f"Log: {logs[0] if logs else 'none'}"
    )


def _last_error(logs: Sequence[str | PathLike[str]]) -> str:
    """The reason that a job gave in one of its logs, or that there is none."""
    for text in _texts(logs):
        errors = [line.partition("ERROR ")[2] for line in text.splitlines() if "ERROR " in line]
        if errors:
            return errors[-1].rstrip(".")
    return "it failed without a word"


def _is_told(logs: Sequence[str | PathLike[str]], signs: Sequence[str]) -> bool:
    return any(sign in text for text in _texts(logs) for sign in signs)


def _texts(logs: Sequence[str | PathLike[str]]) -> Iterator[str]:
    for log in logs:
        with contextlib.suppress(OSError):
            yield Path(log).read_text(encoding="utf-8", errors="replace")
