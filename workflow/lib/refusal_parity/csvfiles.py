"""Read hand-edited CSV files; every complaint names the file and the row."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# A response may be longer than the 131,072 characters that a cell has at most by default.
csv.field_size_limit(2**31 - 1)

_SPREADSHEET = "Save it as CSV, comma-separated, UTF-8, with a header row."


def read_csv(path: Path, *, required: Sequence[str], filled: Sequence[str] = ()) -> pl.DataFrame:
    """Read a CSV as text columns, with the line number of every row in `line`.

    Args:
        path: the file, UTF-8 with a header row; commas, semicolons or tabs between cells.
        required: columns that must be there.
        filled: columns in which no cell may be empty.

    Returns:
        All columns as strings without surrounding blanks (null for an empty
        cell) and `line` (int): where the row begins in the file.

    Raises:
        InputError: naming file and line.
    """
    header, rows, lines = _parse(path)
    missing = [column for column in required if column not in header]
    if missing:
        raise InputError(
            f"column {missing[0]!r} is missing (found: {', '.join(header)})",
            where=f"{path}, row 1",
            remedy=f"Add it. The file needs {', '.join(required)}.",
        )
    if not rows:
        raise InputError("no rows", where=str(path), remedy="Add at least one row.")
    frame = pl.DataFrame(rows, schema=dict.fromkeys(header, pl.String), orient="row").with_columns(
        pl.all().str.strip_chars().replace("", None), line=pl.Series(lines, dtype=pl.Int64)
    )
    for column in filled:
        empty = frame.filter(pl.col(column).is_null())
        if len(empty):
            raise InputError(
                f"column {column!r} is empty",
                where=row_of(path, empty),
                remedy="Fill the cell or remove the row.",
            )
    return frame


def refuse_duplicates(frame: pl.DataFrame, column: str, path: Path) -> None:
    """Raise an InputError at the first row that repeats a value of `column`."""
    repeated = frame.filter(~pl.col(column).is_first_distinct())
    if len(repeated):
        value = repeated[column][0]
        first = frame.filter(pl.col(column) == value)["line"][0]
        raise InputError(
            f"{column} {value!r} stands in row {first} already",
            where=row_of(path, repeated),
            remedy="Keep one of the two rows.",
        )


def row_of(path: Path, offending: pl.DataFrame) -> str:
    """Where the first of the offending rows is, for an error's `where`."""
    return f"{path}, row {offending['line'][0]}"


def _delimiter(text: str) -> str:
    """What the header's cells are parted by: spreadsheets of many countries write semicolons."""
    header = text.partition("\n")[0]
    return next((mark for mark in ",;\t" if mark in header), ",")


def _parse(path: Path) -> tuple[list[str], list[list[str]], list[int]]:
    """Header, rows and line numbers.

    The standard library's reader, because it alone says on which line a row
    with a cell too many or too few stands.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(
            "no such file", where=str(path), remedy="Correct the path in the config."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"not UTF-8 text (byte {error.start})", where=str(path), remedy=_SPREADSHEET
        ) from error
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror})",
            where=str(path),
            remedy="Correct the path in the config, or the file's permissions.",
        ) from error
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    header: list[str] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    begins = 1
    try:
        for row in reader:
            if not header:
                header = [column.strip() for column in row]
            elif row:
                if len(row) != len(header):
                    raise InputError(
                        f"{len(row)} cells where the header has {len(header)}",
                        where=f"{path}, row {begins}",
                        remedy='Put cells that hold a comma in "double quotes"; if the file is cut '
                        "off here, get it anew.",
                    )
                rows.append(row)
                lines.append(begins)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"broken CSV ({error})", where=f"{path}, row {begins}", remedy=_SPREADSHEET
        ) from error
    if not header:
        raise InputError("the file is empty", where=str(path), remedy=_SPREADSHEET)
    return header, rows, lines
