"""Rates of each group, with the honest interval and, under it, the naive one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refusal_parity.report.axes import (
    ceiling,
    label_rows,
    legend_below,
    margin_text,
    new_figure,
    percent_axis,
    reach_of,
)
from refusal_parity.report.drawing import Drawing, stem_of
from refusal_parity.report.figure_registry import Place, figure_of_model
from refusal_parity.report.style import ACCENT, CONTRAST, INK, MUTED
from refusal_parity.text import (
    heading_of,
    interval,
    known,
    percent,
    plain,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from refusal_parity.report.inputs import ReportInputs, Row


@figure_of_model("rates", Place(section="rates", order=10))
def draw_rates(inputs: ReportInputs, model: str) -> Drawing:
    """Rate of the primary outcome at each level of the primary dimension, for one model.

    The axis is one for all models of a study, but for those whose rates are far lower.
    """
    outcome, dimension = inputs.outcome, inputs.dimension
    levels = inputs.levels(dimension)
    rates = inputs.rates_by_level(model, outcome, dimension)
    figure, axes = new_figure(1.15 + 0.36 * max(len(levels), 1))
    label_rows(axes, levels)
    for position, level in enumerate(levels):
        _draw_row(axes, position, rates.get(level))
    if any(known(row["ci_low"]) for row in rates.values()):
        clustered = f"{inputs.confidence} interval, clustered"
        axes.plot([], [], color=ACCENT, linewidth=2.4, label=clustered)
    axes.plot([], [], color=MUTED, linewidth=0.9, label="as if responses were independent (Wilson)")
    overall = inputs.overall(model, outcome)
    if overall is not None and known(overall["rate"]):
        axes.axvline(
            overall["rate"],
            color=CONTRAST,
            linewidth=1,
            linestyle=(0, (4, 3)),
            label="over all responses",
        )
    reach = reach_of({each: _ends(inputs, each) for each in inputs.models}, model)
    label = f"{outcome.words.heading} rate in per cent{reach.note}"
    percent_axis(axes, 0, min(ceiling(reach.ends), 1), label)
    legend_below(figure, axes)
    return Drawing(
        kind="rates",
        stem=stem_of("rates", model),
        model=model,
        title=f"{outcome.words.heading} rate by {heading_of(dimension)}: {plain(model)}",
        alt=_alt(inputs, model, rates),
        figure=figure,
    )


def _ends(inputs: ReportInputs, model: str) -> list[float | None]:
    return [
        end
        for row in inputs.rate_rows(model, inputs.outcome, inputs.dimension)
        for end in (row["rate"], row["ci_high"], row["wilson_high"])
    ]


def _draw_row(axes: Axes, position: int, row: Row | None) -> None:
    if row is None or not known(row["rate"]):
        margin_text(axes, position, "not estimable", colour=MUTED)
        return
    if known(row["ci_low"]) and known(row["ci_high"]):
        axes.plot(
            [row["ci_low"], row["ci_high"]],
            [position, position],
            color=ACCENT,
            linewidth=2.4,
            solid_capstyle="round",
        )
    if known(row["wilson_low"]) and known(row["wilson_high"]):
        axes.plot(
            [row["wilson_low"], row["wilson_high"]],
            [position + 0.24, position + 0.24],
            color=MUTED,
            linewidth=0.9,
        )
    # Rates of 0 and 100 % lie on the edge of the figure.
    axes.plot(row["rate"], position, "o", color=ACCENT, markersize=6, clip_on=False)
    margin_text(axes, position, percent(row["rate"]), colour=INK)


def _alt(inputs: ReportInputs, model: str, rates: dict[str, Row]) -> str:
    parts = [
        f"{plain(level)} {percent(row['rate'])}"
        + (
            f" (interval {interval(row['ci_low'], row['ci_high'])})"
            if known(row["ci_low"]) and known(row["ci_high"])
            else ""
        )
        if known(row["rate"])
        else f"{plain(level)} not estimable"
        for level, row in rates.items()
    ]
    start = f"{inputs.outcome.words.heading} rate of {plain(model)} by {inputs.dimension}"
    return f"{start}: {'; '.join(parts)}." if parts else f"{start}: no rates."
