"""The tree of openings for the prompts that differ most: which first words carry it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from refusal_parity.report.axes import legend_below, margin_text, new_figure
from refusal_parity.report.drawing import Drawing, stem_of
from refusal_parity.report.figure_registry import Place, figure_of_model
from refusal_parity.report.odds import small_rate, weighed_models
from refusal_parity.report.openings import MOST, Leaf, carried
from refusal_parity.report.style import ACCENT, ACCENT_SOFT, GRID, MUTED, PAPER
from refusal_parity.text import plain, points, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from refusal_parity.report.inputs import ReportInputs
    from refusal_parity.report.openings import Carried

_TEXT: Final = 26
_LEAST: Final = 1e-7
_STEM: Final = 0.012
"""Width of a branch of the tree, as a share of the axes."""


@figure_of_model("openings", Place(section="propensity", order=33))
def draw_openings(inputs: ReportInputs, model: str) -> Drawing | None:
    """How probable each opening of a refusal is, for two levels and one template; or None.

    Rows are the leaves of the tree in the order of its branches, so that openings which
    begin alike stand together, joined by brackets at the left of their words. Marks are the
    mean over names of probability times share of refusals.
    """
    if model not in weighed_models(inputs):
        return None
    found = carried(inputs, model, of_template=True)
    if found is None:
        return None
    leaves = sorted(found.leaves[:MOST], key=lambda leaf: leaf.token_ids)
    figure, axes = new_figure(1.5 + 0.42 * len(leaves))
    axes.set_yticks(range(len(leaves)), [shorten(leaf.text, _TEXT) for leaf in leaves])
    axes.set_ylim(len(leaves) - 0.4, -0.6)
    axes.set_xscale("log")
    for position, leaf in enumerate(leaves):
        _draw_row(axes, position, leaf, found, first=position == 0)
    for branch in _branches(leaves):
        axes.plot(
            [_STEM, _STEM],
            [branch[0] - 0.25, branch[1] + 0.25],
            transform=axes.get_yaxis_transform(),
            color=MUTED,
            linewidth=1.6,
        )
    ends = [max(end, _LEAST) for leaf in leaves for end in (leaf.group, leaf.reference)]
    axes.set_xlim(min(ends) / 2.5, max(ends) * 2)
    axes.xaxis.set_major_locator(LogLocator(numticks=4))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: small_rate(value)))
    axes.grid(visible=True, axis="x")
    axes.set_xlabel(
        "Probability that a response is a refusal that opens so;\n"
        "at the right: part of the difference"
    )
    legend_below(figure, axes)
    return Drawing(
        kind="openings",
        stem=stem_of("openings", model),
        model=model,
        title=f"First words behind the largest difference: {plain(model)}, "
        f"\N{LEFT DOUBLE QUOTATION MARK}{plain(found.template)}\N{RIGHT DOUBLE QUOTATION MARK}",
        alt=_alt(model, found, leaves),
        figure=figure,
    )


def _branches(leaves: list[Leaf]) -> list[tuple[int, int]]:
    """First and last rows of neighbours whose first token is the same."""
    found: list[tuple[int, int]] = []
    start = 0
    for at in range(1, len(leaves) + 1):
        if at == len(leaves) or leaves[at].token_ids[0] != leaves[start].token_ids[0]:
            if at - start > 1:
                found.append((start, at - 1))
            start = at
    return found


def _draw_row(axes: Axes, position: int, leaf: Leaf, found: Carried, *, first: bool) -> None:
    group, reference = max(leaf.group, _LEAST), max(leaf.reference, _LEAST)
    axes.axhline(position, color=GRID, linewidth=0.6, zorder=0)
    axes.plot([reference, group], [position] * 2, color=ACCENT_SOFT, linewidth=2.4)
    axes.plot(
        reference,
        position,
        "o",
        markersize=6,
        markerfacecolor=PAPER,
        markeredgecolor=ACCENT,
        label=plain(found.reference) if first else None,
    )
    axes.plot(
        group,
        position,
        "o",
        markersize=6,
        color=ACCENT,
        label=plain(found.group) if first else None,
    )
    if found.difference:
        part = (leaf.group - leaf.reference) / found.difference
        margin_text(axes, position, f"{points(part)} %")


def _alt(model: str, found: Carried, leaves: list[Leaf]) -> str:
    parts = [
        f"{plain(leaf.text)}: {small_rate(leaf.group)} against {small_rate(leaf.reference)}"
        for leaf in leaves
    ]
    return (
        f"How probable each opening of a refusal is after {plain(found.template)} of "
        f"{plain(model)}, {plain(found.group)} against {plain(found.reference)}: "
        f"{'; '.join(parts)}."
    )
