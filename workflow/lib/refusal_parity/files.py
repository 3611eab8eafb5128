"""Files that are either whole or not there."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from polars.exceptions import PolarsError

from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, renamed to it if the body ends well.

    Args:
        path: the file to be; its folder is made.

    Yields:
        The name to write to.

    Raises:
        InputError: the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)  # noqa: PTH105 - Path.replace hides that it overwrites
    except (OSError, PolarsError) as error:
        reason = _reason(error)
        if reason is None:
            raise
        raise InputError(
            f"cannot be written ({reason})",
            where=str(path),
            remedy="Give a results folder that you may write to and that has room.",
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _reason(error: OSError | PolarsError) -> str | None:
    """What the file system said; polars hands it on as text. None if it said nothing."""
    number = re.search(r"\(os error (\d+)\)", str(error))
    if number:
        return os.strerror(int(number[1]))
    return (error.strerror or str(error)) if isinstance(error, OSError) else None


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8.

    Raises:
        InputError: the folder cannot be written.
    """
    with new_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
