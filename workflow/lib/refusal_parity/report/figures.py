"""All figures of a study, in the order of the page."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from refusal_parity.plugins import declare_plugins
from refusal_parity.report.drawing import save_figure
from refusal_parity.report.figure_registry import in_order
from refusal_parity.report.sections import sections_of
from refusal_parity.report.style import figure_style

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from matplotlib.figure import Figure

    from refusal_parity.report.drawing import Drawing
    from refusal_parity.report.inputs import ReportInputs

# A module named like this declares its figure as it is imported.
for _module in iter_modules([str(Path(__file__).parent)]):
    if _module.name.startswith("figure_"):
        import_module(f"{__package__}.{_module.name}")
declare_plugins("figure")


def draw_all(inputs: ReportInputs) -> Iterator[Drawing]:
    """Draw the page's figures one by one, in its order: of each model in turn, or of all."""
    there = {section.key for section in sections_of(inputs.config)}
    seen: Counter[str] = Counter()
    for spec in in_order():
        if spec.place.section not in there:
            continue
        for drawing in spec.draw(inputs):
            if drawing is None:
                continue
            with figure_style():
                _settle(drawing.figure)
            # Models' names may differ only in characters that a stem has not.
            seen[drawing.stem] += 1
            number = seen[drawing.stem]
            yield drawing if number == 1 else replace(drawing, stem=f"{drawing.stem}-{number}")


def save_figures(drawings: Iterable[Drawing], folder: Path) -> list[Drawing]:
    """Save figures as SVG, PDF and PNG; only what the page shows of each is kept.

    Args:
        drawings: from `draw_all`.
        folder: where to; it is made. Files are named `<kind>-<model>.<suffix>`,
            those of all models together `<kind>.<suffix>`.

    Returns:
        The drawings, whose figures are empty now: those of a dozen models with hundreds
        of templates are a gigabyte.

    Raises:
        InputError: the folder cannot be written.
    """
    saved = []
    for drawing in drawings:
        save_figure(drawing, folder / drawing.stem)
        drawing.figure.clear()
        saved.append(drawing)
    return saved


def _settle(figure: Figure) -> None:
    """Lay a figure out once and for all: each format it is saved in would do it again."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")
