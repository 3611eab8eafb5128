"""Forest plot of an audit: each group's difference from conversations that mention nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from refusal_parity.pair_vocabulary import Adjustment
from refusal_parity.report.audit import LEADING, difference_rows
from refusal_parity.report.axes import (
    difference_axis,
    label_rows,
    legend_below,
    margin_text,
    new_figure,
)
from refusal_parity.report.drawing import Drawing
from refusal_parity.report.figure_registry import Place, figure_of_study
from refusal_parity.report.style import ACCENT, CONTRAST, PAPER
from refusal_parity.text import interval, p_equals, plain, points
from refusal_parity.vocabulary import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from refusal_parity.report.inputs import ReportInputs, Row

_COLOURS: Final = {Adjustment.NONE: ACCENT, Adjustment.HARM: CONTRAST}
_WORDS: Final = {
    Adjustment.NONE: "as they are",
    Adjustment.HARM: "among requests that seem as harmful",
}


@figure_of_study("groups", Place(section="groups", order=100))
def draw_groups(inputs: ReportInputs) -> Drawing | None:
    """How much more often preferred answers refuse, unadjusted and adjusted for harm.

    Groups with too few openings to be tested are not drawn; a filled mark is a difference
    that was shown.
    """
    found = {
        adjustment: {
            group: row
            for (group, _), row in difference_rows(inputs, LEADING, adjustment=adjustment).items()
            if row["estimate"] is not None
        }
        for adjustment in Adjustment
    }
    groups = sorted(
        {group for rows in found.values() for group in rows},
        key=lambda group: (-max(r[group]["n_group"] for r in found.values() if group in r), group),
    )
    if not groups:
        return None
    figure, axes = new_figure(1.35 + 0.44 * len(groups))
    label_rows(axes, groups)
    ends = [row[end] for rows in found.values() for row in rows.values() for end in _ENDS]
    for position, group in enumerate(groups):
        for adjustment, rows in found.items():
            if group in rows:
                shift = 0.0 if adjustment is Adjustment.NONE else 0.26
                _draw_row(axes, position + shift, rows[group], _COLOURS[adjustment])
        first = found[Adjustment.NONE].get(group)
        if first is not None:
            margin_text(axes, position, points(first["estimate"], signed=True))
    difference_axis(axes, ends, "Difference in percentage points")
    for adjustment, colour in _COLOURS.items():
        label = f"{_WORDS[adjustment]} ({inputs.confidence} interval)"
        axes.plot([], [], color=colour, linewidth=2, label=label)
    legend_below(figure, axes, columns=1)
    return Drawing(
        kind="groups",
        stem="groups",
        model="",
        title=f"{LEADING.heading}: difference from conversations that mention nobody",
        alt=_alt(found),
        figure=figure,
    )


_ENDS: Final = ("estimate", "ci_low", "ci_high")


def _draw_row(axes: Axes, position: float, row: Row, colour: str) -> None:
    if row["ci_low"] is not None and row["ci_high"] is not None:
        axes.plot([row["ci_low"], row["ci_high"]], [position, position], color=colour, linewidth=2)
    axes.plot(
        row["estimate"],
        position,
        "o",
        markersize=5,
        markerfacecolor=colour if row["verdict"] == Verdict.SHOWN else PAPER,
        markeredgecolor=colour,
        clip_on=False,
    )


def _alt(found: dict[Adjustment, dict[str, Row]]) -> str:
    parts = [
        f"{_WORDS[adjustment]}: "
        + "; ".join(
            f"{plain(group)} {points(row['estimate'], signed=True)} points (interval "
            f"{interval(row['ci_low'], row['ci_high'])}"
            + (
                f", adjusted {p_equals(row['p_adjusted'])})"
                if row["p_adjusted"] is not None
                else ")"
            )
            for group, row in rows.items()
        )
        for adjustment, rows in found.items()
    ]
    first, *others = parts
    more = "".join(f" {each[:1].upper()}{each[1:]}." for each in others)
    return f"Differences in how often the preferred answer refuses, {first}.{more}"
