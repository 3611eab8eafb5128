"""A table as the page shows it, apart from how it looks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from refusal_parity.counting import counted
from refusal_parity.text import NOTHING, interval, percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from refusal_parity.report.inputs import Row

TEXT: Final = "text"
NUMBER: Final = "number"
FEW: Final = 10
"""Fewer responses than this stand beside their rate."""


@dataclass(frozen=True)
class Cell:
    """A cell: its text, and the number it is sorted by where that is another."""

    text: str
    sort: float | None = None
    strong: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table with its caption; `columns` are pairs of heading and kind (text or number)."""

    caption: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def title(self) -> str:
        """The caption's first sentence."""
        return self.caption.partition(". ")[0].rstrip(".")

    @property
    def note(self) -> str:
        """What the caption says after its first sentence."""
        return self.caption.partition(". ")[2]

    def without_empty(self) -> Table:
        """The table without its columns of nothing but empty cells."""
        filled = [at for at in range(len(self.columns)) if any(row[at].text for row in self.rows)]
        if not filled:
            return self
        return replace(
            self,
            columns=tuple(self.columns[at] for at in filled),
            rows=tuple(tuple(row[at] for at in filled) for row in self.rows),
        )


def rate_cell(row: Row | None) -> Cell:
    """A rate with its clustered interval in brackets, or a dash."""
    if row is None or row["rate"] is None:
        return Cell(NOTHING)
    bounds = interval(row["ci_low"], row["ci_high"])
    inside = "" if bounds == NOTHING else f" ({bounds})"
    return Cell(percent(row["rate"]) + few_words(row) + inside, row["rate"])


def few_words(row: Row | None) -> str:
    """The number of responses behind a rate, where they are few: ` of 1 response`."""
    return f" of {counted(row['n'], 'response')}" if row and row["n"] < FEW else ""


def in_brackets(words: str, rows: Iterable[Iterable[Cell]]) -> str:
    """What a caption says of brackets: nothing where no cell has any."""
    return words if any("(" in cell.text for row in rows for cell in row) else ""
