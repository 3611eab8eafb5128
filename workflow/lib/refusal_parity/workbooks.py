"""Workbooks of spreadsheet programs, read as rows of text."""

from __future__ import annotations

import datetime as dt
import zipfile
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from python_calamine import SheetVisibleEnum, load_workbook

from refusal_parity.errors import InputError
from refusal_parity.limits import FailedApartError, TooLongError, apart
from refusal_parity.spelling import as_known
from refusal_parity.textfiles import refuse_devices
from refusal_parity.unfolding import refuse_unfolding_archive
from refusal_parity.workbook_marks import Marks, mark

if TYPE_CHECKING:
    from pathlib import Path

WORKBOOKS: Final = frozenset({".xlsx", ".xlsm", ".xls", ".ods"})
"""Endings of their names."""

LONGEST_CELL: Final = 32_767
"""Characters that a cell of a spreadsheet program holds; some programs cut what is longer."""

DATE: Final = "holds a date or a time, which spreadsheets make of texts such as 3/4"
NOUGHT: Final = (
    "holds a formula that comes to 0, as some programs make of a text that begins with ="
)
NOT_WORKED_OUT: Final = "holds a formula that no program has worked out"

OF_LEVELS: Final = frozenset({NOUGHT})
"""What is wrong with a text, and may be meant of a level or a number."""

OF_OTHERS: Final = frozenset({DATE, NOUGHT})
"""What is wrong with a text, and may be meant in columns that hold no texts."""

_OLD: Final = ".xls"

_ANEW: Final = "Save it anew as .xlsx, or as CSV in UTF-8."
_MOST_MB: Final = 2_000
_LONGEST_S: Final = 120.0
_EXACT: Final = 2**53
_DATES: Final = (dt.date, dt.time, dt.timedelta)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of a workbook.

    Attributes:
        name: its name; null for the first one.
        needed: whether the first one is not taken where none has that name.
        hidden: whether rows that are hidden, as by a filter, are read like the others.
    """

    name: str | None = None
    needed: bool = True
    hidden: bool = False


FIRST: Final = Sheet()


def is_workbook(path: Path) -> bool:
    """Whether a file is a workbook, by the end of its name."""
    return path.suffix.lower() in WORKBOOKS


def fills_a_cell(column: str) -> pl.Expr:
    """Whether texts of a workbook are as long as a cell may be, by either way to count.

    Some programs count characters, some the 16 bits that most of them take.
    """
    text = pl.col(column)
    twice = text.str.count_matches(r"[\x{10000}-\x{10ffff}]")
    length = text.str.len_chars()
    return (length == LONGEST_CELL) | (length + twice == LONGEST_CELL)


@dataclass(frozen=True, slots=True)
class SheetRows:
    """What stands on a sheet.

    Attributes:
        sheets: names of all sheets, those that are hidden too.
        name: that of this one.
        rows: texts of all cells, from the first row on; empty ones where nothing stands.
        faults: of a cell (row and column from 0), why its text is not what people meant.
        hidden: rows that hold something and are not shown, from 0.
    """

    sheets: list[str]
    name: str
    rows: list[list[str]]
    faults: dict[tuple[int, int], str]
    hidden: list[int]


def workbook_rows(path: Path, sheet: Sheet = FIRST) -> SheetRows:
    """All rows of a sheet, from the first on.

    A cell that holds a formula is what it last came to. Whole numbers are written without
    decimals, truth values as TRUE and FALSE, dates as 2025-01-31.

    Args:
        path: the workbook.
        sheet: which of its sheets.

    Raises:
        InputError: it cannot be read, or has no such sheet.
    """
    if not path.exists():
        raise InputError("no such file", where=str(path), remedy="Correct the path in the config.")
    refuse_devices(path)
    if path.suffix.lower() == _OLD:
        raise InputError(
            "a workbook of the old kind (.xls), in which errors of formulas look like empty cells",
            where=str(path),
            remedy=_ANEW,
        )
    try:
        refuse_unfolding_archive(path)
        # One cell far out makes a table of all before it, for which no memory is enough.
        (found,) = apart(partial(_rows, path), [sheet], seconds=_LONGEST_S, megabytes=_MOST_MB)
    except (FailedApartError, OSError, zipfile.BadZipFile, ValueError) as error:
        raise InputError(
            f"cannot be read as a workbook ({error})", where=str(path), remedy=_ANEW
        ) from error
    except (TooLongError, MemoryError):
        raise InputError(
            f"reading it took more than {_LONGEST_S:g} s or {_MOST_MB:,} MB; perhaps a cell far "
            "out on the sheet holds something",
            where=str(path),
            remedy=_ANEW,
        ) from None
    if found["name"] is None:
        raise InputError(
            f"it has no sheet {sheet.name!r} (found: {', '.join(found['sheets'])})",
            where=str(path),
            remedy="Correct the sheet's name in the config.",
        )
    if found["is_hidden"]:
        raise InputError(
            f"its first sheet, {found['name']!r}, is hidden",
            where=str(path),
            remedy="Show it, or make the sheet that is meant the first one.",
        )
    faults = {(row, column): what for row, column, what in found["faults"]}
    return SheetRows(
        sheets=found["sheets"],
        name=found["name"],
        rows=found["rows"],
        faults=faults,
        hidden=found["hidden"],
    )


def _rows(path: Path, sheet: Sheet) -> dict[str, Any]:
    """The names of all sheets, and what stands on one; its name is null where it is not there."""
    book = load_workbook(path)
    names = book.sheet_names
    (wanted,) = as_known([sheet.name], names)
    is_named = wanted in names
    if not is_named:
        if not names or (sheet.name is not None and sheet.needed):
            return {"sheets": names, "name": None}
        wanted = names[0]
    cells = book.get_sheet_by_name(str(wanted)).to_python(skip_empty_area=False)
    rows = [[_text(cell) for cell in row] for row in cells]
    marks = Marks(height=len(rows), width=max(map(len, rows), default=0))
    mark(path, str(wanted), marks)
    dates = {
        (at, across): DATE
        for at, row in enumerate(cells)
        for across, cell in enumerate(row)
        if isinstance(cell, _DATES)
    }
    came_to = {"": NOT_WORKED_OUT, "0": NOUGHT}
    formulas = {(at, across): came_to.get(rows[at][across]) for at, across in marks.formulas}
    faults = dates | {at: what for at, what in formulas.items() if what is not None} | marks.faults
    visible = book.sheets_metadata[names.index(str(wanted))].visible
    return {
        "sheets": names,
        "name": wanted,
        "is_hidden": not is_named and visible != SheetVisibleEnum.Visible,
        "rows": rows,
        "faults": [[*where, what] for where, what in faults.items()],
        "hidden": [row for row in marks.hidden if any(rows[row])],
    }


def _text(cell: Any) -> str:
    match cell:
        case str():
            return cell
        case bool():
            return str(cell).upper()
        case float() if cell.is_integer() and abs(cell) < _EXACT:
            return str(int(cell))
        case dt.datetime() | dt.date() | dt.time():
            return cell.isoformat(*([" "] if isinstance(cell, dt.datetime) else []))
        case _:
            return str(cell)
