"""Forest plot: each group's risk difference against the reference, with both scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refusal_parity.report.axes import (
    difference_axis,
    estimate_mark,
    interval_bar,
    label_rows,
    legend_below,
    margin_text,
    new_figure,
    reach_of,
)
from refusal_parity.report.drawing import Drawing, stem_of
from refusal_parity.report.figure_registry import Place, figure_of_model
from refusal_parity.report.style import ACCENT, MUTED
from refusal_parity.text import interval, p_equals, plain, points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from refusal_parity.report.inputs import ReportInputs
    from refusal_parity.statistics.answering.finding import Finding


@figure_of_model("differences", Place(section="differences", order=30))
def draw_differences(inputs: ReportInputs, model: str) -> Drawing:
    """Risk differences of the primary outcome with their intervals, for one model.

    The thick interval is for new templates and new names, the one below it, drawn
    with a thinner line, for these templates and new names.

    A filled mark is a difference that the corrected test of its pair shows.
    The axis is one for all models of a study, but for those whose ends are far nearer to 0.
    """
    outcome, dimension = inputs.outcome, inputs.dimension
    found = inputs.contrasts(model, outcome, dimension)
    figure, axes = new_figure(1.35 + 0.4 * max(len(found), 1))
    label_rows(axes, [contrast.level for contrast in found])
    for position, contrast in enumerate(found):
        _draw_row(axes, position, contrast)
    references = ", ".join(dict.fromkeys(plain(contrast.reference) for contrast in found))
    against = f" against {references}" if references else ""
    reach = reach_of({each: _ends(inputs, each) for each in inputs.models}, model)
    words = f"Difference in percentage points{against}{reach.note}"
    difference_axis(axes, reach.ends, words)
    level = f"{inputs.confidence} interval, new {'prompts' if inputs.listed else 'names'}"
    if any(contrast.ci_low is not None for contrast in found):
        words = level if inputs.listed else f"{level} and templates"
        axes.plot([], [], color=ACCENT, linewidth=2.4, label=words)
    if any(contrast.names_ci_low is not None for contrast in found):
        axes.plot([], [], color=MUTED, linewidth=1.1, label=f"{level}, these templates")
    legend_below(figure, axes, columns=1)
    return Drawing(
        kind="differences",
        stem=stem_of("differences", model),
        model=model,
        title=f"{outcome.words.heading}: difference{against}: {plain(model)}",
        alt=_alt(inputs, model, found),
        figure=figure,
    )


def _ends(inputs: ReportInputs, model: str) -> list[float | None]:
    return [
        end
        for contrast in inputs.contrasts(model, inputs.outcome, inputs.dimension)
        for end in (
            contrast.estimate,
            contrast.ci_low,
            contrast.ci_high,
            contrast.names_ci_low,
            contrast.names_ci_high,
        )
    ]


def _draw_row(axes: Axes, position: int, contrast: Finding) -> None:
    if contrast.estimate is None:
        margin_text(axes, position, "not estimable", colour=MUTED)
        return
    interval_bar(axes, position, (contrast.ci_low, contrast.ci_high), shown=contrast.shown)
    if contrast.names_ci_low is not None and contrast.names_ci_high is not None:
        axes.plot(
            [contrast.names_ci_low, contrast.names_ci_high],
            [position + 0.26, position + 0.26],
            color=MUTED,
            linewidth=1.1,
        )
    estimate_mark(axes, position, contrast.estimate, filled=contrast.shown)
    margin_text(axes, position, points(contrast.estimate, signed=True))


def _alt(inputs: ReportInputs, model: str, found: list[Finding]) -> str:
    parts = [
        f"{plain(contrast.group)} {points(contrast.estimate, signed=True)} points"
        f" (interval {interval(contrast.ci_low, contrast.ci_high)}"
        + (
            ""
            if inputs.listed
            else f", with these templates {interval(contrast.names_ci_low, contrast.names_ci_high)}"
        )
        + (
            f"; adjusted {p_equals(contrast.p_adjusted)})"
            if contrast.p_adjusted is not None
            else ")"
        )
        if contrast.estimate is not None
        else f"{plain(contrast.group)} not estimable"
        for contrast in found
    ]
    references = ", ".join(dict.fromkeys(plain(contrast.reference) for contrast in found))
    start = f"Differences in the {inputs.outcome.words.heading.lower()} rate of {plain(model)}"
    return f"{start} against {references}: {'; '.join(parts)}." if parts else f"{start}: none."
