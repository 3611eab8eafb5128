"""Gold rows that come back among the responses to be labelled."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from refusal_parity.spelling import reading

if TYPE_CHECKING:
    import polars as pl

    from refusal_parity.labelling.features import Said
    from refusal_parity.labelling.folds import OutOfFold


@dataclass(frozen=True)
class Seen:
    """What was said of held-out gold rows, by a hash of the row.

    A study may import the very file that its classifier learned from. Scored by
    the trained pipeline, such rows would agree with their labels because they
    were learned by heart.

    Attributes:
        keys: sorted hashes, shape (rows,).
        said: what was predicted of each, uncalibrated.
    """

    keys: np.ndarray
    said: Said

    @classmethod
    def of(cls, gold: pl.DataFrame, held_out: OutOfFold) -> Seen:
        """The rows of a Gold table that have a held-out prediction, in its order."""
        kept = np.flatnonzero(held_out.predicted)
        keys, first = np.unique(row_keys(gold)[kept], return_index=True)
        return cls(keys, held_out.said[kept[first]])

    def replace(self, said: Said, frame: pl.DataFrame) -> Said:
        """Put what was said of held-out rows in place of what is said of rows that were learned.

        Args:
            said: uncalibrated.
            frame: columns `response`, `name` and `prompt` of the same rows.
        """
        if not len(self.keys):
            return said
        keys = row_keys(frame)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        known = self.keys[at] == keys
        return said.with_rows(known, self.said[at[known]])


def row_keys(frame: pl.DataFrame) -> np.ndarray:
    """A hash of how each row's response, name and prompt read, shape (rows,)."""
    hashes = [
        hashlib.sha256("\x1f".join(reading(part or "") for part in row).encode()).hexdigest()[:16]
        for row in frame.select("response", "name", "prompt").iter_rows()
    ]
    return np.array(hashes, dtype="U16")
