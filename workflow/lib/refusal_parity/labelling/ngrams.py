"""Runs of words, counted apart by how early in a response they stand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from scipy import sparse

from refusal_parity.labelling.zones import Words, Zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from refusal_parity.labelling.zones import Ints, Keys

    Bools = npt.NDArray[np.bool_]

FAMILIAR: Final = 2
"""Longest run whose being unknown says that a text is unlike those learnt from."""

ENOUGH: Final = 10
"""So many times `least` texts, or groups of them, must there be for rare runs to be left out."""


@dataclass(frozen=True)
class Found:
    """Which of some texts has which run: read once, for every fold.

    Attributes:
        zones: what was looked for where; the first holds whole texts.
        keys: sorted hashes of the runs, an array for each zone.
        present: 0 and 1, shape (texts, runs), for each zone.
    """

    zones: tuple[Zone, ...]
    keys: tuple[Keys, ...]
    present: tuple[sparse.csr_matrix, ...]

    @classmethod
    def of(cls, texts: Sequence[str], zones: Sequence[Zone], least: int) -> Self:
        """The runs that some texts have.

        Args:
            texts: words with blanks between them.
            zones: what is looked for where; the first holds whole texts.
            least: texts that a run must stand in, where there are enough of them.
        """
        read = Words.of(texts)
        least = least if len(texts) >= ENOUGH * least else 1
        keys, present = [], []
        for zone in zones:
            rows, hashes = read.runs(zone)
            known, texts_with = np.unique(_once_a_text(rows, hashes), return_counts=True)
            known = known[texts_with >= least]
            keys.append(known)
            # In single precision, which takes less time and is more than labels are good for.
            present.append(_present(rows, hashes, known, len(texts)).astype(np.float32))
        return cls(tuple(zones), tuple(keys), tuple(present))

    def __getitem__(self, rows: npt.NDArray[Any]) -> Self:
        """The same of some of the texts."""
        return replace(self, present=tuple(each[rows] for each in self.present))


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
    def of(cls, found: Found, groups: npt.ArrayLike, least: int) -> Self:
        """The runs that stand in enough texts, and in texts of enough groups.

        What stands in texts of one group alone, such as one request, says nothing of others.

        Args:
            found: of the texts.
            groups: of each text.
            least: texts and groups that a run must stand in, where there are enough of them.

        Raises:
            ValueError: no run stands in so many of the texts.
        """
        names, of_text = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
        texts = len(of_text)
        few_texts = least if texts >= ENOUGH * least else 1
        few_groups = least if len(names) >= ENOUGH * least else 1
        member = sparse.csr_matrix((np.ones(texts), (of_text, np.arange(texts))))
        keys, weights = [], []
        for all_keys, present in zip(found.keys, found.present, strict=True):
            texts_with = present.sum(axis=0).A1
            groups_with = (member @ present).getnnz(axis=0)
            kept = np.flatnonzero((texts_with >= few_texts) & (groups_with >= few_groups))
            rarity = np.log((1 + texts) / (1 + texts_with[kept])) + 1
            lengths = np.sqrt(present[:, kept] @ rarity**2)
            scale = float(np.median(lengths[lengths > 0])) if (lengths > 0).any() else 1.0
            keys.append(all_keys[kept])
            weights.append((rarity / scale).astype(np.float32))
        if not sum(map(len, keys)):
            raise ValueError("there are no words in any text")
        return cls(found.zones, tuple(keys), tuple(weights))

    def weigh(self, found: Found) -> sparse.csr_matrix:
        """Weights of the known runs that texts have, shape (texts, features).

        Args:
            found: of the texts that these runs are from, or some of them.
        """
        blocks = []
        for keys, weights, theirs, present in zip(
            self.keys, self.weights, found.keys, found.present, strict=True
        ):
            blocks.append(present[:, np.searchsorted(theirs, keys)] @ sparse.diags(weights))
        features: sparse.csr_matrix = sparse.hstack(blocks, format="csr")
        return features

    def count(self, texts: Sequence[str]) -> Counted:
        """Texts as numbers.

        Args:
            texts: words with blanks between them.
        """
        read = Words.of(texts)
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


def _places(hashes: Keys, keys: Keys) -> tuple[Ints, Bools]:
    """Where each hash stands among sorted keys, and whether it does."""
    if not len(keys):
        return np.zeros(len(hashes), np.intp), np.zeros(len(hashes), bool)
    at = np.minimum(np.searchsorted(keys, hashes), len(keys) - 1)
    return at, keys[at] == hashes
