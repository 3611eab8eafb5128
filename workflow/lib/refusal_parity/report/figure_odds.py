"""Forest plot of odds ratios of refusal propensity, with the rates that they mean."""

from __future__ import annotations

from math import ceil, exp, floor, log2
from typing import TYPE_CHECKING, Final

from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from refusal_parity.outcomes import Outcome
from refusal_parity.report.axes import (
    estimate_mark,
    interval_bar,
    label_rows,
    legend_below,
    margin_text,
    new_figure,
)
from refusal_parity.report.drawing import Drawing, stem_of
from refusal_parity.report.figure_registry import Place, figure_of_model
from refusal_parity.report.odds import (
    levels_of,
    odds_interval,
    odds_ratio,
    small_rate,
    weighed_models,
)
from refusal_parity.report.style import ACCENT, MUTED
from refusal_parity.text import p_equals, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from refusal_parity.report.inputs import ReportInputs
    from refusal_parity.statistics.answering.finding import Finding

_FARTHEST: Final = 6
"""Doublings beyond which an end of an interval is cut."""


@figure_of_model("odds", Place(section="propensity", order=32))
def draw_odds(inputs: ReportInputs, model: str) -> Drawing | None:
    """Odds ratios with their intervals, a doubling as wide as a halving; None where unmeasured.

    At the right edge stand the odds ratio and the rate of the typical prompt. A filled mark
    is a difference that the corrected test shows. The axis is one for all models of a study.
    """
    if model not in weighed_models(inputs):
        return None
    found = inputs.contrasts(model, Outcome.PROPENSITY, inputs.dimension)
    levels = levels_of(inputs, model, inputs.dimension)
    figure, axes = new_figure(1.35 + 0.4 * max(len(found), 1))
    label_rows(axes, [each.level for each in found])
    low, high = _limits(inputs)
    for position, each in enumerate(found):
        rate = levels.get(each.level, {}).get("typical_rate")
        _draw_row(axes, position, each, small_rate(rate), (low, high))
    axes.set_xscale("log", base=2)
    axes.set_xlim(low, high)
    step = max(round(log2(high / low) / 6), 1)
    axes.xaxis.set_major_locator(
        FixedLocator([2.0**at for at in range(round(log2(low)), round(log2(high)) + 1, step)])
    )
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
    axes.grid(visible=True, axis="x")
    axes.axvline(1, color=MUTED, linewidth=1)
    references = ", ".join(dict.fromkeys(plain(each.reference) for each in found))
    base = levels.get(str(inputs.reference(inputs.dimension)), {}).get("typical_rate")
    axes.set_xlabel(
        f"Odds ratio against {references} ({small_rate(base)})\n"
        "in brackets: rate of the typical prompt"
    )
    axes.plot([], [], color=ACCENT, linewidth=2.4, label=f"{inputs.confidence} interval")
    legend_below(figure, axes, columns=1)
    return Drawing(
        kind="odds",
        stem=stem_of("odds", model),
        model=model,
        title=f"Refusal propensity: odds ratio against {references}: {plain(model)}",
        alt=_alt(inputs, model, found),
        figure=figure,
    )


def _limits(inputs: ReportInputs) -> tuple[float, float]:
    """Powers of two around all ends, at least 1/2 to 2."""
    ends = [
        end
        for model in weighed_models(inputs)
        for each in inputs.contrasts(model, Outcome.PROPENSITY, inputs.dimension)
        for end in (each.estimate, each.ci_low, each.ci_high)
        if end is not None
    ]
    low = min([-1.0, *(max(floor(log2(exp(end))), -_FARTHEST) for end in ends)])
    high = max([1.0, *(min(ceil(log2(exp(end))), _FARTHEST) for end in ends)])
    return 2.0**low, 2.0**high


def _draw_row(
    axes: Axes, position: int, each: Finding, rate: str, limits: tuple[float, float]
) -> None:
    if each.estimate is None:
        margin_text(axes, position, "not estimable", colour=MUTED)
        return
    if each.ci_low is not None and each.ci_high is not None:
        low, high = (
            min(max(exp(end), limits[0]), limits[1]) for end in (each.ci_low, each.ci_high)
        )
        interval_bar(axes, position, (low, high), shown=each.shown)
    estimate_mark(axes, position, exp(each.estimate), filled=each.shown)
    margin_text(axes, position, f"{odds_ratio(each.estimate)} ({rate})")


def _alt(inputs: ReportInputs, model: str, found: list[Finding]) -> str:
    levels = levels_of(inputs, model, inputs.dimension)
    parts = [
        f"{plain(each.group)} {odds_ratio(each.estimate)} (interval "
        f"{odds_interval(each.ci_low, each.ci_high)}"
        + (f"; adjusted {p_equals(each.p_adjusted)}" if each.p_adjusted is not None else "")
        + f"; typical rate {small_rate(levels.get(each.level, {}).get('typical_rate'))})"
        if each.estimate is not None
        else f"{plain(each.group)} not estimable"
        for each in found
    ]
    return f"Odds ratios of refusal propensity of {plain(model)}: {'; '.join(parts) or 'none'}."
