"""Where the files of a study lie: its tables below its results, and what it downloads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from refusal_parity.config import ImportModel

DOWNLOADS: Final = Path("data/external")


@dataclass(frozen=True, kw_only=True)
class TablePlace:
    """Where a table lies.

    Attributes:
        per_model: whether each model has a file of it, or the study has one.
        folder: where the study's one file lies, below its results.
    """

    per_model: bool = True
    folder: str = ""


PLACES: Final = {
    "prompts": TablePlace(per_model=False),
    "responses": TablePlace(),
    "labels": TablePlace(),
    "rates": TablePlace(),
    "exclusions": TablePlace(),
    "disparity": TablePlace(),
    "influence": TablePlace(),
    "lengths": TablePlace(),
    "mixed_models": TablePlace(),
    "overview": TablePlace(per_model=False),
    "comparison": TablePlace(per_model=False),
    "agreement": TablePlace(per_model=False, folder="audit/"),
    "confusion": TablePlace(per_model=False, folder="audit/"),
    "selfcheck": TablePlace(per_model=False),
    "design": TablePlace(per_model=False),
    "human": TablePlace(per_model=False, folder="audit/"),
    "jobs": TablePlace(per_model=False),
}
"""Places of the tables that lie beside the report, by the names of their files."""


def is_downloaded(model: ImportModel) -> bool:
    """Whether the workflow fetches the model's file: only into its own download folder."""
    return model.download is not None and Path(model.path).parent == DOWNLOADS
