"""Names of the columns of tables in files, and which of them a config means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.cells import read_header
from refusal_parity.errors import InputError
from refusal_parity.inference.json_rows import objects_of
from refusal_parity.spelling import as_known, reading
from refusal_parity.textfiles import read_text
from refusal_parity.workbooks import WORKBOOKS, Sheet, is_workbook

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

ROWS: Final = frozenset({".csv", ".tsv", *WORKBOOKS})
"""Endings of tables whose cells are all text."""

JSON: Final = frozenset({".json", ".jsonl", ".ndjson"})
"""Endings of files of objects."""


def kind_of(path: Path) -> str:
    """The ending of a file's name that says what it is; text may be compressed."""
    packed = path.suffix.lower() == ".gz"
    inner = path.with_suffix("").suffix.lower() if packed else path.suffix.lower()
    return path.suffix.lower() if packed and inner in {".parquet", *WORKBOOKS} else inner


def scalar_columns(
    path: Path, *, sheet: str | None = None, needed: Collection[str] = ()
) -> list[str]:
    """Names of a file's columns that hold text or numbers, in their order.

    Args:
        path: as for `read_columns`.
        sheet: of a workbook; null for the first.
        needed: columns that are named whatever they hold, so that `read_columns` says of
            them what is wrong.

    Raises:
        InputError: the file cannot be read.
    """
    kind = kind_of(path)
    if kind in JSON:
        rows = [row for _, row in objects_of(path, read_text(path, remedy="Save it in UTF-8."))]
        names = dict.fromkeys(name for row in rows for name in row)
        nested = {name for row in rows for name in row if isinstance(row[name], list | dict)}
        return [name for name in names if name not in nested or name in needed]
    if kind == ".parquet":
        types = _parquet_types(path)
        return [name for name, dtype in types.items() if not dtype.is_nested() or name in needed]
    return read_header(path, Sheet(sheet)) if kind in ROWS else []


def _parquet_types(path: Path) -> Mapping[str, pl.DataType]:
    """Columns of Parquet; none where it cannot be read, which `read_columns` says."""
    try:
        return pl.read_parquet_schema(path)
    except (FileNotFoundError, pl.exceptions.PolarsError, OSError):
        return {}


def refuse_missing(path: Path, columns: Mapping[str, str | None]) -> None:
    """Raise an InputError where a file's head lacks a column, without a look at its rows.

    Rows of JSON may have keys of their own, and a workbook is read whole or not at all: of
    these, `read_columns` tells.

    Args:
        path: as for `read_columns`.
        columns: likewise.

    Raises:
        InputError: a column is missing or ambiguous.
    """
    kind, named = kind_of(path), {key: name for key, name in columns.items() if name is not None}
    if kind == ".parquet":
        found = list(_parquet_types(path))
    elif kind in ROWS and not is_workbook(path):
        found = read_header(path)
    else:
        return
    if found:
        there(path, named, found, nested=kind == ".parquet")


def there(
    path: Path, named: Mapping[str, str], found: list[str], *, nested: bool
) -> dict[str, str]:
    """The columns as the file writes their names; a path if it begins with such a name."""
    written = dict(zip(named, as_known(named.values(), found), strict=True))
    for key, name in written.items():
        if name not in found and not (nested and head_of(str(name), found)):
            alike = [repr(each) for each in found if reading(each) == reading(str(name))]
            what = f"may be {' or '.join(alike)}" if alike else "is missing"
            raise InputError(
                f"column {name!r}, which {key} names, {what} (found: {', '.join(found)})",
                where=str(path),
                remedy="Correct the mapping in the config.",
            )
    return {key: str(name) for key, name in written.items()}


def head_of(name: str, found: Collection[str]) -> str | None:
    """The column that a path begins with; the longest, since names may have dots in them."""
    steps = name.split(".")
    heads = (".".join(steps[:end]) for end in range(len(steps), 0, -1))
    return next((head for head in heads if head in found), None)
