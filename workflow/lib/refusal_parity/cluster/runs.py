"""The runs of a study on a cluster, remembered beside its results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from refusal_parity.cluster.commands import CommandError, ask
from refusal_parity.errors import InputError
from refusal_parity.files import write_text

if TYPE_CHECKING:
    from pathlib import Path

RUNS: Final = "slurm_runs.txt"
"""File of a study's results that names its runs, oldest first."""


def runs_of(results: Path) -> list[str]:
    """Names of the runs so far; SLURM knows each run's jobs by its name."""
    path = results / RUNS
    return path.read_text(encoding="utf-8").split() if path.is_file() else []


def note_run(results: Path, run: str) -> None:
    """Remember a run that is about to submit jobs.

    Raises:
        InputError: the folder cannot be written.
    """
    write_text(results / RUNS, "\n".join([*runs_of(results), run]) + "\n")


def check_none_left(results: Path) -> None:
    """Check that no job of an earlier run waits or runs: two would write the same rows.

    Raises:
        InputError: naming the jobs and how to end them.
    """
    runs = runs_of(results)
    if not runs:
        return
    try:
        found = ask("squeue", "--noheader", f"--name={','.join(runs)}", "--format=%A %j")
    except CommandError:
        return
    left = [line.split() for line in found.splitlines()]
    if left:
        jobs = ", ".join(job for job, _ in left)
        names = ",".join(dict.fromkeys(run for _, run in left))
        raise InputError(
            f"jobs of an earlier run are still there ({jobs}), and would write the same files",
            where=str(results),
            remedy=f"Run `scancel --name {names}`, or wait until they have ended, and start again: "
            "what they saved is used.",
        )
