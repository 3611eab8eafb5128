"""Forest of names by group: each name's pooled rate, its interval, and the rate as seen."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Final

from refusal_parity.dimensions import GROUP
from refusal_parity.report.axes import (
    ceiling,
    legend_below,
    new_figure,
    percent_axis,
    reach_of,
)
from refusal_parity.report.drawing import Drawing, stem_of
from refusal_parity.report.figure_registry import Place, figure_of_model
from refusal_parity.report.pooled import NO_GROUP, pooled_rows
from refusal_parity.report.style import ACCENT, ACCENT_SOFT, CONTRAST, GRID, MUTED
from refusal_parity.text import interval, known, percent, plain, shorten
from refusal_parity.vocabulary import PooledUnit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from refusal_parity.report.inputs import ReportInputs, Row

_NAME_LENGTH: Final = 18
_GROUP_LENGTH: Final = 26
_MOST_NAMED: Final = 150
"""Names that are written beside their rows; of more, rows are thin and the table has the names."""
_ROW, _THIN_ROW = 0.155, 0.045
"""Inches."""


@figure_of_model("names", Place(section="names", order=40, wide=True))
def draw_names(inputs: ReportInputs, model: str) -> Drawing | None:
    """Each name's rate of the primary outcome, by group; None where no name has a response."""
    groups = names_by_group(inputs, model)
    number = sum(map(len, groups.values()))
    if not number:
        return None
    named = number <= _MOST_NAMED
    heading = inputs.outcome.words.heading
    rows = number + 1.6 * len(groups)
    figure, axes = new_figure(1.0 + (_ROW if named else _THIN_ROW) * rows)
    facts = inputs.name_facts()
    labels: dict[float, str] = {}
    position = 0.0
    for group, names in groups.items():
        axes.annotate(
            shorten(group, _GROUP_LENGTH),
            (0, position if named else position + len(names) / 2),
            (-3.5, 0),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=7.5,
            color=MUTED,
            fontweight="bold",
            annotation_clip=False,
        )
        first = position + 1
        for row in names:
            position += 1
            labels[position] = str(facts.get(row["key"], {}).get("name", row["key"]))
            _draw_row(axes, position, row)
        _draw_mean(axes, names, first, position)
        position += 1.6
    axes.set_yticks(
        list(labels) if named else [],
        [shorten(label, _NAME_LENGTH) for label in labels.values()] if named else [],
        fontsize=7.5,
    )
    axes.set_ylim(position - 0.6, -1)
    reach = reach_of({each: _ends(inputs, each) for each in inputs.models}, model)
    limit = min(ceiling(reach.ends), 1)
    percent_axis(axes, 0, 1, f"{heading} rate in per cent{reach.note}")
    axes.set_xlim(-0.02 * limit, 1.02 * limit)
    every = [row for names in groups.values() for row in names]
    _legend(inputs, axes, pooled=any(known(row["pooled"]) for row in every))
    legend_below(figure, axes)
    return Drawing(
        kind="names",
        stem=stem_of("names", model),
        model=model,
        title=f"{heading} rate of each name, pooled within its group: {plain(model)}",
        alt=_alt(inputs, model, groups),
        figure=figure,
    )


def names_by_group(inputs: ReportInputs, model: str) -> dict[str, list[Row]]:
    """Names with labelled responses by group, both in the study's order."""
    found: dict[str, list[Row]] = {level: [] for level in inputs.levels(GROUP.key)}
    for row in pooled_rows(inputs, model, PooledUnit.NAME):
        found.setdefault(row["group"] or NO_GROUP, []).append(row)
    return {group: names for group, names in found.items() if names}


def _ends(inputs: ReportInputs, model: str) -> list[float | None]:
    return [
        end
        for row in pooled_rows(inputs, model, PooledUnit.NAME)
        for end in (row["rate"], row["pooled_high"])
    ]


def _draw_row(axes: Axes, position: float, row: Row) -> None:
    axes.axhline(position, color=GRID, linewidth=0.5, zorder=0)
    if known(row["pooled"]):
        ends = [row["pooled_low"], row["pooled_high"]]
        axes.plot(ends, [position, position], color=ACCENT_SOFT, linewidth=2.2, zorder=2)
        axes.plot(row["pooled"], position, "o", color=ACCENT, markersize=3.6, zorder=4)
    axes.plot(row["rate"], position, "|", color=MUTED, markersize=5, markeredgewidth=0.9, zorder=3)


def _draw_mean(axes: Axes, names: list[Row], first: float, last: float) -> None:
    """The mean of a group's pooled rates, through its rows."""
    pooled = [row["pooled"] for row in names if known(row["pooled"])]
    if pooled:
        mean = fmean(pooled)
        axes.plot([mean, mean], [first - 0.5, last + 0.5], color=CONTRAST, linewidth=1, zorder=1)


def _legend(inputs: ReportInputs, axes: Axes, *, pooled: bool) -> None:
    if pooled:
        axes.plot([], [], "o", color=ACCENT, markersize=3.6, label="pooled rate")
        interval_words = f"{inputs.confidence} interval"
        axes.plot([], [], color=ACCENT_SOFT, linewidth=2.2, label=interval_words)
        axes.plot([], [], color=CONTRAST, linewidth=1, label="mean of the group's names")
    axes.plot([], [], "|", color=MUTED, markersize=5, label="rate as seen")


def _alt(inputs: ReportInputs, model: str, groups: dict[str, list[Row]]) -> str:
    facts = inputs.name_facts()
    parts = []
    for group, names in groups.items():
        pooled = sorted(
            (row for row in names if known(row["pooled"])), key=lambda row: row["pooled"]
        )
        if not pooled:
            parts.append(f"{plain(group)}: no pooled rates")
            continue
        lowest, highest = (
            f"{percent(row['pooled'])} "
            f"({plain(facts.get(row['key'], {}).get('name', row['key']))}, interval "
            f"{interval(row['pooled_low'], row['pooled_high'])})"
            for row in (pooled[0], pooled[-1])
        )
        mean = percent(fmean(row["pooled"] for row in pooled))
        parts.append(f"{plain(group)}: mean {mean}, from {lowest} to {highest}")
    start = f"{inputs.outcome.words.heading} rate of each name for {plain(model)}, pooled"
    return f"{start}. {'; '.join(parts)}. The table of names has the rate of each."
