"""Columns of CSV, JSON lines and Parquet files as text, read alike in each."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.csvfiles import ROW, cell, read_csv
from refusal_parity.errors import InputError
from refusal_parity.spelling import as_known
from refusal_parity.textfiles import encodable, read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_ANEW: Final = "Write it anew: one row for each response, cells of text and numbers."
_KINDS: Final = "Give a .csv, .jsonl or .parquet file."


def read_columns(path: Path, columns: Mapping[str, str | None]) -> pl.DataFrame:
    """Read some columns of a file, whatever else it holds.

    Cells are text without surrounding blanks, null where nothing stands; whole
    numbers are written without decimals, however the file stores them.

    Args:
        path: `.csv` (or `.tsv`), `.jsonl` (or `.ndjson`, `.json`) or `.parquet`.
        columns: names of its columns by the key that asks for them; null gives an
            empty column.

    Returns:
        A column for each key, and `ROW`: the line, for Parquet the number of the row.

    Raises:
        InputError: the file cannot be read, a column is missing or ambiguous, or a
            cell is a list or another thing that is no text.
    """
    readers: dict[str, Callable[[Path, Mapping[str, str]], pl.DataFrame]] = {
        ".csv": _from_csv,
        ".tsv": _from_csv,
        ".json": _from_json,
        ".jsonl": _from_json,
        ".ndjson": _from_json,
        ".parquet": _from_parquet,
    }
    kind = path.suffix.lower()
    if kind not in readers:
        raise InputError(
            f"files of type {path.suffix!r} cannot be read", where=str(path), remedy=_KINDS
        )
    named = {key: name for key, name in columns.items() if name is not None}
    frame = readers[kind](path, named)
    if frame.is_empty():
        raise InputError("no rows", where=str(path), remedy="Add at least one row.")
    return frame.with_columns(
        pl.lit(None, pl.String).alias(key) for key, name in columns.items() if name is None
    )


def _there(path: Path, named: Mapping[str, str], found: list[str]) -> dict[str, str]:
    """The columns as the file writes their names."""
    written = dict(zip(named, as_known(named.values(), found), strict=True))
    for key, name in written.items():
        if name not in found:
            raise InputError(
                f"column {name!r}, which columns.{key} names, is missing "
                f"(found: {', '.join(found)})",
                where=str(path),
                remedy="Correct the mapping in the config.",
            )
    return {key: str(name) for key, name in written.items()}


def _from_csv(path: Path, named: Mapping[str, str]) -> pl.DataFrame:
    frame = read_csv(path, required=())
    written = _there(path, named, [name for name in frame.columns if name != ROW])
    return frame.select(ROW, **{key: pl.col(name) for key, name in written.items()})


def _from_json(path: Path, named: Mapping[str, str]) -> pl.DataFrame:
    """One object on each line, or one array of them."""
    text = read_text(path, remedy="Save it in UTF-8.")
    rows = list(_objects(path, text))
    if not rows:
        raise InputError("no rows", where=str(path), remedy="Add at least one row.")
    written = _there(path, named, list(dict.fromkeys(key for _, row in rows for key in row)))
    return pl.DataFrame(
        {
            key: [
                _text(row.get(name), f"column {name!r}, which columns.{key} names,", path, at)
                for at, row in rows
            ]
            for key, name in written.items()
        },
        schema=dict.fromkeys(written, pl.String),
    ).with_columns(pl.Series(ROW, [at for at, _ in rows], dtype=pl.Int64))


def _objects(path: Path, text: str) -> list[tuple[int, dict[str, Any]]]:
    """The objects of a file with their numbers."""
    if text.lstrip().startswith("["):
        found = _parsed(text, path, None)
        numbered = list(enumerate(found if isinstance(found, list) else [found], 1))
    else:
        # Not splitlines: texts may hold other separators of lines than this one.
        lines = enumerate(text.split("\n"), 1)
        numbered = [(at, _parsed(line, path, at)) for at, line in lines if line.strip()]
    for at, row in numbered:
        if not isinstance(row, dict):
            raise InputError("no JSON object", where=f"{path}, row {at}", remedy=_ANEW)
    return numbered


def _parsed(text: str, path: Path, row: int | None) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f"{path}, row {row}" if row else str(path)
        raise InputError(f"no JSON ({error})", where=where, remedy=_ANEW) from error


def _text(value: Any, what: str, path: Path, row: int) -> str | None:
    """A value of JSON as text."""
    match value:
        case None:
            return None
        case str():
            return cell(encodable(value))
        case bool():
            return str(value).lower()
        case float() if math.isnan(value):
            return None
        case float() if value.is_integer():
            return str(int(value))
        case int() | float():
            return str(value)
    kind = "a list" if isinstance(value, list) else "an object"
    raise InputError(
        f"{what} holds {kind}",
        where=f"{path}, row {row}",
        remedy="Write its text into a column of its own and name that one.",
    )


def _from_parquet(path: Path, named: Mapping[str, str]) -> pl.DataFrame:
    try:
        types = pl.read_parquet_schema(path)
        written = _there(path, named, list(types))
        # Two keys may name one column.
        frame = pl.read_parquet(path, columns=list(dict.fromkeys(written.values())))
    except FileNotFoundError as error:
        raise InputError(
            "no such file", where=str(path), remedy="Correct the path in the config."
        ) from error
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(
            f"cannot be read as parquet ({error})", where=str(path), remedy=_ANEW
        ) from error
    texts = {
        key: _column(frame[name], f"column {name!r}, which columns.{key} names,", path)
        for key, name in written.items()
    }
    return pl.DataFrame(texts).with_columns(pl.int_range(1, pl.len() + 1).alias(ROW))


def _column(values: pl.Series, what: str, path: Path) -> pl.Series:
    """A column of Parquet as text."""
    if values.dtype.is_nested() or values.dtype == pl.Object:
        kind = "objects" if values.dtype == pl.Struct else "lists"
        raise InputError(
            f"{what} holds {kind}",
            where=f"{path}, row 1",
            remedy="Write its text into a column of its own and name that one.",
        )
    if values.dtype.is_float():
        whole = values.cast(pl.Int64, strict=False)
        text = pl.when(whole == values).then(whole.cast(pl.String))
        return pl.select(text.otherwise(values.fill_nan(None).cast(pl.String))).to_series()
    try:
        texts = values.cast(pl.String)
    except pl.exceptions.PolarsError as error:
        kind = "bytes that are no UTF-8 text" if values.dtype == pl.Binary else str(values.dtype)
        raise InputError(f"{what} holds {kind}", where=str(path), remedy=_ANEW) from error
    return texts.map_elements(cell, return_dtype=pl.String)
