"""Heat map: rate of each template for each group, templates ordered by family."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from matplotlib.patches import Rectangle

from refusal_parity.report.axes import ceiling, new_figure
from refusal_parity.report.drawing import Drawing, stem_of
from refusal_parity.report.figure_registry import Place, figure_of_model
from refusal_parity.report.style import (
    CELL_DARK,
    CELL_LIGHT,
    MUTED,
    PAPER,
    SEQUENTIAL,
)
from refusal_parity.report.tabular import few_words
from refusal_parity.text import NOTHING, known, percent, plain, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from refusal_parity.report.inputs import ReportInputs, Row

_TEMPLATE_LENGTH: Final = 44
_GROUP_LENGTH: Final = 14
_LEVEL_LENGTH: Final = 5
_HALF: Final = 0.55
_MAX_NUMBERED_COLUMNS: Final = 9
_FAMILY_GAP: Final = 0.9


@figure_of_model("templates", Place(section="templates", order=50, wide=True))
def draw_templates(inputs: ReportInputs, model: str) -> Drawing | None:
    """Rate of the primary outcome for each template and group; None of a prompt list.

    Colours are the same for all models of a study; white cells are not estimable.
    """
    if inputs.listed:
        return None
    outcome = inputs.outcome
    rows = inputs.rate_rows(model, outcome, "group", within="template")
    cells = {(row["within_group"], row["group"]): row for row in rows}
    facts = inputs.template_facts()
    templates = _by_family(list(dict.fromkeys(row["within_group"] for row in rows)), facts)
    groups = [level for level in inputs.levels("group") if any(g == level for _, g in cells)]
    families = len(dict.fromkeys(family for family, _ in templates))
    figure, axes = new_figure(1.0 + 0.2 * max(len(templates) + _FAMILY_GAP * families, 1))
    limit = min(_limit(inputs), 1)
    positions: dict[str, float] = {}
    y = 0.0
    for family, members in groupby(templates, key=lambda pair: pair[0]):
        axes.annotate(
            shorten(family, _TEMPLATE_LENGTH),
            (-0.5, y),
            (-3.5, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=7.5,
            color=MUTED,
            fontweight="bold",
            annotation_clip=False,
        )
        y += _FAMILY_GAP
        for _, template in members:
            positions[template] = y
            _draw_row(axes, y, [cells.get((template, group)) for group in groups], limit)
            y += 1
    _finish(axes, positions, groups, facts, bottom=y)
    return Drawing(
        kind="templates",
        stem=stem_of("templates", model),
        model=model,
        title=f"{outcome.words.heading} rate by template and group, in per cent: {plain(model)}",
        alt=_alt(inputs, model, rows, facts),
        figure=figure,
    )


def template_words(template: str, facts: dict[str, Row]) -> str:
    """A template's text as its file has it."""
    return plain(facts.get(template, {}).get("template", template))


def _by_family(templates: list[str], facts: dict[str, Row]) -> list[tuple[str, str]]:
    families = [(plain(facts.get(key, {}).get("family", "templates")), key) for key in templates]
    order = list(dict.fromkeys(family for family, _ in families))
    return sorted(families, key=lambda pair: order.index(pair[0]))


def _limit(inputs: ReportInputs) -> float:
    rates = [
        row["rate"]
        for model in inputs.models
        for row in inputs.rate_rows(model, inputs.outcome, "group", within="template")
    ]
    return ceiling(rates, least=0.1)


def _draw_row(axes: Axes, y: float, row: list[Row | None], limit: float) -> None:
    for column, cell in enumerate(row):
        rate = cell["rate"] if cell is not None else None
        share = None if rate is None else rate / limit
        axes.add_patch(
            Rectangle(
                (column - 0.5, y - 0.5),
                1,
                1,
                facecolor=PAPER if share is None else SEQUENTIAL(share),
                edgecolor=PAPER,
                linewidth=1.2,
            )
        )
        if len(row) > _MAX_NUMBERED_COLUMNS:
            continue
        axes.text(
            column,
            y,
            NOTHING if rate is None else f"{100 * rate:.0f}",
            ha="center",
            va="center",
            fontsize=7,
            color=MUTED if share is None else _ink(share),
            # The cell already holds the room: measuring hundreds of numbers takes seconds.
            in_layout=False,
        )


def _ink(share: float) -> str:
    return CELL_LIGHT if share > _HALF else CELL_DARK


def _finish(
    axes: Axes,
    positions: dict[str, float],
    groups: list[str],
    facts: dict[str, Row],
    *,
    bottom: float,
) -> None:
    axes.set_yticks(
        list(positions.values()),
        [shorten(template_words(key, facts), _TEMPLATE_LENGTH) for key in positions],
        fontsize=7.5,
    )
    turned = max(map(len, groups), default=0) > _LEVEL_LENGTH
    axes.set_xticks(
        range(len(groups)),
        [shorten(group, _GROUP_LENGTH) for group in groups],
        rotation=40 if turned else 0,
        ha="left" if turned else "center",
        fontsize=7.5,
    )
    axes.xaxis.tick_top()
    axes.spines["bottom"].set_visible(False)
    axes.set_xlim(-0.5, max(len(groups), 1) - 0.5)
    axes.set_ylim(max(bottom, 1) - 0.4, -0.6)
    axes.tick_params(axis="x", pad=2, colors=MUTED)


def _alt(inputs: ReportInputs, model: str, rows: list[Row], facts: dict[str, Row]) -> str:
    start = f"{inputs.outcome.words.heading} rate of {plain(model)} for each template and group"
    estimable = sorted((row for row in rows if known(row["rate"])), key=lambda row: -row["rate"])
    if not estimable:
        return f"{start}: no rates."
    highest, lowest = (
        f"{percent(row['rate'])}{few_words(row)} for {plain(row['group'])} in “"
        f"{template_words(row['within_group'], facts)}”"
        for row in (estimable[0], estimable[-1])
    )
    return (
        f"{start}; {len(estimable)} cells with a rate. Highest: {highest}. Lowest: {lowest}. "
        "The table of templates has the rate of each."
    )
