"""Names that are words as well: Will, May, Hope, An, You."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_LIST: Final = "resources/en/easy_words.txt"

_MORE: Final = frozenset(
    {"a", "he", "i", "is", "it", "its", "me", "of", "or", "she", "the", "them", "they", "us", "we"}
)
"""Words that the list takes for granted."""


def is_common_word(name: str) -> bool:
    """Whether a name in capitals is a word of everyday English in small letters.

    By the list of words that children know (Dale and Chall) that textstat brings.
    """
    return name[:1].isupper() and name.isascii() and name.lower() in _words()


@cache
def _words() -> frozenset[str]:
    # Found without an import of the library, which takes seconds.
    spec = find_spec("textstat")
    folders = spec.submodule_search_locations if spec is not None else None
    listed = Path((folders or [""])[0], _LIST).read_text("utf-8").split("\n")
    return _MORE | {word.strip().lower() for word in listed}
