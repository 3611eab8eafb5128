"""What differences the design finds: power curves, and with more names a group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from refusal_parity.report.axes import legend_below, new_figure, percent_axis
from refusal_parity.report.drawing import Drawing, stem_of
from refusal_parity.report.figure_registry import Place, figure_of_model
from refusal_parity.report.style import ACCENT, ACCENT_SOFT, CONTRAST, GRID, MUTED
from refusal_parity.statistics.planning.power import Size, minimum_detectable, power_of, precision
from refusal_parity.statistics.variances.components import Components
from refusal_parity.text import percent, plain, points, tenths
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs, Row

_FACTORS: Final = (1, 2, 4)
"""Names of this study, twice and four times as many."""
_COLOURS: Final = {1: ACCENT, 2: MUTED, 4: ACCENT_SOFT}
_STYLES: Final = {1: "-", 2: (0, (5, 2)), 4: "-"}
_POINTS: Final = 81


class Curve(NamedTuple):
    """Power over differences, and the difference that reaches the power asked for."""

    names: str
    differences: np.ndarray
    power: np.ndarray
    detectable: float


@figure_of_model(
    "power",
    Place(
        section="selfcheck",
        order=70,
        heading="What the design can find",
        lead="How often a study with as much variance finds a difference between a group and its "
        "reference in new names and new templates, or in new prompts of a list, and what more "
        "names, or prompts, a group would add.",
        last=True,
    ),
)
def draw_power(inputs: ReportInputs, model: str) -> Drawing | None:
    """Power over the true difference, for new names and templates; None where it is not known."""
    row = _design(inputs, model)
    if row is None:
        return None
    curves = power_curves(row)
    if not curves:
        return None
    figure, axes = new_figure(3.1)
    for factor, curve in zip(_FACTORS, curves, strict=True):
        axes.plot(
            curve.differences,
            curve.power,
            color=_COLOURS[factor],
            linestyle=_STYLES[factor],
            linewidth=2.2 if factor == 1 else 1.6,
            label=curve.names + (" (this study)" if factor == 1 else ""),
        )
    axes.axhline(row["power"], color=GRID, linewidth=1.0, zorder=0)
    axes.plot(
        [curves[0].detectable] * 2,
        [0, row["power"]],
        color=CONTRAST,
        linewidth=1.4,
        linestyle=(0, (4, 3)),
        label=f"found in {percent(row['power'])}: {_detectable(curves[0])}",
    )
    percent_axis(axes, 0, float(curves[0].differences[-1]), "True difference in percentage points")
    axes.set_ylim(0, 1.02)
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1.0], ["0", "20", "40", "60", "80", "100"])
    axes.set_ylabel("Studies that find it, in per cent")
    legend_below(figure, axes)
    return Drawing(
        kind="power",
        stem=stem_of("power", model),
        model=model,
        title=f"What differences the design finds: {plain(model)}",
        alt=_alt(model, row, curves),
        figure=figure,
    )


def power_curves(row: Row) -> list[Curve]:
    """Power of a design and of the same with more names a group (`statistics.power`).

    Args:
        row: of the table StudyDesign; its variances and sizes are used.
    """
    parts = Components(
        rate=row["rate"],
        name=row["var_name"],
        template=row["var_template"],
        template_group=row["var_template_group"],
        cell=row["var_cell"],
        sample=row["var_sample"],
    )
    farthest = stretch = 0.0
    found = []
    for factor in _FACTORS:
        size = Size(
            names=factor * row["names"],
            reference=factor * row["reference_names"],
            templates=row["templates"],
            samples=row["samples"],
        )
        given = precision(parts, size, Scope(row["scope"]))
        plain = minimum_detectable(given, row["alpha"], row["power"])
        if not plain:
            return []
        # Stretched to go through what the study was found to find, by its own decision.
        stretch = stretch or row["value"] / plain
        detectable = stretch * plain
        farthest = farthest or min(1.0, 1.5 * detectable)
        differences = np.linspace(0, farthest, _POINTS)
        power = np.array([power_of(given, each / stretch, row["alpha"]) for each in differences])
        words = _names(size, "prompts" if row["scope"] == Scope.NEW_PROMPTS else "names")
        found.append(Curve(words, differences, power, detectable))
    return found


def _detectable(curve: Curve) -> str:
    """The difference that is found; rates lie at most 100 points apart."""
    return f"{points(curve.detectable)} points" if curve.detectable < 1 else "none"


def _names(size: Size, units: str) -> str:
    if size.names == size.reference:
        return f"{size.names:g} {units} a group"
    return f"{size.names:g} against {size.reference:g} {units}"


def _design(inputs: ReportInputs, model: str) -> Row | None:
    """The row of the smallest difference found in new names and templates, the worst group's."""
    rows = [
        row
        for row in inputs.detectable(model)
        if row["scope"] in {Scope.NEW_NAMES_AND_TEMPLATES, Scope.NEW_PROMPTS} and row["value"] > 0
    ]
    return max(rows, key=lambda row: row["value"]) if rows else None


def _about(number: float) -> str:
    """A mean of counts, which missing responses make a fraction, without its last digits."""
    return tenths(number).removesuffix(".0")


def _alt(model: str, row: Row, curves: list[Curve]) -> str:
    parts = [f"with {curve.names} {_detectable(curve)}" for curve in curves]
    listed = row["scope"] == Scope.NEW_PROMPTS
    templates = "" if listed else f"{_about(row['templates'])} templates and "
    return (
        f"Power over the true difference for {plain(model)}, {templates}"
        f"{_about(row['samples'])} samples. Found in {percent(row['power'])} of studies: "
        f"{', '.join(parts)}."
    )
