"""Strip plot: each name's mean log-odds within its group, with the rates that they mean."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Final

import polars as pl
from matplotlib.ticker import FuncFormatter, MaxNLocator
from scipy.special import expit

from refusal_parity.report.axes import label_rows, legend_below, new_figure
from refusal_parity.report.drawing import Drawing, stem_of
from refusal_parity.report.figure_registry import Place, figure_of_model
from refusal_parity.report.odds import small_rate, weighed_models
from refusal_parity.report.style import ACCENT, CONTRAST
from refusal_parity.tables import Prompts, Propensity
from refusal_parity.text import plain, shorten

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs

_NAME_LENGTH: Final = 16
_TICKS: Final = 4


@figure_of_model("log-odds", Place(section="propensity", order=34, wide=True))
def draw_log_odds(inputs: ReportInputs, model: str) -> Drawing | None:
    """Mean log-odds of each name; None of a prompt list, or where nothing was measured.

    The axis is of log-odds, its ticks are the rates that they mean. Of each group the name
    that is furthest up is named.
    """
    if inputs.listed or model not in weighed_models(inputs):
        return None
    groups = log_odds_of_names(inputs, model)
    figure, axes = new_figure(1.25 + 0.56 * max(len(groups), 1))
    label_rows(axes, list(groups))
    axes.set_ylim(len(groups) - 0.35, -0.65)
    for position, names in enumerate(groups.values()):
        if not names:
            continue
        values = [value for _, value in names]
        mean, first = fmean(values), position == 0
        axes.plot(
            [mean, mean],
            [position - 0.3, position + 0.3],
            color=CONTRAST,
            linewidth=2,
            solid_capstyle="butt",
            label="mean of the group's names" if first else None,
        )
        axes.plot(
            values,
            [position] * len(values),
            "o",
            color=ACCENT,
            alpha=0.75,
            markersize=5.5,
            markeredgewidth=0,
            label="one name" if first else None,
        )
        name, highest = names[-1]
        axes.annotate(
            shorten(name, _NAME_LENGTH),
            (highest, position),
            xytext=(0, -9),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=7.5,
        )
    axes.margins(x=0.12)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=_TICKS))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: small_rate(float(expit(value)))))
    axes.grid(visible=True, axis="x")
    axes.set_xlabel("Rate at the name's mean log-odds (axis of log-odds)")
    legend_below(figure, axes)
    return Drawing(
        kind="log-odds",
        stem=stem_of("log-odds", model),
        model=model,
        title=f"Refusal propensity of each name: {plain(model)}",
        alt=_alt(model, groups),
        figure=figure,
    )


def log_odds_of_names(inputs: ReportInputs, model: str) -> dict[str, list[tuple[str, float]]]:
    """Each name with its mean log-odds, lowest first, by group in the study's order."""
    rows = (
        inputs[Propensity]
        .filter(pl.col("model") == model)
        .drop_nulls("log_odds")
        .join(inputs[Prompts].select("prompt_id", "name_id", "name", "group"), on="prompt_id")
        .group_by("group", "name_id", "name")
        .agg(pl.col("log_odds").sort().mean())
        .sort("log_odds", "name")
    )
    found: dict[str, list[tuple[str, float]]] = {level: [] for level in inputs.levels("group")}
    for row in rows.iter_rows(named=True):
        found.setdefault(str(row["group"]), []).append((str(row["name"]), row["log_odds"]))
    return found


def _alt(model: str, groups: dict[str, list[tuple[str, float]]]) -> str:
    def told(value: float) -> str:
        return small_rate(float(expit(value)))

    parts = [
        f"{plain(group)}: {told(fmean(value for _, value in names))} at the mean, from "
        f"{told(names[0][1])} ({plain(names[0][0])}) to {told(names[-1][1])} "
        f"({plain(names[-1][0])})"
        for group, names in groups.items()
        if names
    ]
    return f"Rates at the mean log-odds of each name of {plain(model)}. {'; '.join(parts)}."
