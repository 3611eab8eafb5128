"""Words of texts as numbers, and which runs of them stand in which part of a text."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from refusal_parity.labelling.wording import ENDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    Keys = npt.NDArray[np.uint64]
    Ints = npt.NDArray[np.intp]

_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Zone:
    """A part of each text, and the runs of words that are looked for in it.

    Attributes:
        words: length of the beginning of the text that is looked at.
        longest: words of the longest run.
        starts: whether only runs with which a sentence begins are looked for.
    """

    words: int
    longest: int
    starts: bool = False


@dataclass(frozen=True)
class Words:
    """The words of some texts, one after the other.

    Attributes:
        hashes: of each word.
        row: its text.
        place: its number within the text.
        left: words of the text from it on, itself among them.
        starts: whether a sentence begins with it.
    """

    hashes: Keys
    row: Ints
    place: Ints
    left: Ints
    starts: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """The words of texts that have blanks between them."""
        words = [text.split(" ") if text else [] for text in texts]
        lengths = np.array([len(each) for each in words], dtype=np.intp)
        total = int(lengths.sum())
        hashes = np.fromiter((_hash(word) for each in words for word in each), np.uint64, total)
        row = np.repeat(np.arange(len(texts)), lengths)
        place = np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        ends = np.isin(hashes, _ENDS)
        starts = ~ends & ((place == 0) | np.concatenate([[False], ends[:-1]]))
        return cls(hashes, row, place, np.repeat(lengths, lengths) - place, starts)

    def runs(self, zone: Zone) -> tuple[Ints, Keys]:
        """Text and hash of every run of a zone."""
        parts = list(self._runs(zone))
        return (
            np.concatenate([rows for rows, _ in parts]),
            np.concatenate([hashes for _, hashes in parts]),
        )

    def _runs(self, zone: Zone) -> Iterator[tuple[Ints, Keys]]:
        wanted = self.place < zone.words
        inside = np.flatnonzero(wanted & self.starts if zone.starts else wanted)
        run = self.hashes[inside]
        for length in range(1, zone.longest + 1):
            if length > 1:
                # Words of a text stand side by side, so the next one follows.
                still = (self.left[inside] >= length) & (self.place[inside] + length <= zone.words)
                inside = inside[still]
                run = run[still] * _MULTIPLIER + self.hashes[inside + length - 1]
            yield self.row[inside], run


@cache
def _hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")


_ENDS: Final = np.array([_hash(word) for word in sorted(ENDS)], dtype=np.uint64)
