"""The starter labels, which come with the project, among the files to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from refusal_parity.repository import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Sequence

STARTER: Final = Path("data/gold/starter.csv")
"""Labelled responses that come with the project, in the folder of the project."""


def gold_files(gold: Sequence[str], *, starter: bool) -> list[Path]:
    """The files to learn from: those that the config names, and the project's own if wanted.

    A study that runs in another folder takes the starter labels from the project's.
    """
    named = [Path(path) for path in gold]
    if not starter or any(is_starter(path) for path in named):
        return named
    return [*named, STARTER if STARTER.is_file() else REPOSITORY / STARTER]


def is_starter(path: Path) -> bool:
    """Whether a gold file is the project's own."""
    return path in {STARTER, REPOSITORY / STARTER}
