"""The models side by side: each group's rate, from the lowest to the highest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from refusal_parity.dimensions import DIMENSIONS
from refusal_parity.report.axes import (
    ceiling,
    label_rows,
    legend_below,
    margin_text,
    new_figure,
    percent_axis,
)
from refusal_parity.report.drawing import Drawing
from refusal_parity.report.figure_registry import Place, figure_of_study
from refusal_parity.report.style import ACCENT, ACCENT_SOFT, CONTRAST, INK, MUTED
from refusal_parity.text import heading_of, known, percent, plain, points, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from refusal_parity.report.inputs import ReportInputs

_NAME_LENGTH: Final = 16
_LIFT: Final = 0.3


class GroupRate(NamedTuple):
    """A group and its rate, 0 to 1."""

    group: str
    rate: float


@figure_of_study("comparison", Place(section="models", order=90))
def draw_comparison(inputs: ReportInputs) -> Drawing | None:
    """Rates of all groups for each model on one axis; None with fewer than two models.

    The lowest and the highest group are named; the margin has their distance.
    """
    models = inputs.models
    if len(models) < 2:  # noqa: PLR2004 - one model has nothing beside it
        return None
    rates = {model: group_rates(inputs, model) for model in models}
    figure, axes = new_figure(1.25 + 0.62 * len(models))
    label_rows(axes, models)
    limit = min(ceiling([rate.rate for found in rates.values() for rate in found]), 1)
    percent_axis(axes, 0, limit, f"{inputs.outcome.words.heading} rate in per cent")
    axes.set_xlim(-0.02 * limit, limit * 1.02)
    for position, model in enumerate(models):
        overall = inputs.overall(model, inputs.outcome)
        _draw_row(axes, position, rates[model], overall["rate"] if overall else None)
    axes.plot([], [], "o", color=ACCENT, markersize=6, label=f"one {inputs.dimension}")
    axes.plot([], [], color=CONTRAST, linewidth=2, label="all responses")
    legend_below(figure, axes)
    return Drawing(
        kind="comparison",
        stem="comparison",
        model="",
        title=f"{inputs.outcome.words.heading} rate by {heading_of(inputs.dimension)}, models side "
        "by side",
        alt=_alt(inputs, rates),
        figure=figure,
    )


def group_rates(inputs: ReportInputs, model: str) -> list[GroupRate]:
    """Estimable rates of the primary outcome and dimension, the lowest first."""
    rows = inputs.rates_by_level(model, inputs.outcome, inputs.dimension)
    found = [GroupRate(level, row["rate"]) for level, row in rows.items() if known(row["rate"])]
    return sorted(found, key=lambda rate: rate.rate)


def _draw_row(axes: Axes, position: int, rates: list[GroupRate], overall: float | None) -> None:
    if not rates:
        margin_text(axes, position, "not estimable", colour=MUTED)
        return
    lowest, highest = rates[0], rates[-1]
    axes.plot(
        [lowest.rate, highest.rate],
        [position, position],
        color=ACCENT_SOFT,
        linewidth=2.4,
        solid_capstyle="round",
    )
    if overall is not None and known(overall):
        axes.plot(
            [overall, overall],
            [position - 0.16, position + 0.16],
            color=CONTRAST,
            linewidth=2,
            solid_capstyle="butt",
        )
    axes.plot(
        [rate.rate for rate in rates],
        [position] * len(rates),
        "o",
        color=ACCENT,
        alpha=0.8,
        markersize=6,
        markeredgewidth=0,
    )
    _name(axes, lowest, position + _LIFT)
    if len(rates) > 1:
        _name(axes, highest, position - _LIFT)
    margin_text(axes, position, points(highest.rate - lowest.rate if len(rates) > 1 else None))


def _name(axes: Axes, rate: GroupRate, y: float) -> None:
    low, high = axes.get_xlim()
    place = (rate.rate - low) / (high - low)
    side = "left" if place < 1 / 5 else "right" if place > 4 / 5 else "center"
    axes.text(
        rate.rate,
        y,
        shorten(rate.group, _NAME_LENGTH),
        ha=side,
        va="center",
        fontsize=8,
        color=INK,
    )


def _range(found: list[GroupRate], levels: int) -> str:
    """Where the rates of some levels lie, of as many as there are."""
    if not found:
        return "not estimable"
    lowest, highest = found[0], found[-1]
    if len(found) == 1 < levels:
        return f"{percent(lowest.rate)} ({plain(lowest.group)}, the only one with a rate)"
    if lowest.rate == highest.rate:
        return f"{percent(lowest.rate)} in all" + " with a rate" * (len(found) < levels)
    return (
        f"from {percent(lowest.rate)} ({plain(lowest.group)}) to "
        f"{percent(highest.rate)} ({plain(highest.group)})"
    )


def _alt(inputs: ReportInputs, rates: dict[str, list[GroupRate]]) -> str:
    asked = inputs.outcome, inputs.dimension
    parts = [
        f"{plain(model)} {_range(found, len(inputs.rates_by_level(model, *asked)))}"
        for model, found in rates.items()
    ]
    start = (
        f"{inputs.outcome.words.heading} rate of the {DIMENSIONS[inputs.dimension].plural} by model"
    )
    return f"{start}: {'; '.join(parts)}."
