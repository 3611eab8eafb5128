"""Where the package lies, and in which version."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


def git_commit() -> str | None:
    """Commit of the repository that this package lies in; null outside a repository.

    `-dirty` behind it says that files were changed since.
    """
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
