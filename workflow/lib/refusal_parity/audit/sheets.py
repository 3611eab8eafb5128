"""A plain CSV for any spreadsheet: written safe against formulas, read back."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from refusal_parity.audit.voting import RawVote
from refusal_parity.csvfiles import read_csv

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

COLUMNS: Final = ("task", "prompt", "response", "label", "annotator", "adjudicated", "comment")
"""Columns of the sheet; the last four are the annotator's."""

# Spreadsheets run a cell that begins with one of these; the last four are full-width forms.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_TRUE: Final = frozenset({"1", "true", "yes", "x", "y"})


def sheet_csv(sample: pl.DataFrame) -> str:
    """The rows to label as CSV text.

    Args:
        sample: rows of the AuditSample table.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for task, prompt, response in sample.select("task", "prompt", "response").iter_rows():
        writer.writerow([task, guarded(prompt), guarded(response), "", "", "", ""])
    # The mark at the start makes spreadsheets read the file as UTF-8.
    return "\ufeff" + buffer.getvalue()


def guarded(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe stands before it."""
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text


def unguarded(text: str) -> str:
    """The text that `guarded` was given."""
    return text[1:] if text.startswith("'") and guarded(text[1:]) == text else text


def read_sheet(path: Path) -> Iterator[RawVote]:
    """Votes of a CSV, one for each row; a row without a label has none.

    Without a name in column `annotator`, the file's own name stands for whoever
    filled it in.

    Raises:
        InputError: the file is no CSV with the columns task and label.
    """
    rows = read_csv(path, required=["task", "label"])
    for row in rows.iter_rows(named=True):
        response = row.get("response")
        yield RawVote(
            file=path.name,
            row=row["line"],
            task=row["task"],
            annotator=row.get("annotator") or path.stem,
            label=row["label"],
            adjudicated=(row.get("adjudicated") or "").lower() in _TRUE,
            response=None if response is None else unguarded(response),
        )
