"""Each group's difference at every level of the crossed factors: wordings, forms, arms."""

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
from refusal_parity.report.interactions import factors_of
from refusal_parity.report.style import ACCENT, INK, MUTED
from refusal_parity.text import heading_of, interval, isolated, plain, points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from refusal_parity.report.inputs import ReportInputs
    from refusal_parity.statistics.answering.finding import Finding


@figure_of_model("interactions", Place(section="interactions", order=35))
def draw_interactions(inputs: ReportInputs, model: str) -> Drawing | None:
    """Differences of the primary outcome at each level of each factor, for one model.

    A block for each factor, in it the levels of each group below one another. A filled mark
    is a difference that its corrected test shows. Axes are as those of the groups' differences.
    """
    blocks = _blocks(inputs, model)
    if not blocks:
        return None
    rows: list[Finding | str] = []
    for factor, found in blocks.items():
        rows += [f"By {heading_of(factor)}", *found]
    figure, axes = new_figure(1.35 + 0.3 * len(rows))
    label_rows(axes, [row if isinstance(row, str) else _label(row) for row in rows])
    for position, row in enumerate(rows):
        if isinstance(row, str):
            axes.get_yticklabels()[position].set(color=INK, fontweight="bold")
        else:
            _draw_row(axes, position, row)
    reach = reach_of({each: _ends(inputs, each) for each in inputs.models}, model)
    references = ", ".join(
        dict.fromkeys(plain(row.reference) for row in rows if not isinstance(row, str))
    )
    words = f"Difference in percentage points against {references}{reach.note}"
    difference_axis(axes, reach.ends, words)
    axes.plot([], [], color=ACCENT, linewidth=2.4, label=f"{inputs.confidence} interval")
    legend_below(figure, axes, columns=1)
    heading = inputs.outcome.words.heading
    return Drawing(
        kind="interactions",
        stem=stem_of("interactions", model),
        model=model,
        title=f"{heading}: difference against {references} at each "
        f"{' and '.join(map(heading_of, blocks))}: {plain(model)}",
        alt=_alt(inputs, model, blocks),
        figure=figure,
    )


def _ends(inputs: ReportInputs, model: str) -> list[float | None]:
    return [
        end
        for found in _blocks(inputs, model).values()
        for row in found
        for end in (row.estimate, row.ci_low, row.ci_high)
    ]


def _blocks(inputs: ReportInputs, model: str) -> dict[str, list[Finding]]:
    """Differences at single levels by factor, those of one group together."""
    found = inputs.interactions(model, inputs.outcome, inputs.dimension)
    here = [each for each in found if each.factor_base is None]
    groups = list(dict.fromkeys(each.level for each in here))
    return {
        factor: sorted(
            (each for each in here if each.factor == factor),
            key=lambda each: groups.index(each.level),
        )
        for factor in factors_of(found)
    }


def _label(row: Finding) -> str:
    return f"{isolated(row.level)}, {isolated(row.factor_level or '')}"


def _draw_row(axes: Axes, position: int, row: Finding) -> None:
    if row.estimate is None:
        margin_text(axes, position, "not estimable", colour=MUTED)
        return
    interval_bar(axes, position, (row.ci_low, row.ci_high), shown=row.shown)
    estimate_mark(axes, position, row.estimate, filled=row.shown)
    margin_text(axes, position, points(row.estimate, signed=True))


def _alt(inputs: ReportInputs, model: str, blocks: dict[str, list[Finding]]) -> str:
    parts = [
        f"by {heading_of(factor)} "
        + ", ".join(
            f"{plain(_label(row))} {points(row.estimate, signed=True)} points (interval "
            f"{interval(row.ci_low, row.ci_high)})"
            if row.estimate is not None
            else f"{plain(_label(row))} not estimable"
            for row in found
        )
        for factor, found in blocks.items()
    ]
    start = f"Differences in the {inputs.outcome.words.heading.lower()} rate of {plain(model)}"
    return f"{start}: {'; '.join(parts)}."
