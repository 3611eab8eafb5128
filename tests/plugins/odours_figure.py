"""A figure that somebody adds, of a table that somebody adds, in a file of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from odours_table import Odours

from refusal_parity.report.axes import label_rows, new_figure
from refusal_parity.report.drawing import Drawing
from refusal_parity.report.figure_registry import Place, figure_of_study

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


@figure_of_study("odours", Place(section="rates", order=19))
def draw_odours(inputs: ReportInputs) -> Drawing:
    """One bar for each model."""
    rows = inputs[Odours]
    figure, axes = new_figure(1.0 + 0.3 * len(rows))
    label_rows(axes, rows["model"].to_list())
    axes.barh(range(len(rows)), rows["strength"].to_list())
    said = ", ".join(f"{model} {strength:g}" for model, strength in rows.iter_rows())
    return Drawing(
        kind="odours",
        stem="odours",
        model="",
        title="Odours",
        alt=f"Parts in a million: {said}.",
        figure=figure,
    )
