"""Where the package lies, and in which version."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[3]
"""The project's folder; of one taken from a hosting service, what a study needs of it."""


def git_commit() -> str | None:
    """Commit of the repository that this package lies in or was taken from; null if unknown.

    `-dirty` behind it says that files were changed since.
    """
    archived = (Path(__file__).parent / "commit.txt").read_text(encoding="utf-8").strip()
    if not archived.startswith("$"):  # `git archive` fills it in (.gitattributes)
        return archived
    git = shutil.which("git")
    if git is None:
        return None
    folder = Path(__file__).parent
    described = subprocess.run(  # noqa: S603 - fixed arguments
        [git, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or None


def share_package() -> None:
    """Let every process that this one starts import the package."""
    library = str(Path(__file__).parents[1])
    known = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if library not in known:
        os.environ["PYTHONPATH"] = os.pathsep.join([library, *known])
