"""Type I error rate of each method, in simulated studies like this one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from refusal_parity.report.axes import (
    ceiling,
    label_rows,
    legend_below,
    margin_text,
    new_figure,
    percent_axis,
)
from refusal_parity.report.drawing import Drawing, stem_of
from refusal_parity.report.figure_registry import Place, figure_of_model
from refusal_parity.report.style import ACCENT, ACCENT_SOFT, CONTRAST, INK, MUTED, PAPER
from refusal_parity.statistics.methods import METHODS
from refusal_parity.text import known, percent, plain
from refusal_parity.vocabulary import Estimand

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from refusal_parity.report.inputs import ReportInputs, Row

_TOGETHER: Final = ", all levels together"


class FalseAlarms(NamedTuple):
    """A method's type I error rate, with its Monte Carlo interval."""

    label: str
    used: bool
    rate: float
    low: float
    high: float


@figure_of_model("selfcheck", Place(section="selfcheck", order=60, wide=True))
def draw_selfcheck(inputs: ReportInputs, model: str) -> Drawing | None:
    """Type I error rates of all methods, those that are used first; None without a self-check."""
    found = false_alarms(inputs, model)
    if not found:
        return None
    nominal = inputs.config.analysis.alpha
    figure, axes = new_figure(1.4 + 0.36 * len(found))
    label_rows(axes, [""] * len(found))
    for position, each in enumerate(found):
        _name_row(axes, position, each)
    limit = min(ceiling([each.high for each in found], least=0.1), 1)
    percent_axis(axes, 0, limit, "Type I error rate, in per cent")
    axes.axvline(nominal, color=CONTRAST, linewidth=1.4, linestyle=(0, (4, 3)), zorder=1)
    for position, each in enumerate(found):
        _draw_row(axes, position, each)
    axes.plot([], [], "o", color=ACCENT, markersize=6, label="used")
    axes.plot([], [], "o", color=MUTED, fillstyle="none", markersize=6, label="for comparison")
    axes.plot([], [], color=CONTRAST, linestyle=(0, (4, 3)), label=f"nominal: {percent(nominal)}")
    legend_below(figure, axes, columns=3)
    return Drawing(
        kind="selfcheck",
        stem=stem_of("selfcheck", model),
        model=model,
        title=f"Type I error rates of the methods: {plain(model)}",
        alt=_alt(model, nominal, found),
        figure=figure,
    )


def false_alarms(inputs: ReportInputs, model: str) -> list[FalseAlarms]:
    """The worse of both patterns of name variance, for each method and kind of test.

    Those of methods that are used come first, each part in the order of their rates.
    """
    worst: dict[str, FalseAlarms] = {}
    for row in inputs.false_positives(model, inputs.outcome, inputs.dimension):
        if not known(row["false_positive_rate"]):
            continue
        each = _of_row(row)
        if each.label not in worst or each.rate > worst[each.label].rate:
            worst[each.label] = each
    return sorted(worst.values(), key=lambda each: (not each.used, each.rate, each.label))


def _of_row(row: Row) -> FalseAlarms:
    method = METHODS[row["method"]]
    label = plain(method.heading) + (_TOGETHER if row["estimand"] == Estimand.GLOBAL else "")
    used = method.controls(row["estimand"])
    return FalseAlarms(label, used, row["false_positive_rate"], row["ci_low"], row["ci_high"])


def _name_row(axes: Axes, position: int, each: FalseAlarms) -> None:
    """The method above its line: names of methods are too long to stand beside it."""
    axes.text(
        0,
        position - 0.38,
        each.label,
        transform=axes.get_yaxis_transform(),
        ha="left",
        va="center",
        color=INK if each.used else MUTED,
        fontsize=7.5,
        # The line of the nominal level must not run through it.
        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.8},
    )


def _draw_row(axes: Axes, position: int, each: FalseAlarms) -> None:
    axes.plot(
        [each.low, each.high],
        [position, position],
        color=ACCENT_SOFT if each.used else MUTED,
        linewidth=2.4 if each.used else 1.2,
        solid_capstyle="round",
    )
    axes.plot(
        each.rate,
        position,
        "o",
        color=ACCENT if each.used else MUTED,
        fillstyle="full" if each.used else "none",
        markersize=5,
    )
    margin_text(axes, position, percent(each.rate), colour=INK if each.used else MUTED)


def _alt(model: str, nominal: float, found: list[FalseAlarms]) -> str:
    parts = [
        f"{each.label} {percent(each.rate)}{'' if each.used else ' (for comparison)'}"
        for each in found
    ]
    return (
        f"Type I error rate of each method in simulated studies, for {plain(model)}, at a nominal "
        f"{percent(nominal)}: {'; '.join(parts)}."
    )
