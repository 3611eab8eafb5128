"""Numbers with the words that go with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def counted(number: int, noun: str) -> str:
    """So many of something: `1 response`, `10,752 responses`."""
    return f"{number:,} {agreed(number, noun, f'{noun}s')}"


def agreed(number: int, one: str, many: str) -> str:
    """The word that goes with a number: `is` with 1, `are` with any other."""
    return one if number == 1 else many


def enumerated(words: Sequence[str]) -> str:
    """Words as a sentence lists them: `a`, `a and b`, `a, b and c`."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
