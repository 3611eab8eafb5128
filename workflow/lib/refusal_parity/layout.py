"""Where files lie that no single study owns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from refusal_parity.config import Download

DOWNLOADS: Final = Path("data/external")

LABEL_STORE: Final = ".labels"
"""What classifiers said of texts: a folder in the folder of results."""


OPENING_STORE: Final = ".openings"
"""What engines said of next tokens: likewise."""


def is_downloaded(path: str, download: Download | None) -> bool:
    """Whether the workflow fetches a file: only into its own download folder."""
    return download is not None and Path(path).parent == DOWNLOADS
