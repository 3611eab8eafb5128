"""A drawn figure, and how it is saved or put into a page."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

from markupsafe import Markup

from refusal_parity.files import new_file
from refusal_parity.report.style import THEMED, figure_style
from refusal_parity.text import plain

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

# Without dates and versions, the same tables give the same bytes.
_METADATA: Final[dict[str, dict[str, Any]]] = {
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}
_REFERENCE: Final = re.compile(r"url\(#([^)]+)\)")


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A figure with the words that stand for it.

    Attributes:
        kind: what is shown: `rates`, `differences`, `templates`, `names`, `labels`, ...
        stem: name of its files, without a suffix; safe as a path.
        model: the model that is shown; empty for all of them.
        title: its heading.
        alt: the figure in words, made from its data.
        figure: the matplotlib figure.
    """

    kind: str
    stem: str
    model: str
    title: str
    alt: str
    figure: Figure

    @cached_property
    def svg(self) -> bytes:
        """The figure as SVG, drawn once for its file and for the page."""
        return rendered(self.figure, "svg")


def stem_of(kind: str, model: str) -> str:
    """Name of a figure's files: the model's name with all but plain characters replaced."""
    return f"{kind}-{re.sub(r'[^A-Za-z0-9._-]+', '_', model).strip('.') or 'model'}"


def save_figure(drawing: Drawing, stem: Path) -> tuple[Path, Path, Path]:
    """Save a figure as SVG, PDF and PNG, each under a temporary name first.

    Args:
        drawing: what was drawn.
        stem: path without a suffix; its folder is made.

    Returns:
        The paths of the SVG, the PDF and the PNG.

    Raises:
        InputError: the folder cannot be written.
    """
    svg, pdf, png = (stem.with_name(f"{stem.name}.{suffix}") for suffix in _METADATA)
    for path, suffix in zip((svg, pdf, png), _METADATA, strict=True):
        with new_file(path) as temporary:
            temporary.write_bytes(
                drawing.svg if suffix == "svg" else rendered(drawing.figure, suffix)
            )
    return svg, pdf, png


def rendered(figure: Figure, suffix: str) -> bytes:
    """The bytes of a figure's file in one format: svg, pdf or png."""
    buffer = io.BytesIO()
    with figure_style():
        figure.savefig(buffer, format=suffix, metadata=_METADATA[suffix])
    return buffer.getvalue()


def inline_svg(drawing: Drawing, prefix: str) -> Markup:
    """A figure as an element of a page: own ids, the page's colours, a text alternative.

    Args:
        drawing: the figure.
        prefix: put before every id, since ids are the page's and not the figure's.
    """
    root = ET.fromstring(drawing.svg)  # noqa: S314 - matplotlib's own output
    for parent in root.iter():
        for child in list(parent):
            if _local(child.tag) in {"metadata", "style"}:
                parent.remove(child)
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {
            _local(key): _themed(key, value, prefix) for key, value in element.attrib.items()
        }
    root.attrib = {
        "viewBox": root.attrib["viewBox"],
        "role": "img",
        "aria-label": plain(drawing.alt),
        "class": f"plot plot-{drawing.kind}",
    }
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - serialised, so escaped


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _themed(key: str, value: str, prefix: str) -> str:
    name = _local(key)
    if name == "id":
        return f"{prefix}-{value}"
    if name == "href":
        return f"#{prefix}-{value.removeprefix('#')}"
    value = _REFERENCE.sub(rf"url(#{prefix}-\1)", value)
    if name == "style":
        for colour, variable in THEMED.items():
            value = value.replace(colour, variable)
    return value
