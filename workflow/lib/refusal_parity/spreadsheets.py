"""Text that no spreadsheet takes for a formula, in whatever way it parts a file's cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from refusal_parity.textfiles import SIGNS, printable

if TYPE_CHECKING:
    import polars as pl

# Spreadsheets run a cell that begins with one of these, blanks before it or not; the
# last four are full-width forms (OWASP, CSV injection).
_RUNS: Final = r"[=+\-@\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}]"
# A cell begins where the text does, and wherever a program may be told to part cells;
# quotes and blanks there may go. An apostrophe makes a text of what follows.
_BEGINS: Final = r"""(?:^|[,;|\t\r\n])[\s\x{feff}"']*"""
# A bar opens a cell that runs another program (DDE) in some; within a text it parts cells.
_BEGINS_BUT_BAR: Final = _BEGINS.replace(";|", ";")
_RETURN: Final = "\N{SYMBOL FOR CARRIAGE RETURN}"


def shown(text: pl.Expr) -> pl.Expr:
    """Text columns as people see them: with signs for control characters.

    Line breaks and tabs stay; those of Windows become plain ones.
    """
    return text.str.replace_all("\r\n", "\n", literal=True).str.replace_many(
        [*SIGNS, "\r"], [*SIGNS.values(), _RETURN]
    )


def as_shown(text: str) -> str:
    """One text as `shown` has it."""
    return printable(text.replace("\r\n", "\n")).replace("\r", _RETURN)


def guarded(text: pl.Expr) -> pl.Expr:
    """Text columns, `shown`, with an apostrophe before all that a spreadsheet would run.

    This holds after commas, semicolons, tabs, bars and line breaks within a text too: a
    program that is told to part cells there makes one of what follows.
    """
    formulas = shown(text).str.replace_all(f"({_BEGINS})({_RUNS})", "${1}'${2}")
    return formulas.str.replace_all(rf"({_BEGINS_BUT_BAR})\|", "${1}'|")


def unguarded(text: pl.Expr) -> pl.Expr:
    """The text columns that `guarded` was given, `shown`."""
    bars = text.str.replace_all(rf"({_BEGINS_BUT_BAR})'\|", "${1}|")
    return bars.str.replace_all(f"({_BEGINS})'({_RUNS})", "${1}${2}")
