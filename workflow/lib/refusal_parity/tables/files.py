"""Tables on disk: checked whenever they are written or read."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar, cast

import dataframely as dy
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from dataframely.exc import SchemaError, ValidationError

from refusal_parity.errors import InputError
from refusal_parity.files import new_file
from refusal_parity.tables.earlier import renew
from refusal_parity.tables.registry import keeps_factors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

Table = TypeVar("Table", bound=dy.Schema)

METADATA_KEY = "refusal_parity"
"""Where provenance stands in the metadata of a Parquet file."""


def empty(schema: type[Table]) -> pl.DataFrame:
    """A table without rows."""
    return pl.DataFrame(schema={name: column.dtype for name, column in schema.columns().items()})


def conform(frame: pl.DataFrame, schema: type[Table], *, where: str) -> dy.DataFrame[Table]:
    """Check a frame against its table and put its columns in the table's order.

    Args:
        frame: any frame that has at least the table's columns. Others are left out,
            but for the factors of a table that keeps these: text and numbers.
        schema: the table.
        where: what to call the frame in an error: a file's path.

    Raises:
        InputError: a column is missing, or a value breaks the table's rules.
    """
    try:
        checked = schema.validate(frame.select(schema.column_names()), cast=True)
    except pl.exceptions.ColumnNotFoundError as error:
        missing = ", ".join(sorted(set(schema.column_names()) - set(frame.columns)))
        raise InputError(
            f"column {missing} of table {schema.__name__} is missing",
            where=where,
            remedy="Make the file anew with this version of the workflow.",
        ) from error
    except (ValidationError, SchemaError, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"not a table of {schema.__name__}: {error}",
            where=where,
            remedy="Make the file anew; if that does not help, the rows themselves are wrong.",
        ) from error
    if not keeps_factors(schema):
        return checked
    factors = frame.drop(schema.column_names()).select(
        pl.selectors.string() | pl.selectors.categorical() | pl.selectors.float()
    )
    factors = factors.with_columns(pl.selectors.categorical().cast(pl.String))
    return cast("dy.DataFrame[Table]", checked.hstack(factors))


def filled(frame: pl.DataFrame, schema: type[Table], *, where: str) -> dy.DataFrame[Table]:
    """`conform` of a frame with nulls in the columns that it lacks.

    Raises:
        InputError: see `conform`; a column must not be null.
    """
    missing = [
        pl.lit(None, column.dtype).alias(name)
        for name, column in schema.columns().items()
        if name not in frame.columns
    ]
    return conform(frame.with_columns(missing), schema, where=where)


def write_table(
    frame: pl.DataFrame,
    schema: type[Table],
    path: Path,
    *,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Write a checked table as Parquet: under a temporary name, then renamed.

    Args:
        frame: the rows.
        schema: the table they must fit.
        path: where to; its folder is made.
        metadata: provenance, kept as JSON in the file's own metadata.

    Raises:
        InputError: the rows do not fit, or the folder cannot be written.
    """
    checked = conform(frame, schema, where=str(path))
    with new_file(path) as temporary:
        checked.write_parquet(
            temporary,
            compression="zstd",
            metadata={METADATA_KEY: json.dumps(dict(metadata or {}), sort_keys=True)},
        )


def write_blocks(blocks: Iterable[pa.Table], schema: type[Table], path: Path) -> None:
    """Write a table too long to be held at once, each block one row group.

    Unlike `write_table`, it checks columns and not rows: their maker answers
    for these. A block is made while the one before is compressed.

    Args:
        blocks: at least one, all of the same columns, which may be
            dictionary-encoded; readers get plain ones.
        schema: the table they must fit.
        path: where to; its folder is made.

    Raises:
        InputError: the columns do not fit, or the folder cannot be written.
    """
    remaining = iter(blocks)
    first = next(remaining)
    conform(pl.DataFrame(first.slice(0, 1)), schema, where=str(path))
    options: dict[str, Any] = {
        "compression": "zstd",
        "use_dictionary": [
            field.name for field in first.schema if pa.types.is_dictionary(field.type)
        ],
        # Nothing reads them, and they cost a third of the time.
        "write_statistics": False,
        # It would bring the encoding back to readers as a type.
        "store_schema": False,
    }
    with (
        new_file(path) as temporary,
        pq.ParquetWriter(temporary, first.schema, **options) as writer,
        ThreadPoolExecutor(max_workers=1) as beside,
    ):
        writing = beside.submit(writer.write_table, first)
        for block in remaining:
            writing.result()
            writing = beside.submit(writer.write_table, block)
        writing.result()


def read_table(schema: type[Table], path: Path) -> dy.DataFrame[Table]:
    """Read and check a table.

    Raises:
        InputError: the file is missing, truncated or not such a table.
    """
    try:
        frame = pl.read_parquet(path)
    except FileNotFoundError as error:
        raise InputError(
            "no such file", where=str(path), remedy="Run the rule that makes it."
        ) from error
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(
            f"not a readable Parquet file ({error})",
            where=str(path),
            remedy="Delete it and run the rule that makes it.",
        ) from error
    return conform(renew(frame, schema), schema, where=str(path))


def read_tables(schema: type[Table], paths: Iterable[Path]) -> pl.DataFrame:
    """Read several files of one table, one below the other; of no files, no rows.

    Columns of the study's own stand in the rows of the files that have them.
    """
    frames = (read_table(schema, path) for path in paths)
    return pl.concat([empty(schema), *frames], how="diagonal")


def read_metadata(path: Path) -> dict[str, Any]:
    """Provenance that `write_table` stored in a file."""
    stored = pl.read_parquet_metadata(path).get(METADATA_KEY, "{}")
    loaded: dict[str, Any] = json.loads(stored)
    return loaded
