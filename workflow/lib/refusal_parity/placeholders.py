"""Templates and the placeholders in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME: Final = "[NAME]"


BLANK: Final = "[BLANK]"


_PLACEHOLDER: Final = re.compile(r"\[(\w+)\]")


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


def filled_template() -> pl.Expr:
    """A template with its name: what models repeat, whatever text stands around it.

    A prompt of a list has no name, and is that itself.
    """
    return pl.col("template").str.replace_all(NAME, pl.col("name").fill_null(NAME), literal=True)
