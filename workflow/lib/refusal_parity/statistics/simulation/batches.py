"""How many simulated studies are held at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_CELLS: Final = 4_000_000
"""Names x templates x studies: 32 MB an array, which the allocator still reuses."""

_STUDIES: Final = 1_000


def batches(count: int, cells: int, most: int = _STUDIES) -> Iterator[int]:
    """Sizes of the batches that so many studies are simulated in.

    Args:
        count: how many studies.
        cells: names x templates of each.
        most: studies in a batch at most.
    """
    size = min(most, max(1, _CELLS // cells))
    for done in range(0, count, size):
        yield min(size, count - done)
