"""What a figure draws in its rows, read back from its lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import matplotlib.colors as mcolors
import numpy as np

from refusal_parity.report.style import GRID, PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D


class Line(NamedTuple):
    """An interval as it is drawn: where it begins and ends."""

    low: float
    high: float


class Row(NamedTuple):
    """All that stands in one row of a figure.

    Attributes:
        marks: where its marks are.
        filled: whether each is filled.
        wide: the intervals in the row itself.
        narrow: those drawn just below it.
        colours: of `wide`, as hexadecimal numbers.
    """

    marks: list[float]
    filled: list[bool]
    wide: list[Line]
    narrow: list[Line]
    colours: list[str]


def drawn_rows(axes: Axes) -> dict[str, Row]:
    """The marks and intervals of each labelled row."""
    found = {}
    for position, text in enumerate(axes.get_yticklabels()):
        marks = [line for line in axes.lines if _is_in_row(line, position, points=1)]
        wide = [line for line in axes.lines if _is_in_row(line, position, points=2)]
        narrow = [line for line in axes.lines if _is_in_row(line, position + 0.25, points=2)]
        found[text.get_text()] = Row(
            [ends_of(mark)[0] for mark in marks],
            [hex_of(mark.get_markerfacecolor()) != hex_of(PAPER) for mark in marks],
            [Line(*ends_of(line)) for line in wide],
            [Line(*ends_of(line)) for line in narrow],
            [hex_of(line.get_color()) for line in wide],
        )
    return found


def ends_of(line: Line2D) -> list[float]:
    """Its places from left to right of the page."""
    return np.asarray(line.get_xdata(), dtype=float).tolist()


def hex_of(colour: object) -> str:
    """A colour as a hexadecimal number."""
    return mcolors.to_hex(colour)  # type: ignore[arg-type]


def rules(axes: Axes) -> list[float]:
    """Where lines stand over the whole height."""
    upright = [line for line in axes.lines if list(line.get_ydata()) == [0, 1]]  # type: ignore[arg-type]
    return [ends_of(line)[0] for line in upright]


def _is_in_row(line: Line2D, position: float, *, points: int) -> bool:
    heights = np.asarray(line.get_ydata(), dtype=float)
    is_rule = hex_of(line.get_color()) == hex_of(GRID)
    return len(heights) == points and not is_rule and bool(np.all(abs(heights - position) < 0.05))
