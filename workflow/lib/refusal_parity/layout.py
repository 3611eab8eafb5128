"""Where files lie that no single study owns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from refusal_parity.config import ImportModel

DOWNLOADS: Final = Path("data/external")

LABEL_STORE: Final = ".labels"
"""What classifiers said of texts: a folder in the folder of results."""


def is_downloaded(model: ImportModel) -> bool:
    """Whether the workflow fetches the model's file: only into its own download folder."""
    return model.download is not None and Path(model.path).parent == DOWNLOADS
