"""Parts that the figures share: rows of labels, axes in per cent, values at the margin."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from refusal_parity.report.style import ACCENT, ACCENT_SOFT, GRID, INK, MUTED, PAPER, WIDTH
from refusal_parity.text import minus, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

LABEL_LENGTH: Final = 26
_STEP: Final = 0.05
"""Ends of axes are multiples of it, or of a round part of it where all lie below 10 %."""
_LEAST: Final = 0.01
"""Where axes end at least, as shares."""
_OWN: Final = 5.0
"""A model whose numbers are so many times smaller than those of others has an axis of its own."""


def new_figure(height: float) -> tuple[Figure, Axes]:
    """A figure of the common width with one axes; `height` in inches."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.add_subplot()


def label_rows(axes: Axes, labels: Sequence[str]) -> None:
    """One row for each label, the first on top."""
    axes.set_yticks(range(len(labels)), [shorten(label, LABEL_LENGTH) for label in labels])
    axes.set_ylim(len(labels) - 0.4, -0.6)
    for row in range(len(labels)):
        axes.axhline(row, color=GRID, linewidth=0.6, zorder=0)


def percent_axis(axes: Axes, low: float, high: float, label: str) -> None:
    """An x axis of shares, ticked in per cent or points; `low` and `high` are shares."""
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: minus(f"{100 * value:.3g}")))
    axes.grid(visible=True, axis="x")
    axes.set_xlabel(label)


def difference_axis(axes: Axes, ends: Sequence[float | None], label: str) -> None:
    """An x axis of differences of shares that has room for these, with a line at 0."""
    percent_axis(axes, -ceiling([-end for end in ends if end is not None]), ceiling(ends), label)
    axes.axvline(0, color=MUTED, linewidth=1)


def interval_bar(
    axes: Axes, row: float, ends: tuple[float | None, float | None], *, shown: bool
) -> None:
    """An interval in a row, darker where it belongs to a difference that is shown."""
    low, high = ends
    if low is not None and high is not None:
        colour = ACCENT if shown else ACCENT_SOFT
        axes.plot([low, high], [row, row], color=colour, linewidth=2.4, solid_capstyle="round")


def estimate_mark(axes: Axes, row: float, estimate: float, *, filled: bool) -> None:
    """An estimate in a row, filled where something is shown of it."""
    axes.plot(
        estimate,
        row,
        "o",
        markersize=6.5,
        markerfacecolor=ACCENT if filled else PAPER,
        markeredgecolor=ACCENT,
        markeredgewidth=1.4,
        clip_on=False,
    )


def margin_text(axes: Axes, row: float, text: str, *, colour: str = INK) -> None:
    """A value at the right edge of a row."""
    axes.text(
        1.03,
        row,
        text,
        transform=axes.get_yaxis_transform(),
        ha="left",
        va="center",
        color=colour,
        fontsize=8.5,
    )


def ceiling(values: Sequence[float | None], *, least: float = _LEAST) -> float:
    """The next round number above all finite values, for an axis; at least `least`."""
    highest = max([*_finite(values), least])
    step = min(10.0 ** math.floor(math.log10(highest)) / 2, _STEP)
    return math.ceil(round(highest / step, 6)) * step


class Reach(NamedTuple):
    """What an axis has room for.

    Attributes:
        ends: shares or differences of shares.
        note: what its label says where it is not the axis of all models; else empty.
    """

    ends: list[float | None]
    note: str


def reach_of(ends: Mapping[str, Sequence[float | None]], model: str) -> Reach:
    """One axis for all models, or this one's own where nothing could be told on that.

    Args:
        ends: of each model.
        model: the one that is drawn.
    """
    together = [end for of_model in ends.values() for end in of_model]
    own = list(ends[model])
    if _largest(own) * _OWN < _largest(together):
        return Reach(own, "\n(this model\u2019s own axis)")
    return Reach(together, "")


def _largest(values: Sequence[float | None]) -> float:
    return max((abs(each) for each in _finite(values)), default=math.inf)


def _finite(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None and math.isfinite(value)]


def legend_below(figure: Figure, axes: Axes, columns: int = 2) -> None:
    """The legend under the axes, where it covers no data."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower left", ncols=columns, handlelength=1.6)
