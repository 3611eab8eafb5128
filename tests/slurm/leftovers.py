"""What clusters of test runs that were broken off have left: daemons, jobs and folders.

Each cluster notes in its own folder who started it and every daemon that it started, each
by number and time of birth, since numbers are given out again. Nothing else is ended.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PREFIX: Final = "rp-slurm-"
_OWNER: Final = "owner"
_DAEMONS: Final = "pids"
_STARTING_S: Final = 3600.0
"""Age from which a folder without an owner is none that is just being made."""


def note_owner(folder: Path) -> None:
    """Note that this process runs the cluster of a folder."""
    _append(folder / _OWNER, os.getpid())


def note_daemon(folder: Path, pid: int) -> None:
    """Note a daemon of the cluster."""
    _append(folder / _DAEMONS, pid)


def processes_of(folder: Path) -> Iterator[psutil.Process]:
    """Daemons that were noted, and everything whose environment names the folder."""
    yield from _noted(folder / _DAEMONS)
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if str(folder) in " ".join(process.environ().values()):
                yield process


def clear_up(among: Path) -> list[Path]:
    """End and remove what is left of clusters whose test run is no more.

    Args:
        among: where clusters have their folders.

    Returns:
        The folders that are gone.
    """
    gone = []
    for folder in among.glob(f"{PREFIX}*"):
        owner = folder / _OWNER
        try:
            young = time.time() - folder.stat().st_mtime < _STARTING_S
            # A note that is just being written is empty at first.
            noted = owner.exists() and owner.stat().st_size > 0
            runs = list(_noted(owner)) if noted else young
            if runs or folder.owner() != psutil.Process().username():
                continue
        except FileNotFoundError:  # another process clears up, too
            continue
        for process in processes_of(folder):
            end_with_step(process)
        shutil.rmtree(folder, ignore_errors=True)
        gone.append(folder)
    return gone


def end_with_step(process: psutil.Process) -> None:
    """Kill a process and the part of SLURM that watches over it, which overwrote its own
    environment."""
    try:
        steps = [one for one in process.parents() if "slurmstepd" in " ".join(one.cmdline())]
    except psutil.Error:
        steps = []
    for one in [*steps, process]:
        with suppress(psutil.Error):
            one.kill()


def _append(path: Path, pid: int) -> None:
    with suppress(psutil.NoSuchProcess), path.open("a", encoding="utf-8") as file:
        print(pid, psutil.Process(pid).create_time(), file=file)


def _noted(path: Path) -> Iterator[psutil.Process]:
    """Processes of a note that still run, and are those that were noted."""
    with suppress(FileNotFoundError):
        for line in path.read_text("utf-8").splitlines():
            pid, born = line.split()
            with suppress(psutil.NoSuchProcess, ValueError):
                process = psutil.Process(int(pid))
                if abs(process.create_time() - float(born)) < 1:
                    yield process
