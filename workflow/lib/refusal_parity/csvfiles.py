"""Read hand-edited CSV files and workbooks; every complaint names the file and the row."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.cells import NO_VALUE, ROW, open_table
from refusal_parity.errors import InputError
from refusal_parity.spelling import as_known, difference, reading
from refusal_parity.workbooks import FIRST, Sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_PARTED: Final = re.compile(r"(?<=\w)[\s_-]+(?=\w)")
"""What parts words within one."""


def read_csv(
    path: Path,
    *,
    required: Sequence[str],
    optional: Sequence[str] = (),
    filled: Sequence[str] = (),
    sheet: Sheet = FIRST,
) -> pl.DataFrame:
    """Read a CSV or a workbook as text columns, with the place of every row in `ROW`.

    Columns without a name and rows without any text, which spreadsheets leave
    behind, are left out.

    Args:
        path: the file with a header row: a workbook (.xlsx, .ods, ...), or UTF-8 with
            commas, semicolons, tabs or bars between cells.
        required: columns that must be there, and hold no dates; a name in another case will do.
        optional: columns that may be there, null in all rows where they are not.
        filled: columns of texts, in which no cell may be empty.
        sheet: which sheet of a workbook.

    Returns:
        All columns as strings without surrounding blanks (null for an empty
        cell) and `ROW`: where the row begins in the file.

    Raises:
        InputError: naming file and line.
    """
    table = open_table(path, sheet)
    wanted = dict.fromkeys([*required, *optional])
    written = dict(zip(wanted, as_known(wanted, table.header), strict=True))
    for column in wanted:
        alike = [name for name in table.header if reading(name) == reading(column)]
        if len(alike) > 1 and column not in alike:
            raise InputError(
                f"{' and '.join(map(repr, alike))} may both be the column {column!r}",
                where=f"{path}, {table.place(table.header_line)}",
                remedy="Rename or remove one of the two.",
            )
    missing = [column for column in required if written[column] not in table.header]
    if missing:
        raise InputError(
            f"column {missing[0]!r} is missing (found: {', '.join(table.header)})",
            where=f"{path}, {table.place(table.header_line)}",
            remedy=f"Add it. The file needs {', '.join(required)}.",
        )
    levels = [str(written[column]) for column in required]
    nothing = {str(written.get(column, column)): NO_VALUE for column in filled}
    there = {name: column for column, name in written.items() if name in table.header}
    frame = table.frame(there, texts=nothing, levels=levels, nothing=nothing).rename(there)
    frame = frame.with_columns(
        pl.lit(None, pl.String).alias(column) for column in optional if column not in frame.columns
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


def refuse_duplicates(
    frame: pl.DataFrame, column: str, path: Path, *, key: Callable[[str], str] = reading
) -> None:
    """Raise an InputError at the first row that repeats a value of `column`.

    Args:
        frame: rows as from `read_csv`.
        column: the column; no cell of it is empty.
        path: the file.
        key: what is the same for values that count as one.
    """
    first: dict[str, tuple[str, str]] = {}
    for value, row in frame.select(column, ROW).iter_rows():
        there, before = first.setdefault(key(value), (value, row))
        if before != row:
            told = difference(value, there)
            raise InputError(
                f"{column} {value!r} stands in {before} already" + f" ({told})" * bool(told),
                where=f"{path}, {row}",
                remedy="Keep one of the two rows.",
            )


def refuse_spellings(frame: pl.DataFrame, column: str, path: Path) -> None:
    """Raise an InputError at the first row that spells a level of `column` in another way.

    Levels are told apart letter by letter, so `White` and `white` would be two, and so
    would `south asian` and `south_asian`.
    """
    first: dict[str, tuple[str, str]] = {}
    for level, row in frame.select(column, ROW).drop_nulls().iter_rows():
        key = _PARTED.sub(" ", reading(level))
        there, before = first.setdefault(key, (level, row))
        if level != there:
            raise InputError(
                f"{column} {level!r} is written {there!r} in {before} ({difference(level, there)})",
                where=f"{path}, {row}",
                remedy="Write it in one way, or give the two other names.",
            )


def row_of(path: Path, offending: pl.DataFrame) -> str:
    """Where the first of the offending rows is, for an error's `where`."""
    return f"{path}, {offending[ROW][0]}"
