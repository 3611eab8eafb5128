"""Each group's difference from template to template: its mean and where a new one would lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refusal_parity.report.axes import (
    difference_axis,
    estimate_mark,
    label_rows,
    legend_below,
    margin_text,
    new_figure,
    reach_of,
)
from refusal_parity.report.drawing import Drawing, stem_of
from refusal_parity.report.figure_registry import Place, figure_of_model
from refusal_parity.report.style import ACCENT_SOFT
from refusal_parity.report.template_effects import effect_rows, varies
from refusal_parity.text import interval, percent, plain, points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from refusal_parity.report.inputs import ReportInputs, Row


@figure_of_model(
    "template-effects",
    Place(
        section="templates",
        order=55,
        heading="How much a difference hangs on the template",
        lead="The bar, where templates are enough for one, is where the difference of these names "
        "would lie in a new template like these, in the share of templates that the legend says; "
        "it holds at every rate, and includes what samples and names add to a single template. "
        "The mark is the mean difference, filled where it is shown that the difference varies "
        "between templates. The number is the standard deviation of the true difference between "
        "templates.",
    ),
)
def draw_template_effects(inputs: ReportInputs, model: str) -> Drawing | None:
    """Mean and interval of a new template of each difference of the primary family."""
    rows = [
        row for row in effect_rows(inputs, model, inputs.dimension) if row["estimate"] is not None
    ]
    if not rows:
        return None
    figure, axes = new_figure(1.35 + 0.34 * len(rows))
    label_rows(axes, [plain(row["group"]) for row in rows])
    for position, row in enumerate(rows):
        _draw_row(axes, position, row, filled=varies(inputs, row))
    reach = reach_of({each: _ends(inputs, each) for each in inputs.models}, model)
    reference = plain(rows[0]["reference"])
    words = f"Difference in percentage points against {reference}{reach.note}"
    difference_axis(axes, reach.ends, words)
    levels = sorted({row["new_level"] for row in rows if row["new_level"] is not None})
    if levels:
        label = f"{percent(levels[0])} of new templates or more"
        axes.plot([], [], color=ACCENT_SOFT, linewidth=5, label=label)
        legend_below(figure, axes, columns=1)
    heading = inputs.outcome.words.heading
    return Drawing(
        kind="template-effects",
        stem=stem_of("template-effects", model),
        model=model,
        title=f"{heading}: difference against {reference} from template to template, with the "
        f"standard deviation between templates: {plain(model)}",
        alt=_alt(inputs, model, rows),
        figure=figure,
    )


def _draw_row(axes: Axes, position: int, row: Row, *, filled: bool) -> None:
    if row["new_low"] is not None:
        axes.plot(
            [row["new_low"], row["new_high"]],
            [position, position],
            color=ACCENT_SOFT,
            linewidth=5,
            solid_capstyle="butt",
        )
    estimate_mark(axes, position, row["estimate"], filled=filled)
    margin_text(axes, position, "no variance" if row["sd"] is None else f"SD {points(row['sd'])}")


def _ends(inputs: ReportInputs, model: str) -> list[float | None]:
    return [
        end
        for row in effect_rows(inputs, model, inputs.dimension)
        for end in (row["estimate"], row["new_low"], row["new_high"])
    ]


def _alt(inputs: ReportInputs, model: str, rows: list[Row]) -> str:
    parts = [
        f"{plain(row['group'])} mean {points(row['estimate'], signed=True)} points"
        + (f", standard deviation {points(row['sd'])}" if row["sd"] is not None else "")
        + (
            f", a new template {interval(row['new_low'], row['new_high'])}"
            if row["new_low"] is not None
            else ""
        )
        for row in rows
    ]
    start = (
        f"Differences in the {inputs.outcome.words.heading.lower()} rate of {plain(model)} from "
        "template to template"
    )
    return f"{start}: {'; '.join(parts)}."
