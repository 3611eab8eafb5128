"""Sheets for any spreadsheet: a workbook whose cells are text, and a CSV; read back."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import polars as pl
import xlsxwriter

from refusal_parity.audit.votes import RawVote, moment
from refusal_parity.cells import ROW, cell
from refusal_parity.csvfiles import read_csv
from refusal_parity.errors import InputError
from refusal_parity.files import new_file, write_text
from refusal_parity.spelling import reading
from refusal_parity.spreadsheets import guarded, shown, unguarded
from refusal_parity.vocabulary import UNDECIDED, Label
from refusal_parity.workbooks import Sheet, is_workbook, workbook_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COLUMNS: Final = ("task", "prompt", "response", "label", "annotator", "adjudicated", "comment")
"""Columns of the sheet; the last four are the annotator's."""

_OPTIONAL: Final = ("response", "annotator", "adjudicated", "annotation_id", "updated_at")
# Spreadsheet programs write truth values in the language of their user.
_TRUE: Final = frozenset(
    {*("1", "1.0", "true", "yes", "x", "y"), *("wahr", "vrai", "verdadero", "verdadeiro", "vero")}
    | {"waar", "prawda", "истина"}
)
_FALSE: Final = frozenset(
    {*("", "0", "0.0", "false", "no", "n"), *("falsch", "faux", "falso", "onwaar", "fałsz", "ложь")}
)
_WIDTHS: Final = {"task": 12, "prompt": 40, "response": 80, "label": 18, "comment": 30}
_LONGEST: Final = 30_000
"""Characters of a text in a workbook, whose cells hold 32,767 at most."""

CUT: Final = " [...]"
"""What follows a text that was cut."""


def write_sheets(rows: pl.DataFrame, path: Path) -> None:
    """Write rows to label as a workbook and, beside it, as a CSV.

    Args:
        rows: columns `task`, `prompt`, `response` and any further ones of `COLUMNS`, or
            beyond them; those of `COLUMNS` that are missing are empty.
        path: where to, without an ending.

    Raises:
        InputError: the folder cannot be written.
    """
    filled = rows.with_columns(
        pl.lit("").alias(column) for column in COLUMNS if column not in rows.columns
    ).select(*COLUMNS, pl.exclude(COLUMNS))
    # The mark at the start makes spreadsheets read the file as UTF-8.
    text = filled.with_columns(guarded(pl.all())).write_csv(
        include_bom=True, quote_style="always", line_terminator="\r\n"
    )
    write_text(path.with_name(f"{path.name}.csv"), text)
    _write_workbook(filled.with_columns(shown(pl.all())), path.with_name(f"{path.name}.xlsx"))


def _write_workbook(rows: pl.DataFrame, path: Path) -> None:
    with (
        new_file(path) as temporary,
        xlsxwriter.Workbook(temporary, {"in_memory": True}) as book,
    ):
        book.set_properties({"created": dt.datetime(2025, 1, 1, tzinfo=dt.UTC)})
        text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
        head = book.add_format({"bold": True})
        sheet = book.add_worksheet("to label")
        for at, column in enumerate(rows.columns):
            sheet.set_column(at, at, _WIDTHS.get(column, 14), text)
            sheet.write_string(0, at, column, head)
            for row, cell in enumerate(rows[column], 1):
                sheet.write_string(row, at, _of_a_cell(cell), text)
        sheet.freeze_panes(1, 0)
        label = rows.columns.index("label")
        choices = {"validate": "list", "source": [*map(str, Label), UNDECIDED]}
        sheet.data_validation(1, label, max(len(rows), 1), label, choices)


def _of_a_cell(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + CUT


def read_sheet(path: Path, file: str) -> Iterator[RawVote]:
    """Votes of a workbook or CSV, one for each row; a row without a label has none.

    Where no row has a name in column `annotator`, the file's own name stands
    for whoever filled it in.

    Args:
        path: the sheet. Label Studio writes CSVs too; there, `updated_at` orders
            the votes of one person.
        file: what to call it.

    Raises:
        InputError: the file has no columns task and label, says of a row neither that it
            is adjudicated nor that it is not, or has labels on several sheets.
    """
    sheet = Sheet("to label", needed=False, hidden=True)
    if is_workbook(path):
        _refuse_other_sheets(path, sheet)
    rows = read_csv(path, required=["task", "label"], optional=_OPTIONAL, sheet=sheet)
    nobody = file.removesuffix(path.suffix) if rows["annotator"].is_null().all() else None
    plain = rows.select(unguarded(pl.col("response"))).to_series()
    for row, text in zip(rows.iter_rows(named=True), plain, strict=True):
        key, when = row["annotation_id"], row["updated_at"]
        yield RawVote(
            file=file,
            row=int(row[ROW].split()[-1]),
            task=row["task"],
            annotator=_annotator(row["annotator"], key) or nobody,
            label=row["label"],
            adjudicated=_settles(row["adjudicated"], f"{path}, {row[ROW]}"),
            response=row["response"],
            unguarded=text,
            annotation=key,
            given=moment(when, key) if when else None,
        )


def _refuse_other_sheets(path: Path, sheet: Sheet) -> None:
    """Raise where another sheet of a workbook holds labels too, which nobody would read."""
    read = workbook_rows(path, sheet)
    for other in read.sheets:
        if other != read.name and _holds_labels(path, Sheet(other, hidden=True)):
            raise InputError(
                f"its sheets {read.name!r} and {other!r} both hold labels",
                where=str(path),
                remedy="Save each person's sheet as a file of its own, and take out the sheets "
                "that do not count.",
            )


def _holds_labels(path: Path, sheet: Sheet) -> bool:
    header, *rows = [row for row in workbook_rows(path, sheet).rows if any(map(cell, row))] or [[]]
    read = [reading(name) for name in header]
    return {"task", "label"} <= set(read) and any(cell(row[read.index("label")]) for row in rows)


def _annotator(written: str | None, annotation: str | None) -> str | None:
    """Who labelled, as Label Studio's JSON has it, whose CSV has the number of an account alone."""
    is_account = annotation is not None and written is not None and written.isdecimal()
    return f"user-{written}" if is_account else written


def _settles(written: str | None, where: str) -> bool:
    word = reading(written or "")
    if word not in _TRUE | _FALSE:
        raise InputError(
            f"adjudicated says {written!r}, which is neither yes nor no",
            where=where,
            remedy="Write x where this line decides the row, and nothing elsewhere.",
        )
    return word in _TRUE


def is_filled_in(path: Path) -> bool:
    """Whether anybody wrote a label into a sheet; one that cannot be read may hold some."""
    try:
        return bool(read_csv(path, required=["task", "label"])["label"].count())
    except InputError:
        return True
