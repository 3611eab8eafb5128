"""Files and folders that are either whole or not there."""

from __future__ import annotations

import glob
import os
import platform
import re
import shutil
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from polars.exceptions import PolarsError

from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HOST: Final = re.sub("[^a-z0-9]", "", platform.node().lower())[:20] or "host"
_WRITTEN_BY: Final = re.compile(r"(?P<host>[a-z0-9]+)-(?P<process>\d+)\.[0-9a-f]{8}")
_LONGEST_WRITE_S: Final = 86_400.0


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
    temporary = _temporary(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_remnants(path)
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


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path` that takes its name if the body ends well.

    Args:
        path: the folder to be; one that is there is replaced.

    Yields:
        The folder to fill.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_remnants(path)
    temporary = _temporary(path)
    temporary.mkdir()
    try:
        yield temporary
        shutil.rmtree(path, ignore_errors=True)
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _temporary(path: Path) -> Path:
    """A hidden name beside `path` that says which process writes there."""
    return path.with_name(f".{path.name}.{_HOST}-{os.getpid()}.{uuid4().hex[:8]}")


def _remove_remnants(path: Path) -> None:
    """Remove what killed processes had written of this file or folder."""
    for remnant in path.parent.glob(f".{glob.escape(path.name)}.*"):
        written_by = _WRITTEN_BY.fullmatch(remnant.name.removeprefix(f".{path.name}."))
        if written_by is None:
            continue
        with suppress(OSError):
            if written_by["host"] == _HOST:
                over = not _is_running(int(written_by["process"]))
            else:
                # What runs on another machine cannot be seen from here.
                over = time.time() - remnant.stat().st_mtime > _LONGEST_WRITE_S
            if over and remnant.is_dir():
                shutil.rmtree(remnant)
            elif over:
                remnant.unlink()


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


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
