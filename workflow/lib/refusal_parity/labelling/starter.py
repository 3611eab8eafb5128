"""The starter labels, which come with the project, among the files to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from refusal_parity.repository import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Sequence

STARTER: Final = Path("data/gold/starter")
"""Folder of labelled responses that come with the project, in the folder of the project."""


def gold_files(gold: Sequence[str], *, starter: bool) -> list[Path]:
    """The files to learn from: those that the config names, and the project's own if wanted.

    A folder that is named stands for the CSVs in it. A study that runs in another folder
    takes the starter labels from the project's.
    """
    named = [file for path in gold for file in _files_in(Path(path))]
    if not starter or any(is_starter(path) for path in named):
        return named
    return [*named, *starter_files()]


def starter_files() -> list[Path]:
    """The files of the starter labels, in the order of their names."""
    return _files_in(STARTER if STARTER.is_dir() else REPOSITORY / STARTER)


def is_starter(path: Path) -> bool:
    """Whether a gold file is one of the project's own."""
    return path.parent in {STARTER, REPOSITORY / STARTER}


def _files_in(path: Path) -> list[Path]:
    return sorted(path.glob("*.csv")) if path.is_dir() else [path]
