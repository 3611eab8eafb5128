"""Workbooks of spreadsheet programs, read as rows of text."""

from __future__ import annotations

import datetime as dt
import zipfile
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from python_calamine import load_workbook

from refusal_parity.errors import InputError
from refusal_parity.limits import FailedApartError, TooLongError, apart
from refusal_parity.spelling import as_known
from refusal_parity.textfiles import refuse_devices
from refusal_parity.unfolding import refuse_unfolding_archive

if TYPE_CHECKING:
    from pathlib import Path

WORKBOOKS: Final = frozenset({".xlsx", ".xlsm", ".xls", ".ods"})
"""Endings of their names."""

_ANEW: Final = "Save it anew as .xlsx, or as CSV in UTF-8."
_MOST_MB: Final = 2_000
_LONGEST_S: Final = 120.0
_EXACT: Final = 2**53


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of a workbook.

    Attributes:
        name: its name; null for the first one.
        needed: whether the first one is not taken where none has that name.
    """

    name: str | None = None
    needed: bool = True


FIRST: Final = Sheet()


def is_workbook(path: Path) -> bool:
    """Whether a file is a workbook, by the end of its name."""
    return path.suffix.lower() in WORKBOOKS


def workbook_rows(path: Path, sheet: Sheet = FIRST) -> list[list[str]]:
    """All rows of a sheet, from the first on; empty texts where nothing stands.

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
    if found["rows"] is None:
        raise InputError(
            f"it has no sheet {sheet.name!r} (found: {', '.join(found['sheets'])})",
            where=str(path),
            remedy="Correct the sheet's name in the config.",
        )
    rows: list[list[str]] = found["rows"]
    return rows


def _rows(path: Path, sheet: Sheet) -> dict[str, Any]:
    """The names of all sheets, and the rows of one; null where it is not there."""
    book = load_workbook(path)
    names = book.sheet_names
    (wanted,) = as_known([sheet.name], names)
    if wanted in names:
        found = book.get_sheet_by_name(str(wanted))
    elif names and (sheet.name is None or not sheet.needed):
        found = book.get_sheet_by_index(0)
    else:
        return {"sheets": names, "rows": None}
    rows = found.to_python(skip_empty_area=False)
    return {"sheets": names, "rows": [[_text(cell) for cell in row] for row in rows]}


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
