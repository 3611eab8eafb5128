"""Layouts of files of responses that are known by their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from refusal_parity.cells import read_header
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

CHEHBOUNI_2024: Final = (
    "index", "ethnicity", "og_prompt", "type_name", "name", "new_prompt", "g1", "g2", "g3",
    "prompt_sentence", "common", "identity", "variable", "label",
)  # fmt: skip
"""Columns of the data released with arXiv 2403.13213."""


def is_chehbouni_2024(path: Path) -> bool:
    """Whether a CSV's header is that of the data released with arXiv 2403.13213."""
    try:
        return set(CHEHBOUNI_2024) <= set(read_header(path))
    except InputError:
        return False
