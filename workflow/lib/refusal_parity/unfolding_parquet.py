"""Parquet files of others, refused where they unfold to far more than any table would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from refusal_parity.unfolding import most_bytes, refuse_unfolding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

_CELL: Final = 8
"""Bytes of a cell, whatever stands in it."""

_BATCH: Final = 1_024
_NESTED_BATCH: Final = 16


def refuse_unfolding_parquet(path: Path, columns: Collection[str] | None = None) -> None:
    """Raise an InputError where columns of a Parquet file unfold to too much.

    Sizes that its metadata gives are looked at before anything is read. A text that stands
    there once for many rows is counted as often as it will stand in memory.

    Args:
        path: the file.
        columns: those that will be read; all of them without it.

    Raises:
        InputError: they do.
        ValueError: it is no Parquet file (`pyarrow.ArrowInvalid`).
        OSError: it cannot be read.
    """
    with pq.ParquetFile(path) as file:
        rows, schema = file.metadata.num_rows, file.schema_arrow
        wanted = [name for name in schema.names if columns is None or name in columns]
        stored = rows * _CELL * len(wanted)
        repeated: dict[str, int] = {}
        for chunk in _chunks(file.metadata):
            name = chunk.path_in_schema.split(".")[0]
            if name in wanted:
                stored += chunk.total_uncompressed_size
                # One value at most fills its whole dictionary.
                worst = chunk.num_values * chunk.total_uncompressed_size
                repeated[name] = repeated.get(name, 0) + worst
        refuse_unfolding(path, stored)
        suspect = [name for name, worst in repeated.items() if worst > most_bytes(path)]
        texts = [name for name in suspect if not pa.types.is_nested(schema.field(name).type)]
    nested = [name for name in suspect if name not in texts]
    # Texts of their own stay folded: each stands once in a batch, whatever rows it is in.
    for names, batch, folded in ((texts, _BATCH, texts), (nested, _NESTED_BATCH, [])):
        for size in _unfolding(path, names, batch, folded):
            refuse_unfolding(path, stored + size)


def _chunks(metadata: pq.FileMetaData) -> Iterator[pq.ColumnChunkMetaData]:
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for column in range(row_group.num_columns):
            yield row_group.column(column)


def _unfolding(path: Path, names: list[str], batch: int, folded: list[str]) -> Iterator[int]:
    """Bytes of the texts of some columns, so far, as one row after another is read."""
    if not names:
        return
    size = 0
    with pq.ParquetFile(path, read_dictionary=folded) as file:
        for rows in file.iter_batches(batch_size=batch, columns=names, use_threads=False):
            for column in rows.columns:
                size += _bytes_of(column)
            yield size


def _bytes_of(column: pa.Array) -> int:
    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    lengths = pc.binary_length(column.dictionary)
    return int(pc.sum(lengths.take(column.indices)).as_py() or 0)
