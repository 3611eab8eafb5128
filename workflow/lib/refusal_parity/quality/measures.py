"""Numbers of a response's text beyond its length, each a column that a mean is taken of."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.labelling.masking import mask_names
from refusal_parity.quality.wordings import has_wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NEUTRAL: Final = "Robin"
"""In every name's place: how long a name is must not make a text harder to read."""


def _share(texts: pl.DataFrame, outcome: str) -> pl.Series:
    """100 where a response has a wording of the list, else 0: their mean is a percentage."""
    return has_wording(texts["response"], outcome).cast(pl.Float64) * 100


def _grade(texts: pl.DataFrame) -> pl.Series:
    """Automated Readability Index (Senter and Smith 1967), the names of prompts left out.

    4.71 characters per word + 0.5 words per sentence - 21.43, by textstat. Unlike formulas
    that count syllables it needs no dictionary, which textstat would fetch.
    """
    return mask_names(texts, with_=NEUTRAL).map_elements(reading_grade, return_dtype=pl.Float64)


def reading_grade(text: str) -> float | None:
    """The index of a text; null where it has no word."""
    if re.search(r"\w", text) is None:
        return None
    from textstat import automated_readability_index  # noqa: PLC0415 - seconds to import

    return float(automated_readability_index(text))


_MEASURES: Final[dict[str, Callable[[pl.DataFrame], pl.Series]]] = {
    "caveat": partial(_share, outcome="caveat"),
    "moralising": partial(_share, outcome="moralising"),
    "reading_grade": _grade,
}


def measured(texts: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame:
    """These columns beside the responses; a column that is no measure here is left to others.

    Args:
        texts: columns `response` and `name`, which may be null.
        columns: as outcomes name them.
    """
    wanted = [column for column in dict.fromkeys(columns) if column in _MEASURES]
    return texts.with_columns(_MEASURES[column](texts).alias(column) for column in wanted)
