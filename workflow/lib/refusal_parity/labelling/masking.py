"""Takes out of a response what must not decide its label: the name and the prompt's echo.

A classifier that sees names can learn "this name is refused" and then report
the disparity it was taught. Words for groups (Muslim, Mexican) are left in
place: whether a refusal drags the group in is what makes it harmful, and
masking them made the labels no better; see docs/labelling.md for the figures.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import polars as pl

MASK: Final = "Namemask"
"""Stands in place of every name; no English word, so it means nothing else."""

SHOWN_NAME: Final = "[NAME]"
"""The same where people, or a judge, read the response."""


def tidy(text: pl.Expr) -> pl.Expr:
    """Composed characters, straight apostrophes and quotes, no white space around."""
    return (
        text.str.normalize("NFC")
        .str.replace_all("[\u2018\u2019\u02bc]", "'")
        .str.replace_all("[\u201c\u201d]", '"')
        .str.strip_chars()
    )


def prepare(frame: pl.DataFrame) -> pl.Series:
    """What the classifier reads: responses tidied, without echo, with names masked.

    Args:
        frame: columns `response`, `name` and `prompt` (strings; the last two
            may be null, and then nothing is masked or cut off).

    Returns:
        One text per row, in the frame's order.
    """
    tidied = frame.select(
        tidy(pl.col("response")),
        tidy(pl.col("prompt").cast(pl.String)),
        pl.col("name").cast(pl.String),
    )
    return mask_names(tidied.with_columns(strip_echo(tidied)))


def strip_echo(frame: pl.DataFrame) -> pl.Series:
    """Responses without the prompt they repeat at their start.

    A response that is nothing but the prompt is left as it is: there the echo
    is the answer, and it is a failure.

    Args:
        frame: columns `response` and `prompt`.
    """
    response, prompt = pl.col("response"), pl.col("prompt")
    rest = response.str.slice(prompt.str.len_chars()).str.strip_chars()
    echoed = (
        (prompt.str.len_chars() > 0)
        & response.str.starts_with(prompt)
        & rest.str.contains(r"\w")
    )  # fmt: skip
    return frame.select(
        pl.when(echoed.fill_null(value=False)).then(rest).otherwise(response).alias("response")
    ).to_series()


def mask_names(frame: pl.DataFrame, *, with_: str = MASK) -> pl.Series:
    """Responses with the name of their own row replaced.

    Whole words only, in any case, with or without a possessive, and also
    without the accents that models like to drop (Jose for José).

    Args:
        frame: columns `response` and `name`; a null or blank name masks nothing.
        with_: what stands in place of the name.
    """
    numbered = frame.select("response", "name").with_row_index("_row")
    parts = [
        part.with_columns(_masked(pl.col("response"), part["name"][0], with_))
        for part in numbered.partition_by("name", maintain_order=True)
    ]
    if not parts:
        return frame["response"]
    return pl.concat(parts).sort("_row")["response"]


def _masked(text: pl.Expr, name: str | None, mask: str) -> pl.Expr:
    name = unicodedata.normalize("NFC", name or "").strip()
    if not name:
        return text
    decomposed = unicodedata.normalize("NFD", name)
    plain = "".join(part for part in decomposed if not unicodedata.combining(part))
    spellings = sorted({name, plain} - {""}, key=len, reverse=True)
    either = "|".join(_whole_words(spelling) for spelling in spellings)
    return text.str.replace_all(f"(?i)(?:{either})(?:['\u2019]s\\b)?", mask)


def _whole_words(spelling: str) -> str:
    """A pattern for the name itself; a name may end in a full stop, where no word ends."""
    start = r"\b" if re.match(r"\w", spelling) else ""
    end = r"\b" if re.search(r"\w$", spelling) else ""
    return f"{start}{re.escape(spelling)}{end}"
