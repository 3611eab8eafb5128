"""Runs of words, counted apart by how early in a response they stand."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from scipy import sparse

from refusal_parity.labelling.wording import ENDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    Keys = npt.NDArray[np.uint64]
    Ints = npt.NDArray[np.intp]

_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)
FAMILIAR: Final = 2
"""Longest run whose being unknown says that a text is unlike those learnt from."""


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
class Counted:
    """Texts as numbers.

    Attributes:
        features: weights of the known runs that a text has, shape (texts, features).
        unseen: share of the words and pairs of words of each text that no text learnt
            from had, shape (texts,); 0 in a text without words.
    """

    features: sparse.csr_matrix
    unseen: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Runs:
    """The runs of words that were met in some texts.

    Runs are known by a hash of 64 bits, so that a hundred million are looked up in seconds.

    Attributes:
        zones: what is looked for where; the first holds whole texts.
        keys: sorted hashes of the known runs, an array for each zone.
        weights: inverse document frequencies in the same order, over the length that the
            median text has by them. Texts themselves are not made of one length: the one
            clause that declines counts as much at the end of a page as on its own.
    """

    zones: tuple[Zone, ...]
    keys: tuple[Keys, ...]
    weights: tuple[npt.NDArray[np.float32], ...]

    @classmethod
    def of(cls, texts: Sequence[str], zones: Sequence[Zone], least: int) -> Self:
        """The runs that some texts have.

        Args:
            texts: words with blanks between them.
            zones: what is looked for where; the first holds whole texts.
            least: texts that a run must stand in.

        Raises:
            ValueError: no run stands in so many of the texts.
        """
        read = _Words.of(texts)
        keys, weights = [], []
        for zone in zones:
            rows, hashes = read.runs(zone)
            known, texts_with = np.unique(_once_a_text(rows, hashes), return_counts=True)
            known, texts_with = known[texts_with >= least], texts_with[texts_with >= least]
            rarity = np.log((1 + len(texts)) / (1 + texts_with)) + 1
            lengths = np.sqrt(_present(rows, hashes, known, len(texts)) @ rarity**2)
            scale = float(np.median(lengths[lengths > 0])) if (lengths > 0).any() else 1.0
            keys.append(known)
            weights.append((rarity / scale).astype(np.float32))
        if not sum(map(len, keys)):
            raise ValueError("there are no words in any text")
        return cls(tuple(zones), tuple(keys), tuple(weights))

    def count(self, texts: Sequence[str]) -> Counted:
        """Texts as numbers.

        Args:
            texts: words with blanks between them.
        """
        read = _Words.of(texts)
        blocks = []
        for zone, keys, weights in zip(self.zones, self.keys, self.weights, strict=True):
            rows, hashes = read.runs(zone)
            found = _present(rows, hashes, keys, len(texts))
            blocks.append(found @ sparse.diags(weights, dtype=np.float64))
        rows, hashes = read.runs(Zone(self.zones[0].words, FAMILIAR))
        _, known = _places(hashes, self.keys[0])
        every = np.bincount(rows, minlength=len(texts))
        missing = np.bincount(rows[~known], minlength=len(texts))
        return Counted(sparse.hstack(blocks, format="csr"), missing / np.maximum(every, 1))


def _once_a_text(rows: Ints, hashes: Keys) -> Keys:
    """The hashes, each once for every text that has it."""
    order = np.lexsort((rows, hashes))
    rows, hashes = rows[order], hashes[order]
    first = np.ones(len(rows), dtype=bool)
    first[1:] = (hashes[1:] != hashes[:-1]) | (rows[1:] != rows[:-1])
    distinct: Keys = hashes[first]
    return distinct


def _present(rows: Ints, hashes: Keys, keys: Keys, texts: int) -> sparse.csr_matrix:
    """Which text has which run, as 0 and 1, shape (texts, keys)."""
    at, known = _places(hashes, keys)
    found = sparse.csr_matrix(
        (np.ones(int(known.sum())), (rows[known], at[known])), (texts, len(keys))
    )
    # The same run twice has been added up.
    found.data[:] = 1
    return found


def _places(hashes: Keys, keys: Keys) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Where each hash stands among sorted keys, and whether it does."""
    if not len(keys):
        return np.zeros(len(hashes), np.intp), np.zeros(len(hashes), bool)
    at = np.minimum(np.searchsorted(keys, hashes), len(keys) - 1)
    return at, keys[at] == hashes


@dataclass(frozen=True)
class _Words:
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
