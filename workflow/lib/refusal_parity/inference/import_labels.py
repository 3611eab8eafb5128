"""Labels of an imported file, in the study's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.csvfiles import row_of
from refusal_parity.errors import InputError
from refusal_parity.vocabulary import Label, as_label

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_ALL: Final = ", ".join(Label)
_SHOWN: Final = 10


def known_labels(rows: pl.DataFrame, labels: Mapping[str, Label | None], path: Path) -> pl.Series:
    """The labels of an imported file.

    Args:
        rows: columns `label` (as it stands in the file, null for none) and `ROW`.
        labels: the file's words and which of the seven each means; null for none.
        path: the file.

    Raises:
        InputError: a word is neither among them nor one of the seven, naming its first row.
    """
    meant: dict[str, str | None] = {str(label): str(label) for label in Label}
    meant |= {as_label(theirs): ours and str(ours) for theirs, ours in labels.items()}
    words = rows["label"].cast(pl.String).map_elements(as_label, return_dtype=pl.String)
    unknown = rows.filter(words.is_not_null() & ~words.is_in(list(meant)))
    if len(unknown):
        first = unknown["label"][0]
        others = unknown["label"].unique(maintain_order=True).to_list()[1:]
        more = ", ..." if len(others) > _SHOWN else ""
        also = f" (and so {', '.join(map(repr, others[:_SHOWN]))}{more})" if others else ""
        raise InputError(
            f"label {first!r} is none of the seven{also}",
            where=row_of(path, unknown),
            remedy=f"Use {_ALL}; or say in `labels` of this model what the file's words mean, "
            f"such as {first!r}: {Label.ANSWER}, or null for none of them; or leave "
            "columns.label out.",
        )
    return words.replace_strict(meant, return_dtype=pl.String, default=None).alias("label")
