"""Numbers with the words that go with them."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """So many of something: `1 response`, `10,752 responses`."""
    return f"{number:,} {agreed(number, noun, f'{noun}s')}"


def agreed(number: int, one: str, many: str) -> str:
    """The word that goes with a number: `is` with 1, `are` with any other."""
    return one if number == 1 else many
