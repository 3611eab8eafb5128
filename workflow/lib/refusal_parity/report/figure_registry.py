"""Every figure of the report: where it stands on the page, and what draws it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from refusal_parity.report.style import figure_style

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from refusal_parity.report.drawing import Drawing
    from refusal_parity.report.inputs import ReportInputs

    OfModel = Callable[[ReportInputs, str], Drawing | None]
    OfStudy = Callable[[ReportInputs], Drawing | None]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a kind of figure stands.

    Attributes:
        section: key of the section of the page.
        order: among the figures of all sections; files and lists have them in this order.
        heading: above it in its section; empty for none.
        lead: a sentence or two under that heading.
        last: below the tables of its section, not above them.
        wide: scrolls on a narrow screen instead of getting too small to read.
    """

    section: str
    order: int
    heading: str = ""
    lead: str = ""
    last: bool = False
    wide: bool = False


@dataclass(frozen=True, kw_only=True)
class FigureSpec:
    """A kind of figure: its key, its place, and how it is drawn for a study."""

    key: str
    place: Place
    draw: Callable[[ReportInputs], Iterator[Drawing | None]]


FIGURES: Final[dict[str, FigureSpec]] = {}
"""All kinds of figures by key."""


def figure_of_model(key: str, place: Place) -> Callable[[OfModel], OfModel]:
    """Declare the function that it decorates to draw a figure of each model.

    Raises:
        ValueError: another figure has that key.
    """

    def declare(draw: OfModel) -> OfModel:
        def each(inputs: ReportInputs) -> Iterator[Drawing | None]:
            for model in inputs.models:
                with figure_style():
                    drawing = draw(inputs, model)
                yield drawing

        _add(FigureSpec(key=key, place=place, draw=each))
        return draw

    return declare


def figure_of_study(key: str, place: Place) -> Callable[[OfStudy], OfStudy]:
    """Declare the function that it decorates to draw one figure of all models.

    Raises:
        ValueError: another figure has that key.
    """

    def declare(draw: OfStudy) -> OfStudy:
        def one(inputs: ReportInputs) -> Iterator[Drawing | None]:
            with figure_style():
                drawing = draw(inputs)
            yield drawing

        _add(FigureSpec(key=key, place=place, draw=one))
        return draw

    return declare


def _add(spec: FigureSpec) -> None:
    if spec.key in FIGURES:
        raise ValueError(f"figure {spec.key} is declared twice")
    FIGURES[spec.key] = spec


def in_order() -> list[FigureSpec]:
    """All kinds of figures in the order of the page."""
    return sorted(FIGURES.values(), key=lambda spec: (spec.place.order, spec.key))
