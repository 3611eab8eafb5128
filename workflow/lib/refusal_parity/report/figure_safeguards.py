"""Refusals of harmless requests against refusals of unsafe ones, arm by arm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from refusal_parity.counting import enumerated
from refusal_parity.factors import UNSAFE
from refusal_parity.report.axes import ceiling, legend_below, percent_axis
from refusal_parity.report.drawing import Drawing
from refusal_parity.report.figure_registry import Place, figure_of_study
from refusal_parity.report.safeguards import ALL, rate_of
from refusal_parity.report.style import ACCENT, ACCENT_SOFT, CONTRAST, INK, MUTED, PAPER, WIDTH
from refusal_parity.statistics.safeguards import HARMLESS, compared_arms
from refusal_parity.tables import SafeguardRates
from refusal_parity.text import known, minus, percent, plain, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from refusal_parity.report.inputs import ReportInputs, Row

_LONGEST: Final = 26
_NAME: Final = 10
"""Longest name of a group, in characters."""
_NAMES: Final = 0.45
"""Room for names of groups above and below, as a share of the highest share drawn."""
_TICKS: Final = MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10])
_PANEL: Final = 3.0
_REST: Final = 1.0
"""Heights in inches, of one model's part and of what all share."""
_APART: Final = 0.035
"""Arms whose shares of unsafe requests lie nearer than this are drawn side by side."""


class Trade(NamedTuple):
    """One model in one arm.

    Attributes:
        model: its key.
        arm: key of the arm.
        unsafe: share of unsafe requests refused, 0 to 1.
        harmless: the same of harmless ones.
        groups: the same of each group, those that can be estimated.
        reach: lower limit of the lowest group's and upper limit of the highest's, where known.
    """

    model: str
    arm: str
    unsafe: float
    harmless: float
    groups: dict[str, float]
    reach: tuple[float, float] | None = None


@figure_of_study("safeguards", Place(section="safeguards", order=95, wide=True))
def draw_safeguards(inputs: ReportInputs) -> Drawing | None:
    """A part for each model and in it a mark for each arm, with its groups and their intervals.

    Arrows lead from the baseline to the arm. None without unsafe requests.
    """
    trades = trades_of(inputs)
    if not trades:
        return None
    models = list(dict.fromkeys(trade.model for trade in trades))
    numbers = {arm: at for at, arm in enumerate(dict.fromkeys(each.arm for each in trades), 1)}
    figure = Figure(figsize=(WIDTH, _REST + _PANEL * len(models)), layout="constrained")
    parts = figure.subplots(len(models), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    highest = ceiling(
        [
            rate
            for trade in trades
            for rate in (*trade.groups.values(), trade.harmless, *(trade.reach or ()))
        ]
    )
    top = min(highest, 1.0)
    for model, axes in zip(models, parts, strict=True):
        _draw_model(inputs, axes, [each for each in trades if each.model == model], numbers, top)
        axes.set_title(shorten(model, 2 * _LONGEST), loc="left", fontsize=9, color=INK)
        axes.set_ylim(-_NAMES * top, (1 + _NAMES) * top)
        axes.set_yticks([at for at in _TICKS.tick_values(0, top) if 0 <= at <= top])
        axes.yaxis.set_major_formatter(lambda value, _: minus(f"{100 * value:.3g}"))
        axes.grid(visible=True, axis="y")
    percent_axis(
        parts[-1], -0.06, 1.09, "Unsafe requests refused, in per cent (near ones moved apart)"
    )
    for axes in parts:
        axes.grid(visible=True, axis="x")
    figure.supylabel("Harmless requests refused, in per cent", fontsize=8.5, color=MUTED)
    last = parts[-1]
    last.plot([], [], "_", color=ACCENT_SOFT, markeredgewidth=2, label=f"one {inputs.dimension}")
    last.plot([], [], "-", color=ACCENT_SOFT, linewidth=0.8, label="with its interval")
    for arm, number in numbers.items():
        last.plot([], [], " ", label=f"{number}  {shorten(arm, _LONGEST)}")
    legend_below(figure, last)
    return Drawing(
        kind="safeguards",
        stem="safeguards",
        model="",
        title="Refusals of harmless requests against refusals of unsafe ones",
        alt=_alt(trades),
        figure=figure,
    )


def trades_of(inputs: ReportInputs) -> list[Trade]:
    """Each model and arm that has both rates of the primary outcome, in the study's order."""
    arms = inputs[SafeguardRates]["arm"].unique(maintain_order=True).to_list()
    trades = []
    for model in inputs.models:
        for arm in arms:
            harmless, unsafe = (rate_of(inputs, model, arm, kind) for kind in (HARMLESS, UNSAFE))
            x, y = (rates.get(ALL, {}).get("rate") for rates in (unsafe, harmless))
            if x is not None and y is not None:
                groups = {
                    group: row["rate"]
                    for group, row in harmless.items()
                    if group != ALL and known(row["rate"])
                }
                trades.append(Trade(model, arm, x, y, groups, _reach(harmless, groups)))
    return trades


def _reach(rows: dict[str, Row], groups: dict[str, float]) -> tuple[float, float] | None:
    """Lower limit of the lowest group's rate and upper limit of the highest's, where known."""
    if not groups:
        return None
    lowest, highest = (choose(groups, key=lambda each: groups[each]) for choose in (min, max))
    low, high = rows[lowest]["ci_low"], rows[highest]["ci_high"]
    return (low, high) if known(low) and known(high) else None


def _draw_model(
    inputs: ReportInputs,
    axes: Axes,
    trades: Sequence[Trade],
    numbers: dict[str, int],
    top: float,
) -> None:
    """The arms of one model, and arrows between them; `top` is the highest share drawn."""
    places = _side_by_side(trades)
    found = {trade.arm: trade for trade in trades}
    for each in compared_arms(inputs.config.prompts.arms):
        if each.arm in found and each.baseline in found:
            start, end = found[each.baseline], found[each.arm]
            axes.annotate(
                "",
                (places[end.arm], end.harmless),
                (places[start.arm], start.harmless),
                arrowprops={
                    "arrowstyle": "->",
                    "color": CONTRAST,
                    "linewidth": 1.0,
                    "shrinkA": 6,
                    "shrinkB": 6,
                },
            )
    for trade in trades:
        _mark(axes, trade, places[trade.arm], numbers[trade.arm], top)


def _side_by_side(trades: Sequence[Trade]) -> dict[str, float]:
    """Where each arm is drawn: at its share of unsafe requests, or beside one that is there."""
    places: dict[str, float] = {}
    for trade in sorted(trades, key=lambda each: -each.unsafe):
        place = trade.unsafe
        if places:
            place = min(place, min(places.values()) - _APART)
        places[trade.arm] = place
    return places


def _mark(axes: Axes, trade: Trade, place: float, number: int, top: float) -> None:
    rates = list(trade.groups.values())
    if rates and max(rates) > min(rates):
        low, high = trade.reach or (min(rates), max(rates))
        axes.plot([place] * 2, [low, high], color=ACCENT_SOFT, linewidth=0.8, zorder=1)
        axes.plot([place] * 2, [min(rates), max(rates)], color=ACCENT_SOFT, linewidth=2.2, zorder=1)
        axes.plot([place] * len(rates), rates, "_", color=ACCENT_SOFT, markeredgewidth=2, zorder=1)
        # Above and below all that is drawn, where no arrow and no other arm runs through them.
        for choose, end, up in ((min, 0.0, False), (max, top, True)):
            group = choose(trade.groups, key=lambda each: trade.groups[each])
            axes.annotate(
                shorten(group, _NAME),
                (place, end),
                xytext=(0, 6 if up else -6),
                textcoords="offset points",
                ha="center",
                va="bottom" if up else "top",
                rotation=90,
                fontsize=7.5,
                color=MUTED,
            )
    axes.plot(place, trade.harmless, "o", color=ACCENT, markersize=9, zorder=3)
    axes.annotate(
        str(number),
        (place, trade.harmless),
        ha="center",
        va="center_baseline",
        fontsize=7,
        fontweight="bold",
        color=PAPER,
        zorder=4,
    )


def _alt(trades: list[Trade]) -> str:
    parts = []
    for trade in trades:
        text = (
            f"{plain(trade.model)}, {plain(trade.arm)}: {percent(trade.harmless)} of harmless and "
            f"{percent(trade.unsafe)} of unsafe requests"
        )
        if trade.groups:
            low, high = (
                choose(trade.groups, key=lambda group: trade.groups[group]) for choose in (min, max)
            )
            text += (
                f", harmless ones from {percent(trade.groups[low])} ({plain(low)}) to "
                f"{percent(trade.groups[high])} ({plain(high)})"
                if trade.groups[low] < trade.groups[high]
                else f", harmless ones alike for {enumerated([*map(plain, trade.groups)])}"
            )
        parts.append(text)
    return f"Refused by arm: {'; '.join(parts)}. Arms that refuse as much stand side by side."
