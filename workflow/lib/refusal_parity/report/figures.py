"""All figures of a study, in the order of the page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from refusal_parity.report.drawing import save_figure
from refusal_parity.report.figure_registry import in_order
from refusal_parity.report.sections import sections_of
from refusal_parity.report.style import figure_style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from refusal_parity.report.drawing import Drawing
    from refusal_parity.report.inputs import ReportInputs

# A module named like this declares its figure as it is imported.
for _module in iter_modules([str(Path(__file__).parent)]):
    if _module.name.startswith("figure_"):
        import_module(f"{__package__}.{_module.name}")


@dataclass(frozen=True, kw_only=True)
class FigureFile:
    """Where a figure was saved, and the words that stand for it."""

    kind: str
    model: str
    title: str
    alt: str
    svg: Path
    pdf: Path
    png: Path


def draw_all(inputs: ReportInputs) -> list[Drawing]:
    """Draw the page's figures, in its order: of each model in turn, or of all of them."""
    there = {section.key for section in sections_of(inputs.config)}
    with figure_style():
        drawn = [
            drawing
            for spec in in_order()
            if spec.place.section in there
            for drawing in spec.draw(inputs)
        ]
        made = [drawing for drawing in drawn if drawing is not None]
        for drawing in made:
            _settle(drawing.figure)
    return _with_unique_stems(made)


def save_figures(drawings: Sequence[Drawing], folder: Path) -> list[FigureFile]:
    """Save figures as SVG, PDF and PNG.

    Args:
        drawings: from `draw_all`.
        folder: where to; it is made. Files are named `<kind>-<model>.<suffix>`,
            those of all models together `<kind>.<suffix>`.

    Raises:
        InputError: the folder cannot be written.
    """
    files = []
    for drawing in drawings:
        svg, pdf, png = save_figure(drawing, folder / drawing.stem)
        files.append(
            FigureFile(
                kind=drawing.kind,
                model=drawing.model,
                title=drawing.title,
                alt=drawing.alt,
                svg=svg,
                pdf=pdf,
                png=png,
            )
        )
    return files


def _settle(figure: Figure) -> None:
    """Lay a figure out once and for all: each format it is saved in would do it again."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")


def _with_unique_stems(drawings: list[Drawing]) -> list[Drawing]:
    """Number the stems of models whose names differ only in replaced characters."""
    seen: dict[str, int] = {}
    unique = []
    for drawing in drawings:
        seen[drawing.stem] = number = seen.get(drawing.stem, 0) + 1
        stem = drawing.stem if number == 1 else f"{drawing.stem}-{number}"
        unique.append(replace(drawing, stem=stem))
    return unique
