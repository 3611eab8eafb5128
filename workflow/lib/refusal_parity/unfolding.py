"""Compressed files of others, refused where they unfold to far more than any table would.

Eleven kilobytes may hold the same text a million times, which no memory is enough for. What
people keep as text is compressed 3 to 30 times.
"""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Final

from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

ALWAYS: Final = 2**28
"""Bytes that any file may unfold to."""

TIMES: Final = 100
"""More than so many times its size is no table of people."""


def most_bytes(path: Path) -> int:
    """To how many bytes a file may unfold."""
    return max(ALWAYS, TIMES * path.stat().st_size)


def refuse_unfolding(path: Path, unfolded: int, *, where: str | None = None) -> None:
    """Raise an InputError where a file unfolds to more than it may.

    Args:
        path: the compressed file.
        unfolded: bytes that it unfolds to, or has unfolded to so far.
        where: what to call the place in the error, if not the path.

    Raises:
        InputError: it does.
    """
    if unfolded > most_bytes(path):
        raise InputError(
            f"its {path.stat().st_size:,} bytes unfold to {unfolded:,} or more: no table of "
            "responses, labels or people does",
            where=where or str(path),
            remedy="If it is right nevertheless, write it as CSV or JSON lines, uncompressed.",
        )


def refuse_unfolding_archive(path: Path) -> None:
    """Raise an InputError where a workbook, if it is a ZIP archive, unfolds to too much.

    Raises:
        InputError: it does.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            refuse_unfolding(path, sum(part.file_size for part in archive.infolist()))
