"""What a section of the page is: a heading, and a template with what it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from markupsafe import Markup

    from refusal_parity.report.figure_registry import Place
    from refusal_parity.report.inputs import ReportInputs


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
    """The figures of one kind, of all models."""

    place: Place
    figures: tuple[InlineFigure, ...]


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
