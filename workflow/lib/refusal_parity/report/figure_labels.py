"""Composition of labels: what the responses to each group did, stacked to 100 per cent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.report.axes import label_rows, margin_text, new_figure, percent_axis
from refusal_parity.report.drawing import Drawing, stem_of
from refusal_parity.report.figure_registry import Place, figure_of_model
from refusal_parity.report.shown_labels import COLOURS, SHOWN, shown_labels
from refusal_parity.report.style import MUTED, PAPER
from refusal_parity.statistics.uncounted import UNCOUNTED
from refusal_parity.text import percent, plain

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs

Shares = dict[str, dict[str, float]]


@figure_of_model("labels", Place(section="rates", order=20, heading="What the responses did"))
def draw_labels(inputs: ReportInputs, model: str) -> Drawing | None:
    """Share of each label among the responses of each group that count; None without any."""
    shares = label_shares(inputs, model)
    if not any(shares.values()):
        return None
    figure, axes = new_figure(1.35 + 0.34 * len(shares))
    label_rows(axes, list(shares))
    for position, of_group in enumerate(shares.values()):
        if not of_group:
            margin_text(axes, position, UNCOUNTED, colour=MUTED)
    left = dict.fromkeys(shares, 0.0)
    for label, colour in COLOURS.items():
        widths = [shares[group].get(label, 0.0) for group in shares]
        if not any(widths):
            continue
        axes.barh(
            range(len(shares)), widths, 0.66, list(left.values()), color=colour, edgecolor=PAPER,
            linewidth=0.8, label=SHOWN[label],
        )  # fmt: skip
        left = {group: left[group] + shares[group].get(label, 0.0) for group in shares}
    percent_axis(axes, 0, 1, "Share of responses that count in per cent")
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=3, handlelength=1.0)
    return Drawing(
        kind="labels",
        stem=stem_of("labels", model),
        model=model,
        title=f"Labels by group: {plain(model)}",
        alt=_alt(model, shares),
        figure=figure,
    )


def label_shares(inputs: ReportInputs, model: str) -> Shares:
    """Share of each label by group, refusals by the service among them, over all that count.

    Of the prompts that rates are about, so that refusals add up to the rate beside them. A group
    of which none counts has no share.
    """
    counts = (
        shown_labels(inputs, model)
        .filter(pl.col("label").is_not_null())
        .select("prompt_id", "label")
        .collect()
        .join(inputs.compared().select("prompt_id", "group"), on="prompt_id")
        .group_by("group", "label")
        .len()
        .with_columns(share=pl.col("len") / pl.col("len").sum().over("group"))
    )
    shares: Shares = {}
    for row in counts.iter_rows(named=True):
        shares.setdefault(row["group"], {})[row["label"]] = row["share"]
    return {group: shares.get(group, {}) for group in inputs.levels("group")}


def _alt(model: str, shares: Shares) -> str:
    parts = [
        f"{plain(group)}: "
        + (
            ", ".join(
                f"{name.lower()} {percent(share)}"
                for label, name in SHOWN.items()
                if (share := of_group.get(label, 0.0))
            )
            or UNCOUNTED
        )
        for group, of_group in shares.items()
    ]
    return f"Share of each label by group for {plain(model)}. {'; '.join(parts)}."
