"""Tables as any spreadsheet reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.files import new_file
from refusal_parity.spreadsheets import guarded
from refusal_parity.tables.files import conform

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import dataframely as dy


def write_csv(frame: pl.DataFrame, schema: type[dy.Schema], path: Path) -> None:
    """Write a checked table as CSV that spreadsheets read as UTF-8 and run nothing of.

    An apostrophe stands before each text that a spreadsheet would take for a
    formula; null is an empty cell, and the items of a list stand with spaces between them.

    Raises:
        InputError: the rows do not fit, or the folder cannot be written.
    """
    write_csv_parts([frame], schema, path)


def write_csv_parts(parts: Iterable[pl.DataFrame], schema: type[dy.Schema], path: Path) -> None:
    """Write a table part by part as `write_csv` does; keys are checked within a part.

    Raises:
        InputError: the rows do not fit, or the folder cannot be written.
    """
    with new_file(path) as temporary, temporary.open("wb") as file:
        for number, part in enumerate(parts):
            checked = conform(part, schema, where=str(path))
            flat = checked.with_columns(
                pl.selectors.list().cast(pl.List(pl.String)).list.join(" ")
            ).with_columns(guarded(pl.col(pl.String)))
            flat.write_csv(file, include_bom=not number, include_header=not number)
