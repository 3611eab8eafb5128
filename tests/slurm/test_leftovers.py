"""A test run that was broken off leaves nothing that hinders the next one."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest
from leftovers import PREFIX, clear_up, note_daemon, note_owner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WAIT = "import time; time.sleep(600)"


@pytest.fixture
def running() -> Iterator[list[subprocess.Popen[bytes]]]:
    processes = [subprocess.Popen([sys.executable, "-c", _WAIT]) for _ in range(3)]
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def _cluster(among: Path, name: str, daemon: int) -> Path:
    folder = among / f"{PREFIX}{name}"
    folder.mkdir()
    note_owner(folder)
    note_daemon(folder, daemon)
    return folder


def _ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        return process.wait(10) != 0
    except subprocess.TimeoutExpired:
        return False


def test_only_what_dead_runs_noted_is_ended(
    tmp_path: Path, running: list[subprocess.Popen[bytes]]
) -> None:
    daemon, others, stranger = running
    left = _cluster(tmp_path, "left", daemon.pid)
    used = _cluster(tmp_path, "used", others.pid)
    number, born = (left / "owner").read_text("utf-8").split()
    # The number is taken again, by a process that was born later.
    (left / "owner").write_text(f"{number} {float(born) - 60}\n", "utf-8")
    # So is that of one of its daemons: whoever has it now is left alone.
    with (left / "pids").open("a", encoding="utf-8") as file:
        print(stranger.pid, psutil.Process(stranger.pid).create_time() - 60, file=file)
    assert clear_up(tmp_path) == [left]
    assert _ended(daemon)
    assert not left.exists()
    assert used.exists()
    assert others.poll() is None
    assert stranger.poll() is None


def test_what_names_the_folder_in_its_environment_is_ended(tmp_path: Path) -> None:
    """Jobs are no daemons: SLURM's steps start them."""
    folder = tmp_path / f"{PREFIX}left"
    folder.mkdir()
    (folder / "owner").write_text("4194399 1.0\n", "utf-8")
    job = subprocess.Popen(
        [sys.executable, "-c", _WAIT], env={"SLURM_CONF": f"{folder}/slurm.conf"}
    )
    try:
        time.sleep(0.2)
        assert clear_up(tmp_path) == [folder]
        assert _ended(job)
    finally:
        job.kill()
        job.wait()


@pytest.mark.parametrize("owner", [False, True])
def test_a_folder_that_is_just_being_made_is_left(tmp_path: Path, *, owner: bool) -> None:
    folder = tmp_path / f"{PREFIX}new"
    folder.mkdir()
    if owner:
        (folder / "owner").touch()
    assert clear_up(tmp_path) == []
    assert folder.exists()
