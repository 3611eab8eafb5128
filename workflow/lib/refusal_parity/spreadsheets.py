"""Text that no spreadsheet takes for a formula."""

from __future__ import annotations

from typing import Final

import polars as pl

# Spreadsheets run a cell that begins with one of these, blanks before it or not; the
# last four are full-width forms (OWASP, CSV injection). An apostrophe before them
# hides them, and is hidden in its turn, so that one can be taken off again.
_FORMULA: Final = r"'*[\s\u{feff}]*[=+\-@|%\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}]|'*[\t\r]"


def guarded(text: pl.Expr) -> pl.Expr:
    """Text columns with an apostrophe before all that a spreadsheet would run."""
    runs = text.str.contains(f"^(?:{_FORMULA})")
    return pl.when(runs).then("'" + text).otherwise(text).name.keep()


def unguarded(text: pl.Expr) -> pl.Expr:
    """The text columns that `guarded` was given."""
    return text.str.replace(f"^'({_FORMULA})", "$1")
