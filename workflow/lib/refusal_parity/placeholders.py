"""Templates and the placeholders in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.spelling import reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NAME: Final = "[NAME]"


BLANK: Final = "[BLANK]"


_PLACEHOLDER: Final = re.compile(r"\[(\w+)\]")

_NEARLY: Final = re.compile(r"[\[\uff3b]\s*(\w+)\s*[\]\uff3d](?!\()")
"""A word between brackets, but for the links of Markdown."""


def parted(template: str) -> list[str]:
    """A template as text, placeholder, text, ... text; placeholders without their brackets.

    A placeholder is a column of the names in capitals. [BLANK] is sent as it stands.
    """
    parts = [""]
    for at, text in enumerate(_PLACEHOLDER.split(template)):
        if at % 2 and text.isupper() and f"[{text}]" != BLANK:
            parts += [text, ""]
        else:
            parts[-1] += f"[{text}]" if at % 2 else text
    return parts


def columns_of(template: str, columns: Iterable[str]) -> list[str]:
    """Columns of the names that a template puts in beside the name, in alphabetical order.

    Raises:
        KeyError: the placeholder that is no column, without its brackets.
    """
    known = {column.upper(): column for column in columns}
    return sorted({known[text] for text in parted(template)[1::2]} - {"name"})


def left_in_brackets(template: str, columns: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """What stands between brackets as a placeholder does, and is sent as it stands.

    Args:
        template: its text.
        columns: of the names.

    Yields:
        The text, and the column that it nearly is the placeholder of, in small letters or with
        blanks; null for none.
    """
    known = {reading(column): column for column in (*columns, "blank")}
    for found in _NEARLY.finditer(template):
        column = known.get(reading(found[1]))
        is_one = _PLACEHOLDER.fullmatch(found[0]) and found[1].isupper()
        if not is_one:
            yield found[0], column


def filled_template() -> pl.Expr:
    """A template with its name: what models repeat, whatever text stands around it.

    A prompt of a list has no name, and is that itself.
    """
    return pl.col("template").str.replace_all(NAME, pl.col("name").fill_null(NAME), literal=True)
