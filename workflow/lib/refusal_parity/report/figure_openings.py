"""The tree of openings for the prompts that differ most: which first words carry it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from refusal_parity.report.axes import legend_below, margin_text, new_figure
from refusal_parity.report.drawing import Drawing, stem_of
from refusal_parity.report.figure_registry import Place, figure_of_model
from refusal_parity.report.odds import small_rate, weighed_models
from refusal_parity.report.opening_tree import tree_rows
from refusal_parity.report.openings import MOST, carried
from refusal_parity.report.style import ACCENT, ACCENT_SOFT, GRID, MUTED, PAPER
from refusal_parity.text import plain, points, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from refusal_parity.report.inputs import ReportInputs
    from refusal_parity.report.opening_tree import Row
    from refusal_parity.report.openings import Carried

_TEXT: Final = 26
_LEAST: Final = 1e-7
_STEM: Final = 0.012
"""Width of a branch of the tree, as a share of the axes."""


@figure_of_model("openings", Place(section="propensity", order=33))
def draw_openings(inputs: ReportInputs, model: str) -> Drawing | None:
    """How probable each opening of a refusal is, for two levels and one template; or None.

    Rows are the leaves of the tree in the order of its branches. Openings that begin alike
    stand together below a row of what they share, joined to it by a bracket; its marks are
    squares, and the sum of those of all openings that begin so. Marks are the mean over names
    of probability times share of refusals.
    """
    if model not in weighed_models(inputs):
        return None
    found = carried(inputs, model, of_template=True)
    if found is None:
        return None
    rows = tree_rows(found.leaves[:MOST], found.leaves)
    figure, axes = new_figure(1.5 + 0.42 * len(rows))
    axes.set_yticks(range(len(rows)), [shorten(row.leaf.text, _TEXT) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xscale("log")
    for position, row in enumerate(rows):
        _draw_row(axes, position, row, found, first=position == 0)
        if row.below:
            axes.plot(
                [_STEM * (row.depth + 1)] * 2,
                [position - 0.25, position + row.below + 0.25],
                transform=axes.get_yaxis_transform(),
                color=MUTED,
                linewidth=1.6,
            )
    ends = [max(end, _LEAST) for row in rows for end in (row.leaf.group, row.leaf.reference)]
    axes.set_xlim(min(ends) / 2.5, max(ends) * 2)
    axes.xaxis.set_major_locator(LogLocator(numticks=4))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: small_rate(value)))
    axes.grid(visible=True, axis="x")
    axes.set_xlabel(
        "Probability that a response is a refusal that opens so\n(square: of all that begin so); "
        "at the right: part of the difference"
    )
    legend_below(figure, axes)
    return Drawing(
        kind="openings",
        stem=stem_of("openings", model),
        model=model,
        title=f"First words behind the largest difference: {plain(model)}, "
        f"\N{LEFT DOUBLE QUOTATION MARK}{plain(found.template)}\N{RIGHT DOUBLE QUOTATION MARK}",
        alt=_alt(model, found, rows),
        figure=figure,
    )


def _draw_row(axes: Axes, position: int, row: Row, found: Carried, *, first: bool) -> None:
    group, reference = max(row.leaf.group, _LEAST), max(row.leaf.reference, _LEAST)
    marker = "s" if row.below else "o"
    axes.axhline(position, color=GRID, linewidth=0.6, zorder=0)
    axes.plot([reference, group], [position] * 2, color=ACCENT_SOFT, linewidth=2.4)
    axes.plot(
        reference,
        position,
        marker,
        markersize=6,
        markerfacecolor=PAPER,
        markeredgecolor=ACCENT,
        label=plain(found.reference) if first else None,
    )
    axes.plot(
        group,
        position,
        marker,
        markersize=6,
        color=ACCENT,
        label=plain(found.group) if first else None,
    )
    if found.difference and not row.below:
        part = (row.leaf.group - row.leaf.reference) / found.difference
        margin_text(axes, position, f"{points(part)} %")


def _alt(model: str, found: Carried, rows: list[Row]) -> str:
    parts = [
        f"{plain(row.leaf.text)}{' (all that begin so)' if row.below else ''}: "
        f"{small_rate(row.leaf.group)} against {small_rate(row.leaf.reference)}"
        for row in rows
    ]
    return (
        f"How probable each opening of a refusal is after {plain(found.template)} of "
        f"{plain(model)}, {plain(found.group)} against {plain(found.reference)}: "
        f"{'; '.join(parts)}."
    )
