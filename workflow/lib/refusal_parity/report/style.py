"""How figures look: one style, held only while a figure is drawn and saved."""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.colors import LinearSegmentedColormap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.typing import RcKeyType

INK: Final = "#1c2127"
MUTED: Final = "#5d6874"
GRID: Final = "#dfe4ea"
ACCENT: Final = "#1a6aa8"
ACCENT_SOFT: Final = "#a9c9e4"
CONTRAST: Final = "#c2540a"
PAPER: Final = "#ffffff"

THEMED: Final = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--rule)",
    ACCENT: "var(--accent)",
    ACCENT_SOFT: "var(--accent-soft)",
    CONTRAST: "var(--contrast)",
    PAPER: "var(--card)",
}
"""Colours that become variables of the page, so that figures follow light and dark."""

LABEL_COLOURS: Final = (
    *("#b8c4d0", "#8fb8d8", "#7a8794"),
    *("#1f77b4", "#4fb0a5", "#d9690f"),
    *("#8a2d5b", "#10202f"),
)
"""For the seven labels in their order, and for refusals by the service; told apart by
lightness too, not by hue alone."""

SEQUENTIAL: Final = LinearSegmentedColormap.from_list(
    "rates", ["#f1f5fa", "#c9dcee", "#8db9dd", "#4a8cc4", "#1d5c99", "#0a3360"]
)
CELL_DARK: Final = "#10202f"
CELL_LIGHT: Final = "#fdfefe"

WIDTH: Final = 4.7
"""Inches; a figure fills a phone's width, and two stand side by side on a desk."""

# A name may be written in any script: what the first font lacks is looked up in the others.
_FONTS: Final = (
    "DejaVu Sans",
    "Noto Sans CJK SC",
    "Noto Sans Devanagari",
    "Noto Sans Bengali",
    "Noto Sans Thai",
    "Noto Sans Ethiopic",
)


@cache
def _fonts() -> list[str]:
    present = set(font_manager.get_font_names())
    return [font for font in _FONTS if font in present]


def _settings() -> dict[RcKeyType, Any]:
    return {
        "font.family": _fonts(),
        "font.size": 9.0,
        "text.color": INK,
        # Foreign text may hold dollar signs: it is never read as mathematics.
        "text.parse_math": False,
        "text.usetex": False,
        "axes.edgecolor": GRID,
        "axes.labelcolor": MUTED,
        "axes.labelsize": 8.5,
        "axes.linewidth": 0.8,
        "axes.spines.left": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.unicode_minus": True,
        "grid.color": GRID,
        "grid.linewidth": 0.7,
        "xtick.color": MUTED,
        "ytick.color": INK,
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 9.0,
        # A mark at the end of an axis must not touch what stands beside it.
        "ytick.major.pad": 6.0,
        "xtick.major.size": 0.0,
        "ytick.major.size": 0.0,
        "legend.frameon": False,
        "legend.fontsize": 8.5,
        "figure.facecolor": PAPER,
        "axes.facecolor": "none",
        "savefig.facecolor": "auto",
        # Laid out as it is saved: at another resolution hinting makes text wider or narrower.
        "figure.dpi": 200,
        "savefig.dpi": 200,
        "svg.fonttype": "none",
        "svg.hashsalt": "refusal-parity",
        "pdf.fonttype": 42,
    }


@contextmanager
def figure_style() -> Iterator[None]:
    """Hold the style for the time of drawing or saving; the caller's settings come back after."""
    logger = logging.getLogger("matplotlib.font_manager")
    level = logger.level
    with mpl.rc_context(_settings()), warnings.catch_warnings():
        # A glyph that no font has is drawn as a box: that is no reason to stop or to shout.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)
