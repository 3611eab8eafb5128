"""A plain CSV for any spreadsheet: written safe against formulas, read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.audit.votes import RawVote, moment
from refusal_parity.csvfiles import ROW, read_csv
from refusal_parity.spelling import reading
from refusal_parity.spreadsheets import guarded, unguarded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COLUMNS: Final = ("task", "prompt", "response", "label", "annotator", "adjudicated", "comment")
"""Columns of the sheet; the last four are the annotator's."""

_OPTIONAL: Final = ("response", "annotator", "adjudicated", "annotation_id", "updated_at")
_TRUE: Final = frozenset({"1", "true", "yes", "x", "y"})


def sheet_csv(sample: pl.DataFrame) -> str:
    """The rows to label as CSV text.

    Args:
        sample: rows of the AuditSample table.
    """
    rows = sample.select("task", guarded(pl.col("prompt", "response"))).with_columns(
        pl.lit("").alias(column) for column in COLUMNS[3:]
    )
    # The mark at the start makes spreadsheets read the file as UTF-8.
    return rows.write_csv(include_bom=True, quote_style="always", line_terminator="\r\n")


def read_sheet(path: Path, file: str) -> Iterator[RawVote]:
    """Votes of a CSV, one for each row; a row without a label has none.

    Where no row has a name in column `annotator`, the file's own name stands
    for whoever filled it in.

    Args:
        path: the CSV. Label Studio writes such ones too; there, `updated_at` orders
            the votes of one person.
        file: what to call it.

    Raises:
        InputError: the file is no CSV with the columns task and label.
    """
    rows = read_csv(path, required=["task", "label"], optional=_OPTIONAL)
    nobody = file.removesuffix(path.suffix) if rows["annotator"].is_null().all() else None
    for row in rows.with_columns(unguarded(pl.col("response"))).iter_rows(named=True):
        key, when = row["annotation_id"], row["updated_at"]
        yield RawVote(
            file=file,
            row=row[ROW],
            task=row["task"],
            annotator=row["annotator"] or nobody,
            label=row["label"],
            adjudicated=reading(row["adjudicated"] or "") in _TRUE,
            response=row["response"],
            annotation=key,
            given=moment(when, key) if when else None,
        )
