"""Tables read and written part by part, for those that need not fit into memory."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import dataframely as dy
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from refusal_parity.errors import InputError
from refusal_parity.files import new_file
from refusal_parity.tables.earlier import renew
from refusal_parity.tables.files import METADATA_KEY, conform, empty

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

Table = TypeVar("Table", bound=dy.Schema)


def read_parts(
    schema: type[Table], path: Path, rows: int, *, columns: list[str] | None = None
) -> Iterator[pl.DataFrame]:
    """Read a table some rows at a time; each part is checked, keys within it alone.

    Args:
        schema: the table.
        path: its file.
        rows: rows in a part, at most.
        columns: only these columns; the parts are then not checked.

    Yields:
        Parts in the file's order; a table without rows is one empty part.

    Raises:
        InputError: the file is missing, truncated or not such a table.
    """
    try:
        with pq.ParquetFile(path) as file:
            if file.metadata.num_rows == 0:
                yield empty(schema) if columns is None else empty(schema).select(columns)
            for batch in file.iter_batches(batch_size=rows, columns=columns):
                part = pl.from_arrow(pa.Table.from_batches([batch]))
                if columns is None:
                    part = conform(renew(pl.DataFrame(part), schema), schema, where=str(path))
                yield pl.DataFrame(part)
    except FileNotFoundError as error:
        raise InputError(
            "no such file", where=str(path), remedy="Run the rule that makes it."
        ) from error
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"not a readable Parquet file ({error})",
            where=str(path),
            remedy="Delete it and run the rule that makes it.",
        ) from error


@dataclass(frozen=True)
class Scanned:
    """Files of one table, one below the other, of which only what is asked for is read.

    The texts of a million responses need not be held to count their labels.

    Attributes:
        schema: the table.
        paths: its files, at least one, which must stay as they are.
    """

    schema: type[dy.Schema]
    paths: tuple[Path, ...]

    def parts(self, rows: int) -> Iterator[pl.DataFrame]:
        """All rows, checked as by `read_parts`, some at a time."""
        for path in self.paths:
            yield from read_parts(self.schema, path, rows)

    def lazy(self, only: int | None = None) -> pl.LazyFrame:
        """The table's columns in its types; rows are not checked.

        Args:
            only: place of the one file to read; all of them without it.
        """
        wanted = {name: column.dtype for name, column in self.schema.columns().items()}
        frames = []
        for path in self.paths if only is None else [self.paths[only]]:
            found = renew(pl.scan_parquet(path), self.schema)
            there = found.collect_schema()
            frames.append(
                found.select(
                    pl.col(name) if there[name] == dtype else pl.col(name).cast(dtype)
                    for name, dtype in wanted.items()
                )
            )
        return pl.concat(frames)


def scan_tables(schema: type[Table], paths: Sequence[Path]) -> Scanned:
    """Several files of one table, to be read when asked.

    Raises:
        InputError: a file is missing or no such table.
    """
    for path in paths:
        next(read_parts(schema, path, 1))
    return Scanned(schema, tuple(paths))


def write_parts(
    parts: Iterable[pl.DataFrame],
    schema: type[Table],
    path: Path,
    *,
    metadata: Mapping[str, Any] | None = None,
) -> int:
    """Write a table part by part: under a temporary name, then renamed.

    Args:
        parts: the rows, one part or more; each is checked, keys within it alone.
        schema: the table they must fit.
        path: where to; its folder is made.
        metadata: provenance, kept as JSON in the file's own metadata.

    Returns:
        Rows written.

    Raises:
        InputError: the rows do not fit, or the folder cannot be written.
    """
    stored = {METADATA_KEY: json.dumps(dict(metadata or {}), sort_keys=True)}
    written = 0
    with new_file(path) as temporary:
        arrow = empty(schema).to_arrow().schema
        with pq.ParquetWriter(temporary, arrow, compression="zstd") as writer:
            for part in parts:
                checked = conform(part, schema, where=str(path))
                writer.write_table(checked.to_arrow().cast(arrow))
                written += len(checked)
            writer.add_key_value_metadata(stored)
    return written
