"""How the jobs of a study ended, from SLURM's accounting."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.cluster.commands import CommandError, ask
from refusal_parity.cluster.runs import runs_of
from refusal_parity.tables import ClusterJobs, conform, empty, write_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_FIELDS: Final = (
    "JobIDRaw", "JobName", "State", "ExitCode", "NodeList", "Partition", "Submit", "Start",
    "ElapsedRaw", "AllocTRES", "ReqTRES", "ReqMem", "MaxRSS", "SubmitLine",
)  # fmt: skip
_SEPARATOR: Final = "\x1f"
_UNITS: Final = {"": 1 / 1024**2, "K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2}
_STARTED: Final = "2000-01-01"


def read_jobs(runs: Sequence[str]) -> pl.DataFrame:
    """All jobs of some runs of Snakemake, a table of `ClusterJobs`.

    A job that SLURM itself put back into the queue has a row for each time it ran.

    Args:
        runs: their names: the jobs' names in SLURM.

    Raises:
        CommandError: `sacct` does not answer.
    """
    if not runs:
        return empty(ClusterJobs)
    found = ask(
        "sacct", "--noheader", "--parsable2", f"--delimiter={_SEPARATOR}", "--duplicates",
        f"--starttime={_STARTED}", f"--name={','.join(runs)}", f"--format={','.join(_FIELDS)}",
    )  # fmt: skip
    return parse_jobs(found)


def record_jobs(results: Path, output: Path, *, say: Callable[[str], None]) -> pl.DataFrame:
    """Write and return the jobs of all runs that made a study's results.

    Without accounting the table is empty: a study that is done must not fail
    over its bookkeeping.

    Args:
        results: the study's results, which name its runs.
        output: where the table of `ClusterJobs` goes.
        say: called with a line if accounting does not answer.

    Raises:
        InputError: the file cannot be written.
    """
    try:
        jobs = read_jobs(runs_of(results))
    except CommandError as error:
        say(f"how the jobs ended is not known ({error})")
        jobs = empty(ClusterJobs)
    write_table(jobs, ClusterJobs, output)
    return jobs


def parse_jobs(found: str) -> pl.DataFrame:
    """The table of `ClusterJobs` in what `sacct` printed."""
    rows: list[dict[str, Any]] = []
    for facts in _records(found):
        if "." in facts["JobIDRaw"]:
            # A step; the job that it belongs to comes before it.
            _take_peak(rows[-1], facts["MaxRSS"])
        else:
            rows.append(_job(facts))
    rows.sort(key=lambda row: (row["submitted"], int(row["job_id"])))
    attempts: dict[tuple[str, str, str | None, int | None], int] = {}
    for row in rows:
        key = (row["run"], row["rule"], row["model"], row["shard"])
        row["attempt"] = attempts[key] = attempts.get(key, 0) + 1
    frame = pl.DataFrame(rows, schema=empty(ClusterJobs).schema)
    return conform(frame, ClusterJobs, where="sacct")


@dataclass(frozen=True)
class _Target:
    """What a job makes: its rule, and the wildcards that this workflow has."""

    rule: str
    model: str | None
    shard: int | None


def _target(submit_line: str) -> _Target:
    """Read from Snakemake's own words in the job: `--target-jobs 'RULE:model=KEY,shard=0'`."""
    found = re.search(r"--target-jobs ('[^']*'|\S+)", submit_line)
    rule, _, wildcards = "".join(shlex.split(found[1]) if found else ["unknown"]).partition(":")
    facts = dict(part.partition("=")[::2] for part in wildcards.split(",") if part)
    model = facts.get("model", facts.get("variant"))
    return _Target(rule, model, int(facts["shard"]) if "shard" in facts else None)


def _records(found: str) -> Iterator[dict[str, str]]:
    for line in found.splitlines():
        fields = line.split(_SEPARATOR)
        # A command line of several lines goes on in the next ones.
        if len(fields) == len(_FIELDS):
            yield dict(zip(_FIELDS, fields, strict=True))


def _job(facts: dict[str, str]) -> dict[str, Any]:
    target = _target(facts["SubmitLine"])
    gpus = _count(facts["AllocTRES"], "gres/gpu") or _asked_gpus(facts)
    submitted, started = _time(facts["Submit"]), _time(facts["Start"])
    wall_s = int(facts["ElapsedRaw"] or 0)
    return {
        "job_id": facts["JobIDRaw"],
        "run": facts["JobName"],
        "rule": target.rule,
        "model": target.model,
        "shard": target.shard,
        # `CANCELLED by 1000` says who did it.
        "state": facts["State"].split()[0],
        "exit_code": int(facts["ExitCode"].split(":")[0] or 0),
        "signal": int(facts["ExitCode"].partition(":")[2] or 0),
        "node": None if facts["NodeList"] in ("", "None assigned") else facts["NodeList"],
        "partition": facts["Partition"] or None,
        "submitted": submitted,
        "wait_s": int((started - submitted).total_seconds()) if started and submitted else None,
        "wall_s": wall_s,
        "gpus": gpus,
        "gpu_hours": gpus * wall_s / 3600,
        "asked_memory_mb": _asked_memory(facts),
        "peak_memory_mb": None,
    }


def _take_peak(row: dict[str, Any], peak: str) -> None:
    if peak:
        row["peak_memory_mb"] = max(row["peak_memory_mb"] or 0.0, _megabytes(peak))


def _time(epoch: str) -> datetime | None:
    return datetime.fromtimestamp(int(epoch), tz=UTC) if epoch.isdigit() else None


def _count(resources: str, name: str) -> int:
    """A count in a list such as `cpu=4,gres/gpu=2,mem=8000M`."""
    return int(dict(part.partition("=")[::2] for part in resources.split(",")).get(name, 0))


def _asked_gpus(facts: dict[str, str]) -> int:
    """GPUs of a cluster that does not account for them (AccountingStorageTRES)."""
    asked = re.search(r"--gpus[= ](?:[\w.]+:)?(\d+)", facts["SubmitLine"].partition("--wrap")[0])
    return int(asked[1]) if asked and facts["ElapsedRaw"] not in ("", "0") else 0


def _asked_memory(facts: dict[str, str]) -> float | None:
    asked = re.fullmatch(r"([\d.]+[KMGT]?)[nc]?", facts["ReqMem"])
    return _megabytes(asked[1]) if asked else None


def _megabytes(size: str) -> float:
    """A size such as `247316K` in MB of 1,048,576 bytes, as SLURM counts them."""
    number, unit = (size[:-1], size[-1]) if size[-1].isalpha() else (size, "")
    return float(number) * _UNITS[unit]
