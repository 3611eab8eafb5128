"""The documentation site: `make docs`.

It loads nothing from other hosts: formulas become MathML while the site is
built, and a page that asks another host for a script, a style or an image
fails the build.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.errors import ExtensionError

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

project = "refusal-parity"
author = "The refusal-parity developers"
copyright = author

extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 4
exclude_patterns = ["images"]
nitpicky = True

html_theme = "furo"
html_title = project
html_copy_source = False
html_math_renderer = "mathml"

_LOADED = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=[\"'](?:https?:)?//[^\"']+"
    r"|<link\b(?=[^>]*\brel=[\"'](?:stylesheet|preload|icon))[^>]*\bhref=[\"'](?:https?:)?//[^\"']+"
    r"|@import\s+(?:url\()?[\"']?(?:https?:)?//[^\"')]+"
    r"|\burl\([\"']?(?:https?:)?//[^\"')]+"
)


def _mathml(node: nodes.math | nodes.math_block, *, displayed: bool) -> str:
    made = str(convert(node.astext(), display="block" if displayed else "inline"))
    if "\\" in made:  # an unknown command stays as it was written
        raise ExtensionError(f"a formula with an unknown command: {node.astext()}")
    return made


def _write_inline_math(translator: HTML5Translator, node: nodes.math) -> None:
    translator.body.append(_mathml(node, displayed=False))
    raise nodes.SkipNode


def _write_displayed_math(translator: HTML5Translator, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{_mathml(node, displayed=True)}</div>')
    raise nodes.SkipNode


def _refuse_other_hosts(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    loaded = [
        f"{path.relative_to(app.outdir)}: {match[0][-100:]}"
        for path in sorted(Path(app.outdir).rglob("*"))
        if path.suffix in {".html", ".css"}
        for match in _LOADED.finditer(path.read_text(encoding="utf-8"))
    ]
    if loaded:
        raise ExtensionError("pages load from other hosts:\n" + "\n".join(loaded))


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", (_write_inline_math, None), (_write_displayed_math, None))
    app.connect("build-finished", _refuse_other_hosts)
