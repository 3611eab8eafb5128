"""Files of a store's rows: each whole, or known to be broken."""

from __future__ import annotations

import hashlib
import io
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.files import new_file
from refusal_parity.tables import conform

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    import dataframely as dy

_PREFIX: Final = "chunk-"
_METADATA: Final = "refusal_parity"
_TIME: Final = "%Y%m%dT%H%M%S"


class BrokenChunkError(Exception):
    """A chunk's name or bytes are not those that were written."""


@dataclass(frozen=True, slots=True, order=True)
class ChunkName:
    """The name of a chunk: `chunk-<begin of its job>-<job>-<number>.<checksum>.parquet`.

    Attributes:
        begun: when its job began, in UTC, so that names sort by it.
        job: name of the job, which no two share.
        number: which of the job's chunks it is; 0 for all of them in one.
        checksum: of the file's bytes.
    """

    begun: str
    job: str
    number: int
    checksum: str

    @classmethod
    def of(cls, path: Path) -> ChunkName:
        """The parts of a file's name.

        Raises:
            BrokenChunkError: it is none of a chunk: a copy that another program made.
        """
        try:
            stem, checksum, _ = path.name.removeprefix(_PREFIX).split(".")
            begun, job, number = stem.split("-")
            return cls(begun, job, int(number), checksum)
        except ValueError:
            raise BrokenChunkError from None

    def __str__(self) -> str:
        """The file's name."""
        return f"{_PREFIX}{self.begun}-{self.job}-{self.number:05}.{self.checksum}.parquet"


def moment(time: datetime) -> str:
    """A time as names of chunks have it."""
    return time.strftime(_TIME)


def chunks_in(folder: Path) -> list[Path]:
    """The chunks in a folder, those of the newest job first."""
    return sorted(folder.glob(f"{_PREFIX}*.parquet"), reverse=True)


def write_chunk(
    rows: pl.DataFrame,
    schema: type[dy.Schema],
    folder: Path,
    name: ChunkName,
    metadata: Mapping[str, Any],
) -> Path:
    """Write a chunk; once this returns, it outlives the process and the machine.

    Args:
        rows: of the table.
        schema: the table.
        folder: where to; it is made.
        name: all of the name but its checksum.
        metadata: how the rows were made.

    Returns:
        The file.

    Raises:
        InputError: the folder cannot be written.
    """
    content = io.BytesIO()
    conform(rows, schema, where=str(folder)).write_parquet(
        content, compression="zstd", metadata={_METADATA: json.dumps(dict(metadata))}
    )
    whole = content.getvalue()
    path = folder / str(ChunkName(name.begun, name.job, name.number, _checksum(whole)))
    with new_file(path) as temporary, temporary.open("wb") as file:
        file.write(whole)
        file.flush()
        os.fsync(file.fileno())
    _sync(folder)
    return path


def read_chunk(path: Path) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Rows of a chunk and how they were made.

    Raises:
        BrokenChunkError: the file is truncated or was changed.
        FileNotFoundError: it is gone: another job has put it together with others.
    """
    whole = path.read_bytes()
    if _checksum(whole) != ChunkName.of(path).checksum:
        raise BrokenChunkError
    metadata = pl.read_parquet_metadata(io.BytesIO(whole)).get(_METADATA, "{}")
    return pl.read_parquet(io.BytesIO(whole)), json.loads(metadata)


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _sync(folder: Path) -> None:
    """Let a new name outlive the machine, where the file system knows that."""
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    except OSError:
        """Some file systems of networks do not; the file itself is there."""
    finally:
        os.close(directory)
