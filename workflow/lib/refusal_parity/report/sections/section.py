"""What a section of the page is: a heading, and a template with what it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from refusal_parity.counting import enumerated
from refusal_parity.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

    from refusal_parity.report.figure_registry import Place
    from refusal_parity.report.inputs import ReportInputs

_NAMED: Final = 4


@dataclass(frozen=True, kw_only=True)
class InlineFigure:
    """A figure as it stands in the page."""

    kind: str
    model: str
    title: str
    alt: str
    svg: Markup
    stem: str


@dataclass(frozen=True, kw_only=True)
class FigureBlock:
    """The figures of one kind, of all models.

    Attributes:
        place: where they stand.
        figures: one for each model that there is something to draw of, or one of all.
        absent: a sentence on the models that there is nothing to draw of; empty without any.
    """

    place: Place
    figures: tuple[InlineFigure, ...]
    absent: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section of the page.

    Attributes:
        key: its anchor; its template is `templates/sections/<key>.html.j2`.
        entry: its line in the table of contents.
        heading: its heading.
        context: what the template shows, or None to leave the section out; its
            `figures` are added by the page.
        layout: name of its template, where that is not the anchor.
    """

    key: str
    entry: str
    heading: str
    context: Callable[[ReportInputs], dict[str, Any] | None]
    layout: str = ""

    @property
    def template(self) -> str:
        """Path of the template below the package's templates."""
        return f"sections/{self.layout or self.key}.html.j2"


def undrawn(drawn: Sequence[str], models: Sequence[str]) -> str:
    """Say which models have no figure where others have one.

    Args:
        drawn: models of the figures, as they are shown; one empty text for a figure of all.
        models: all keys.

    Returns:
        A sentence, the first few models by name; empty where none is missing.
    """
    rest = [model for model in map(plain, models) if model not in drawn]
    if not rest or "" in drawn:
        return ""
    more = len(rest) - _NAMED
    named = [*rest[:_NAMED], f"{more} more"] if more > 0 else rest
    return f"There is nothing to draw here of {enumerated(named)}."
