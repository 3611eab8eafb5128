"""JSON lines, plain or compressed, and Parquet, one object at a time."""

from __future__ import annotations

import codecs
import gzip
import json
import zlib
from typing import IO, TYPE_CHECKING, Any, Final

from refusal_parity.errors import InputError
from refusal_parity.textfiles import GZIP, each_key_once
from refusal_parity.unfolding import refuse_unfolding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LONGEST: Final = 2**26
"""Bytes of a line; a pair takes some thousand, a file without line breaks has but one."""

_PARQUET: Final = b"PAR1"
_BATCH: Final = 1_024

_ANEW: Final = "Write one JSON object on each line, in UTF-8; if the file is cut off, get it anew."


def read_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file with the numbers of their lines; blank lines are passed over.

    Only one line is in memory at a time, of Parquet some thousand rows.

    Args:
        path: JSON lines, compressed by gzip or not, or Parquet, whatever its name ends with.

    Raises:
        InputError: the file is missing or damaged, or a line is no object, naming the line.
    """
    number = 0
    try:
        with path.open("rb") as plain:
            begins = plain.read(len(_PARQUET))
            packed = begins.startswith(GZIP)
            if begins == _PARQUET:
                yield from _rows_of_parquet(path)
                return
            plain.seek(0)
            file: IO[bytes] = gzip.GzipFile(fileobj=plain) if packed else plain  # type: ignore[assignment]
            while line := file.readline(_LONGEST + 1):
                number += 1
                if packed:
                    refuse_unfolding(path, file.tell(), where=f"{path}, line {number}")
                if number == 1:
                    line = line.removeprefix(codecs.BOM_UTF8)
                if line.strip():
                    yield number, _object(line, f"{path}, line {number}")
    except FileNotFoundError as error:
        raise InputError(
            "no such file", where=str(path), remedy="Correct preference.path in the config."
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"the compressed file is damaged after line {number} ({error})",
            where=str(path),
            remedy="Get it anew.",
        ) from error
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror or error})",
            where=str(path),
            remedy="Correct preference.path in the config, or the file's permissions.",
        ) from error
    if number == 0:
        raise InputError("the file is empty", where=str(path), remedy=_ANEW)


def word_of(path: Path) -> str:
    """What the numbers of `read_lines` are: lines, or rows of Parquet, which has no lines."""
    with path.open("rb") as file:
        return "row" if file.read(len(_PARQUET)) == _PARQUET else "line"


def _rows_of_parquet(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    # Slow to import, and most data is JSON.
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    from refusal_parity.unfolding_parquet import refuse_unfolding_parquet  # noqa: PLC0415

    number = 0
    try:
        refuse_unfolding_parquet(path)
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except pa.ArrowException as error:
        raise InputError(
            f"cannot be read as Parquet ({error})", where=str(path), remedy="Get it anew."
        ) from error
    if number == 0:
        raise InputError("no rows", where=str(path), remedy="Get it anew.")


def _object(line: bytes, where: str) -> dict[str, Any]:
    if len(line) > _LONGEST:
        raise InputError(
            f"longer than {_LONGEST // 2**20} MiB: no JSON lines", where=where, remedy=_ANEW
        )
    try:
        found = json.loads(line, object_pairs_hook=each_key_once)
    except (ValueError, RecursionError) as error:
        raise InputError(f"no JSON ({error})", where=where, remedy=_ANEW) from error
    if not isinstance(found, dict):
        raise InputError("no JSON object", where=where, remedy=_ANEW)
    return found
