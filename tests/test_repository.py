from __future__ import annotations

import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from refusal_parity.repository import git_commit

if TYPE_CHECKING:
    from pathlib import Path

MOST_LINES = 300


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no git repository at {root}")
    return done.stdout.decode().strip()


def test_commit_is_that_of_the_repository(root: Path) -> None:
    commit = git_commit()
    assert commit is not None
    assert _git(root, "rev-parse", "HEAD").startswith(commit.removesuffix("-dirty"))


def test_an_archive_of_the_repository_knows_its_commit(root: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive.zip"
    _git(root, "archive", f"--output={archive}", "HEAD", "workflow/lib", ".gitattributes")
    with zipfile.ZipFile(archive) as files:
        files.extractall(tmp_path)
    program = "from refusal_parity.repository import git_commit; print(git_commit())"
    told = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path / "workflow" / "lib",
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert len(told) >= 7
    assert _git(root, "rev-parse", "HEAD").startswith(told)


def test_no_file_of_code_is_longer_than_a_reader_takes_in(root: Path) -> None:
    """One idea for each module, as a limit of lines, of tests and programs too."""
    files = _git(root, "ls-files", "*.py", "*.smk").splitlines()
    assert len(files) > 500
    lengths = {
        name: len((root / name).read_text(encoding="utf-8").splitlines())
        for name in files
        if (root / name).is_file()
    }
    long = {name: lines for name, lines in lengths.items() if lines > MOST_LINES}
    assert not long, f"longer than {MOST_LINES} lines, so part them by what they hold: {long}"
