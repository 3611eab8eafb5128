"""Gold rows as a model learns them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from refusal_parity.labelling.features import Examples
from refusal_parity.labelling.ngrams import Found
from refusal_parity.labelling.wording import Reader

if TYPE_CHECKING:
    import polars as pl

    from refusal_parity.labelling.features import Settings


@dataclass(frozen=True)
class Lesson:
    """Gold rows in an order that does not hang on that of the files, read once for all folds.

    Attributes:
        rows: the sorted rows of the Gold table.
        place: where each row as it was given stands now.
        reader: what read them.
        texts: the rows as it reads them.
        examples: the same as runs of words.
    """

    rows: pl.DataFrame
    place: np.ndarray
    reader: Reader
    texts: np.ndarray
    examples: Examples

    @classmethod
    def of(cls, gold: pl.DataFrame, settings: Settings, reader: Reader | None = None) -> Self:
        """Read gold rows.

        Args:
            gold: rows of the Gold table.
            settings: shape of the classifier.
            reader: what is to read them; the one that knows their common words if none.
        """
        order = gold.with_row_index("_row").sort(
            "response", "label", "name", "prompt", "group_id", "weight"
        )
        rows = order.drop("_row")
        reader = reader or Reader.of(rows)
        texts = reader.read(rows)
        return cls(
            rows=rows,
            place=np.argsort(order["_row"].to_numpy()),
            reader=reader,
            texts=np.array(texts, dtype=object),
            examples=Examples(
                found=Found.of(texts, settings.zones, settings.min_documents),
                labels=rows["label"].to_numpy().astype(str),
                weights=rows["weight"].to_numpy(),
                groups=rows["group_id"].to_numpy().astype(str),
            ),
        )
