"""What a section of the page is: a heading, and a template with what it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markupsafe import Markup

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


Figures = Mapping[str, list[InlineFigure]]
"""Figures by kind; a kind that was not drawn has an empty list."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section of the page.

    Attributes:
        key: its anchor; its template is `templates/sections/<key>.html.j2`.
        entry: its line in the table of contents.
        heading: its heading.
        context: what the template shows, or None to leave the section out.
    """

    key: str
    entry: str
    heading: str
    context: Callable[[ReportInputs, Figures], dict[str, Any] | None]

    @property
    def template(self) -> str:
        """Path of the template below the package's templates."""
        return f"sections/{self.key}.html.j2"
