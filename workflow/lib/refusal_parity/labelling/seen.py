"""Gold rows that come back among the responses to be labelled."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from refusal_parity.spelling import reading

if TYPE_CHECKING:
    import polars as pl

    from refusal_parity.labelling.folds import OutOfFold


@dataclass(frozen=True)
class Seen:
    """Held-out probabilities of gold rows, by a hash of the row.

    A study may import the very file that its classifier learned from. Scored by
    the trained pipeline, such rows would agree with their labels because they
    were learned by heart.

    Attributes:
        keys: sorted hashes, shape (rows,).
        probabilities: rows x classes, uncalibrated.
    """

    keys: np.ndarray
    probabilities: np.ndarray

    @classmethod
    def of(cls, gold: pl.DataFrame, held_out: OutOfFold) -> Seen:
        """The rows of a Gold table that have a held-out prediction, in its order."""
        kept = np.flatnonzero(held_out.predicted)
        keys, first = np.unique(row_keys(gold)[kept], return_index=True)
        return cls(keys, held_out.probabilities[kept][first])

    def replace(self, probabilities: np.ndarray, frame: pl.DataFrame) -> np.ndarray:
        """Put the held-out probabilities in place of those of rows that were learned.

        Args:
            probabilities: rows x classes, uncalibrated.
            frame: columns `response`, `name` and `prompt` of the same rows.
        """
        if not len(self.keys):
            return probabilities
        keys = row_keys(frame)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        known = self.keys[at] == keys
        probabilities[known] = self.probabilities[at[known]]
        return probabilities


def row_keys(frame: pl.DataFrame) -> np.ndarray:
    """A hash of how each row's response, name and prompt read, shape (rows,)."""
    hashes = [
        hashlib.sha256("\x1f".join(reading(part or "") for part in row).encode()).hexdigest()[:16]
        for row in frame.select("response", "name", "prompt").iter_rows()
    ]
    return np.array(hashes, dtype="U16")
