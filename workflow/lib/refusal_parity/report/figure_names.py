"""Strip plot: each name's rate within its group, the names far from their group labelled."""

from __future__ import annotations

from itertools import count
from statistics import fmean, median
from typing import TYPE_CHECKING, Final, NamedTuple

from refusal_parity.report.axes import ceiling, label_rows, legend_below, new_figure, percent_axis
from refusal_parity.report.drawing import Drawing, stem_of
from refusal_parity.report.figure_registry import Place, figure_of_model
from refusal_parity.report.style import ACCENT, CONTRAST, INK, figure_style
from refusal_parity.text import known, percent, plain, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    from refusal_parity.report.inputs import ReportInputs

_SPREADS: Final = 2.5
_MAD_TO_SD: Final = 1.4826
_LEAST_DISTANCE: Final = 0.05
_LABELLED: Final = 2
_NAME_LENGTH: Final = 18
_STACK: Final = 0.13
_MOST_STACKED: Final = 0.39


class NameRate(NamedTuple):
    """A name and its rate, 0 to 1."""

    name: str
    rate: float


@figure_of_model("names", Place(section="names", order=40))
def draw_names(inputs: ReportInputs, model: str) -> Drawing | None:
    """Each name's rate of the primary outcome within its group; None of a prompt list."""
    if inputs.listed:
        return None
    outcome = inputs.outcome
    groups = names_by_group(inputs, model)
    figure, axes = new_figure(1.2 + 0.56 * max(len(groups), 1))
    label_rows(axes, list(groups))
    axes.set_ylim(len(groups) - 0.35, -0.65)
    percent_axis(axes, 0, 1, f"{outcome.words.heading} rate in per cent")
    axes.set_xlim(-0.02 * (limit := _limit(inputs)), limit * 1.02)
    for position, names in enumerate(groups.values()):
        _draw_row(axes, position, names, limit, first=position == 0)
    legend_below(figure, axes)
    _label_outliers(figure, axes, list(groups.values()))
    return Drawing(
        kind="names",
        stem=stem_of("names", model),
        model=model,
        title=f"{outcome.words.heading} rate of each name: {plain(model)}",
        alt=_alt(inputs, model, groups),
        figure=figure,
    )


def names_by_group(inputs: ReportInputs, model: str) -> dict[str, list[NameRate]]:
    """Names with a rate, by group in the study's order, lowest rate first."""
    facts = inputs.name_facts()
    found: dict[str, list[NameRate]] = {level: [] for level in inputs.levels("group")}
    for row in inputs.rate_rows(model, inputs.outcome, "name", within="group"):
        if known(row["rate"]):
            name = str(facts.get(row["group"], {}).get("name", row["group"]))
            found.setdefault(row["within_group"], []).append(NameRate(name, row["rate"]))
    return {group: sorted(names, key=lambda name: name.rate) for group, names in found.items()}


def outliers(names: list[NameRate]) -> list[NameRate]:
    """At most two names far from their group's median: by 2.5 robust standard deviations."""
    if not names:
        return []
    middle = median(name.rate for name in names)
    spread = _MAD_TO_SD * median(abs(name.rate - middle) for name in names)
    far = max(_SPREADS * spread, _LEAST_DISTANCE)
    found = [name for name in names if abs(name.rate - middle) > far]
    return sorted(found, key=lambda name: -abs(name.rate - middle))[:_LABELLED]


def _limit(inputs: ReportInputs) -> float:
    rates = [
        row["rate"]
        for model in inputs.models
        for row in inputs.rate_rows(model, inputs.outcome, "name", within="group")
    ]
    return min(ceiling(rates), 1)


def _draw_row(
    axes: Axes, position: int, names: list[NameRate], limit: float, *, first: bool
) -> None:
    if not names:
        return
    mean = fmean(name.rate for name in names)
    axes.plot(
        [mean, mean],
        [position - 0.3, position + 0.3],
        color=CONTRAST,
        linewidth=2,
        solid_capstyle="butt",
        label="mean of the group's names" if first else None,
    )
    axes.plot(
        [name.rate for name in names],
        [position - lift for lift in _stacked([name.rate for name in names], 0.022 * limit)],
        "o",
        color=ACCENT,
        alpha=0.75,
        markersize=5.5,
        markeredgewidth=0,
        label="one name" if first else None,
    )


def _stacked(rates: list[float], width: float) -> list[float]:
    """How far to lift each of the sorted marks so that equal rates do not cover each other.

    Stacks that are higher than a row lets them be are pressed together: each mark shows.
    """
    slots: list[int] = []
    for index, rate in enumerate(rates):
        near = {slots[at] for at in range(index) if abs(rates[at] - rate) < width}
        slots.append(next(slot for slot in count() if slot not in near))
    step = min(_STACK, _MOST_STACKED / max([1, *slots]))
    return [slot * step for slot in slots]


def _label_outliers(figure: Figure, axes: Axes, groups: list[list[NameRate]]) -> None:
    """Write each outlier's name below its mark, where none are stacked; above it if two touch."""
    with figure_style():
        if (engine := figure.get_layout_engine()) is not None:
            engine.execute(figure)
    taken: list[Text] = []
    for position, names in enumerate(groups):
        for name in sorted(outliers(names), key=lambda outlier: outlier.rate):
            for lift in (0.42, -0.33):
                text = _label(axes, name, position + lift)
                if not any(_touch(text, other) for other in taken):
                    taken.append(text)
                    break
                text.remove()


def _label(axes: Axes, name: NameRate, y: float) -> Text:
    low, high = axes.get_xlim()
    place = (name.rate - low) / (high - low)
    side = "left" if place < 1 / 5 else "right" if place > 4 / 5 else "center"
    return axes.text(
        name.rate,
        y,
        shorten(name.name, _NAME_LENGTH),
        ha=side,
        va="center",
        fontsize=8,
        color=INK,
    )


def _touch(one: Text, other: Text) -> bool:
    with figure_style():
        return bool(one.get_window_extent().overlaps(other.get_window_extent()))


def _alt(inputs: ReportInputs, model: str, groups: dict[str, list[NameRate]]) -> str:
    start = f"{inputs.outcome.words.heading} rate of each name for {plain(model)}"
    parts = [
        f"{plain(group)}: mean {percent(fmean(name.rate for name in names))}, from "
        f"{percent(names[0].rate)} ({plain(names[0].name)}) to "
        f"{percent(names[-1].rate)} ({plain(names[-1].name)})"
        for group, names in groups.items()
        if names
    ]
    return f"{start}. {'; '.join(parts)}." if parts else f"{start}: no rates."
