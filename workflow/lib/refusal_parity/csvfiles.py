"""Read hand-edited CSV files and workbooks; every complaint names the file and the row."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.errors import InputError
from refusal_parity.spelling import as_known, difference, is_blank, reading
from refusal_parity.textfiles import read_text
from refusal_parity.workbooks import FIRST, Sheet, is_workbook, workbook_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

# A response may be longer than the 131,072 characters that a cell has at most by default.
csv.field_size_limit(2**31 - 1)

ROW: Final = " row"
"""Column with the line on which a row begins; the name of no column begins with a blank."""

_SPREADSHEET: Final = "Save it as CSV, comma-separated, UTF-8, with a header row."
_MARKS: Final = "\t;,"
_PARTED: Final = re.compile(r"(?<=\w)[\s_-]+(?=\w)")
"""What parts words within one."""

_MOST_COLUMNS: Final = 2_000
_HEADER: Final = 100_000
"""Characters that no header exceeds."""


@dataclass
class _Table:
    """What stands in a file.

    Attributes:
        header: names of columns.
        header_line: where they stand.
        rows: cells of each row below, as many as the header has.
        lines: where each row begins.
    """

    header: list[str] = field(default_factory=list)
    header_line: int = 1
    rows: list[list[str | None]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


def read_csv(
    path: Path,
    *,
    required: Sequence[str],
    optional: Sequence[str] = (),
    filled: Sequence[str] = (),
    sheet: Sheet = FIRST,
) -> pl.DataFrame:
    """Read a CSV or a workbook as text columns, with the number of every row in `ROW`.

    Columns without a name and rows without any text, which spreadsheets leave
    behind, are left out.

    Args:
        path: the file with a header row: a workbook (.xlsx, .ods, ...), or UTF-8 with
            commas, semicolons or tabs between cells.
        required: columns that must be there; a name in another case will do.
        optional: columns that may be there, null in all rows where they are not.
        filled: columns in which no cell may be empty.
        sheet: which sheet of a workbook.

    Returns:
        All columns as strings without surrounding blanks (null for an empty
        cell) and `ROW` (int): where the row begins in the file.

    Raises:
        InputError: naming file and line.
    """
    table = _parse(path, sheet)
    wanted = dict.fromkeys([*required, *optional])
    written = dict(zip(wanted, as_known(wanted, table.header), strict=True))
    for column in wanted:
        alike = [name for name in table.header if reading(name) == reading(column)]
        if len(alike) > 1 and column not in alike:
            raise InputError(
                f"{' and '.join(map(repr, alike))} may both be the column {column!r}",
                where=f"{path}, row {table.header_line}",
                remedy="Rename or remove one of the two.",
            )
    missing = [column for column in required if written[column] not in table.header]
    if missing:
        raise InputError(
            f"column {missing[0]!r} is missing (found: {', '.join(table.header)})",
            where=f"{path}, row {table.header_line}",
            remedy=f"Add it. The file needs {', '.join(required)}.",
        )
    if not table.rows:
        raise InputError("no rows", where=str(path), remedy="Add at least one row.")
    frame = (
        pl.DataFrame(table.rows, schema=dict.fromkeys(table.header, pl.String), orient="row")
        .rename({name: column for column, name in written.items() if name in table.header})
        .with_columns(pl.Series(ROW, table.lines, dtype=pl.Int64))
    )
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


def read_header(path: Path, sheet: Sheet = FIRST) -> list[str]:
    """The names of a file's columns, without a look at its rows.

    Raises:
        InputError: it is not there, or no text.
    """
    if is_workbook(path):
        rows: Iterable[list[str]] = workbook_rows(path, sheet)
    else:
        text, mark, _ = _begun(read_text(path, remedy=_SPREADSHEET))
        rows = csv.reader(io.StringIO(text[:_HEADER], newline=""), delimiter=mark)
    return next(([each.strip() for each in row] for row in rows if any(row)), [])


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
    first: dict[str, tuple[str, int]] = {}
    for value, row in frame.select(column, ROW).iter_rows():
        there, before = first.setdefault(key(value), (value, row))
        if before != row:
            told = difference(value, there)
            raise InputError(
                f"{column} {value!r} stands in row {before} already" + f" ({told})" * bool(told),
                where=f"{path}, row {row}",
                remedy="Keep one of the two rows.",
            )


def refuse_spellings(frame: pl.DataFrame, column: str, path: Path) -> None:
    """Raise an InputError at the first row that spells a level of `column` in another way.

    Levels are told apart letter by letter, so `White` and `white` would be two, and so
    would `south asian` and `south_asian`.
    """
    first: dict[str, tuple[str, int]] = {}
    for level, row in frame.select(column, ROW).drop_nulls().iter_rows():
        key = _PARTED.sub(" ", reading(level))
        there, before = first.setdefault(key, (level, row))
        if level != there:
            raise InputError(
                f"{column} {level!r} is written {there!r} in row {before} "
                f"({difference(level, there)})",
                where=f"{path}, row {row}",
                remedy="Write it in one way, or give the two other names.",
            )


def row_of(path: Path, offending: pl.DataFrame) -> str:
    """Where the first of the offending rows is, for an error's `where`."""
    return f"{path}, row {offending[ROW][0]}"


def cell(text: str) -> str | None:
    """A cell without surrounding blanks, null if it holds nothing that can be seen."""
    return None if is_blank(text) else text.strip()


def _parse(path: Path, sheet: Sheet) -> _Table:
    """The cells of a file."""
    rows: Iterable[tuple[int, list[str]]] = (
        enumerate(workbook_rows(path, sheet), 1) if is_workbook(path) else _csv_rows(path)
    )
    table = _Table()
    kept: list[int] = []
    for begins, row in rows:
        cells = [cell(each) for each in row]
        if not kept and any(cells):
            kept = _columns(cells, f"{path}, row {begins}")
            table.header = [str(cells[at]) for at in kept]
            table.header_line, width = begins, len(cells)
        elif any(cells):
            if len(row) <= kept[-1] or any(cells[width:]):
                raise InputError(
                    f"{len(row)} cells where the header has {width}",
                    where=f"{path}, row {begins}",
                    remedy='Put cells that hold a comma in "double quotes"; if the file is cut '
                    "off here, get it anew.",
                )
            table.rows.append([cells[at] for at in kept])
            table.lines.append(begins)
    if not kept:
        raise InputError("the file is empty", where=str(path), remedy=_SPREADSHEET)
    return table


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV with the lines on which they begin.

    The standard library's reader, because it alone says on which line a row
    with a cell too many or too few stands.
    """
    text, mark, skipped = _begun(read_text(path, remedy=_SPREADSHEET))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    begins = skipped + 1
    try:
        for row in reader:
            yield begins, row
            begins = reader.line_num + 1 + skipped
    except csv.Error as error:
        raise InputError(
            f"broken CSV ({error})", where=f"{path}, row {begins}", remedy=_SPREADSHEET
        ) from error


def _begun(text: str) -> tuple[str, str, int]:
    """A file from its header on, what parts its cells, and how many lines came before.

    Excel writes that mark on a line of its own, `sep=;`. Elsewhere the header tells:
    spreadsheets of many countries write semicolons.
    """
    said = re.match(r'"?sep=(.)"?\r?\n', text, re.IGNORECASE)
    if said:
        return text[said.end() :], said[1], 1
    unquoted = re.sub('"[^"]*"', "", text[:_HEADER].lstrip())
    header = re.split("[\r\n]", unquoted, maxsplit=1)[0]
    # Of two that are as frequent, names of columns hold the comma sooner.
    mark = max(_MARKS, key=header.count)
    return text, mark if mark in header else ",", 0


def _columns(header: list[str | None], where: str) -> list[int]:
    """Which columns have a name, each its own."""
    kept = [at for at, name in enumerate(header) if name]
    if len(kept) > _MOST_COLUMNS:
        raise InputError(
            f"{len(kept):,} columns, more than any table of people",
            where=where,
            remedy="Leave out those that nothing needs.",
        )
    for at in kept:
        first = header.index(header[at])
        if first < at:
            raise InputError(
                f"column {header[at]!r} stands there twice (cells {first + 1} and {at + 1})",
                where=where,
                remedy="Rename or remove one of the two.",
            )
    return kept
