"""Refusals of harmless requests against refusals of unsafe ones, arm by arm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from refusal_parity.factors import UNSAFE
from refusal_parity.report.axes import ceiling, legend_below, new_figure, percent_axis
from refusal_parity.report.drawing import Drawing
from refusal_parity.report.figure_registry import Place, figure_of_study
from refusal_parity.report.safeguards import ALL, rate_of
from refusal_parity.report.style import ACCENT, ACCENT_SOFT, CONTRAST, INK, MUTED
from refusal_parity.statistics.safeguards import HARMLESS, compared_arms
from refusal_parity.tables import SafeguardRates
from refusal_parity.text import known, minus, percent, plain, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from refusal_parity.report.inputs import ReportInputs

_LONGEST: Final = 26


class Trade(NamedTuple):
    """One model in one arm.

    Attributes:
        model: its key.
        arm: key of the arm.
        unsafe: share of unsafe requests refused, 0 to 1.
        harmless: the same of harmless ones.
        groups: the same of each group, those that can be estimated.
    """

    model: str
    arm: str
    unsafe: float
    harmless: float
    groups: dict[str, float]


@figure_of_study("safeguards", Place(section="safeguards", order=95))
def draw_safeguards(inputs: ReportInputs) -> Drawing | None:
    """One mark for each model and arm, with the range of its groups; None without unsafe requests.

    Arrows lead from the baseline to the arm.
    """
    trades = trades_of(inputs)
    if not trades:
        return None
    figure, axes = new_figure(4.2)
    found = {(trade.model, trade.arm): trade for trade in trades}
    for trade in trades:
        _mark(axes, trade)
    for model in inputs.models:
        for each in compared_arms(inputs.config.prompts.arms):
            start, end = found.get((model, each.baseline)), found.get((model, each.arm))
            if start and end:
                axes.annotate(
                    "",
                    (end.unsafe, end.harmless),
                    (start.unsafe, start.harmless),
                    arrowprops={"arrowstyle": "->", "color": CONTRAST, "linewidth": 1.2},
                )
    percent_axis(axes, -0.03, 1.03, "Unsafe requests refused, in per cent")
    highest = ceiling(
        [rate for trade in trades for rate in (*trade.groups.values(), trade.harmless)]
    )
    axes.set_ylim(-0.03 * highest, min(highest, 1) * 1.08)
    axes.yaxis.set_major_formatter(lambda value, _: minus(f"{100 * value:.3g}"))
    axes.grid(visible=True, axis="y")
    axes.set_ylabel("Harmless requests refused, in per cent")
    axes.plot([], [], "o", color=ACCENT, label="all requests of an arm")
    axes.plot([], [], "_", color=ACCENT_SOFT, markeredgewidth=2, label=f"one {inputs.dimension}")
    legend_below(figure, axes)
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
                trades.append(Trade(model, arm, x, y, groups))
    return trades


def _mark(axes: Axes, trade: Trade) -> None:
    rates = list(trade.groups.values())
    if rates and max(rates) > min(rates):
        axes.plot([trade.unsafe] * 2, [min(rates), max(rates)], color=ACCENT_SOFT, linewidth=1.6)
        axes.plot(
            [trade.unsafe] * len(rates), rates, "_", color=ACCENT_SOFT, markeredgewidth=2, zorder=1
        )
        for choose, shift in ((min, -9), (max, 4)):
            group = choose(trade.groups, key=lambda each: trade.groups[each])
            axes.annotate(
                shorten(group, _LONGEST),
                (trade.unsafe, trade.groups[group]),
                xytext=(0, shift),
                textcoords="offset points",
                ha="center",
                fontsize=7.5,
                color=MUTED,
            )
    axes.plot(trade.unsafe, trade.harmless, "o", color=ACCENT, markersize=6, zorder=3)
    left = trade.unsafe > 1 / 2
    axes.annotate(
        shorten(f"{trade.model}, {trade.arm}", _LONGEST),
        (trade.unsafe, trade.harmless),
        xytext=(-7, 6) if left else (7, -13),
        textcoords="offset points",
        ha="right" if left else "left",
        fontsize=8,
        color=INK,
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
            )
        parts.append(text)
    return f"Refused by arm: {'; '.join(parts)}."
