"""The documented list of wordings by which an answer has a caveat, or moralises."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.cells import ROW
from refusal_parity.csvfiles import read_csv
from refusal_parity.errors import InputError
from refusal_parity.repository import REPOSITORY
from refusal_parity.spelling import uniform

if TYPE_CHECKING:
    from pathlib import Path

WORDINGS: Final = REPOSITORY / "data" / "quality" / "wordings.csv"
COLUMNS: Final = ("outcome", "kind", "pattern", "meaning")


def read_wordings(path: Path = WORDINGS) -> dict[str, str]:
    """One pattern for each outcome of the list, for texts in any case.

    Args:
        path: CSV with the columns `outcome`, `kind`, `pattern` (a regular expression) and
            `meaning`.

    Returns:
        Patterns by the outcome's key.

    Raises:
        InputError: the file cannot be read, or a row holds no regular expression.
    """
    found: dict[str, list[str]] = {}
    for row in read_csv(path, required=COLUMNS, filled=COLUMNS).iter_rows(named=True):
        try:
            pl.Series([""]).str.contains(row["pattern"])
        except pl.exceptions.ComputeError as error:
            raise InputError(
                f"{row['pattern']!r} is no regular expression",
                where=f"{path}, {row[ROW]}",
                remedy="Write a regular expression without (?=...), (?<...) and \\1.",
            ) from error
        found.setdefault(row["outcome"], []).append(f"(?:{row['pattern']})")
    return {outcome: f"(?i){'|'.join(patterns)}" for outcome, patterns in found.items()}


@cache
def _patterns() -> dict[str, str]:
    return read_wordings()


def has_wording(texts: pl.Series, outcome: str) -> pl.Series:
    """Whether each text has a wording of the list; null where there is no text.

    Args:
        texts: of answers.
        outcome: key of the outcome, as it stands in the list.
    """
    spelled = texts.map_elements(uniform, return_dtype=pl.String, skip_nulls=True)
    return spelled.str.contains(_patterns()[outcome])
