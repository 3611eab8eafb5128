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
_WHAT_HAPPENED: Final[Mapping[str, str]] = {
    "TIMEOUT": "its time was up in every attempt",
    "OUT_OF_MEMORY": "it was killed for using more than its {asked:,.0f} MB of memory",
    "CANCELLED": "it was cancelled",
    "NODE_FAIL": "its node failed",
    "PREEMPTED": "it had to make room for another job",
    "DEADLINE": "it could not end before its deadline",
    "BOOT_FAIL": "its node did not start",
}
_TOO_LITTLE: Final[Mapping[str, str]] = {"TIMEOUT": "runtime", "OUT_OF_MEMORY": "mem_mb"}


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
    state = job["state"]
    if state == "FAILED" and _is_told(logs, _MEMORY_IS_UP):
        state = "OUT_OF_MEMORY"
    if state in _WHAT_HAPPENED:
        why = _WHAT_HAPPENED[state].format(asked=job["asked_memory_mb"] or 0)
        remedy = _more(job, _TOO_LITTLE[state]) if state in _TOO_LITTLE else _AGAIN
    else:
        why, remedy = _last_error(logs), f"mend that and {_AGAIN}"
    return (
        f"{who}: {job['rule']}, SLURM job {job['job_id']} on {job['node'] or 'no node'}, "
        f"{job['state']}: {why}; {remedy}. "
        f"Log: {logs[0] if logs else 'none'}"
    )


def _more(job: Mapping[str, Any], resource: str) -> str:
    """How to give a job more: the config has keys for engines, other rules ask for the same."""
    rule = job["rule"]
    if rule.startswith("generate_"):
        return f"raise models.{job['model']}.{resource} and {_AGAIN}"
    if rule == "train_variant":
        return f"raise train.variants.{job['model']}.{resource} and {_AGAIN}"
    if rule == "ask_judge":
        return f"raise labelling.judge.{resource} and {_AGAIN}"
    return f"{_AGAIN} with --set-resources {rule}:{resource}=MORE"


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
