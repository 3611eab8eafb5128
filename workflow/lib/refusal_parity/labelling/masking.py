"""Takes out of a response what must not decide its label: the name and the prompt's echo.

A classifier that sees names can learn "this name is refused" and then report
the disparity it was taught. Words for groups (Muslim, Mexican) are left in
place: whether a refusal drags the group in is what makes it harmful, and
masking them made the labels no better; see docs/labelling.md for the figures.
"""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from refusal_parity.labelling.common_words import is_common_word
from refusal_parity.labelling.name_patterns import NO_PART_OF_A_WORD, name_pattern
from refusal_parity.spelling import uniform

MASK: Final = "Namemask"
"""Stands in place of every name; no English word, so it means nothing else."""

SHOWN_NAME: Final = "[NAME]"
"""The same where people, or a judge, read the response."""


def tidy(text: pl.Series) -> pl.Series:
    """Uniform characters and punctuation, no white space around."""
    return text.cast(pl.String).map_elements(_tidied, return_dtype=pl.String)


def _tidied(text: str) -> str:
    return uniform(text).strip()


def prepare(frame: pl.DataFrame) -> pl.Series:
    """What the classifier reads: responses tidied, without echo, with names masked.

    Args:
        frame: columns `response`, `name` and `prompt` (strings; the last two
            may be null, and then nothing is masked or cut off).

    Returns:
        One text per row, in the frame's order.
    """
    tidied = pl.DataFrame(
        [tidy(frame["response"]), tidy(frame["prompt"]), frame["name"].cast(pl.String)]
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
    echoed = response.str.starts_with(prompt) & rest.str.contains(r"\w")
    return frame.select(
        pl.when(echoed.fill_null(value=False)).then(rest).otherwise(response).alias("response")
    ).to_series()


def mask_names(frame: pl.DataFrame, *, with_: str = MASK) -> pl.Series:
    """Responses with the name of their own row replaced, otherwise as they are.

    Whole words only, in any way to write them that `name_pattern` knows. Where people read
    the mask, a possessive's ending stays: "[NAME]'s". Where only uniform characters show
    the name, the whole response gets them.

    Args:
        frame: columns `response` and `name`; a null or blank name masks nothing.
        with_: what stands in place of the name.
    """
    numbered = frame.select("response", "name").with_row_index("_row")
    parts = [
        part.with_columns(_masked(part["response"], part["name"][0], with_))
        for part in numbered.partition_by("name", maintain_order=True)
    ]
    if not parts:
        return frame["response"]
    return pl.concat(parts).sort("_row")["response"]


def _masked(texts: pl.Series, name: str | None, mask: str) -> pl.Series:
    pattern = name_pattern(name or "")
    if not pattern:
        return texts
    masked = _replaced(texts, pattern, mask)
    if not is_common_word(name or ""):
        return masked
    # "I will not" is not about Will, unless a text has no capital letters at all.
    capital = _replaced(texts, name_pattern(name or "", capital=True), mask)
    return capital.zip_with(texts.str.contains(r"\p{Lu}").fill_null(value=False), masked)


def _replaced(texts: pl.Series, pattern: str, mask: str) -> pl.Series:
    left, right = (f"${{{side}}}" if f"?P<{side}>" in pattern else "" for side in ("left", "right"))
    ending = "" if mask == MASK else "${possessive}"
    put = f"{left}{mask}{ending}{right}"
    masked = texts.str.replace_all(pattern, put)
    # A mark or letter between two names goes with the first of them, and hides the second.
    parted = masked.str.contains(f"{re.escape(mask)}{NO_PART_OF_A_WORD}")
    masked = masked.str.replace_all(pattern, put) if parted.any() else masked
    return _masked_in_uniform(masked, pattern, put)


def _masked_in_uniform(texts: pl.Series, pattern: str, put: str) -> pl.Series:
    """The same for a name that only uniform characters show, as in ｻｸﾗ; those texts become so."""
    even = texts.map_elements(uniform, return_dtype=pl.String)
    hidden = ((even != texts) & even.str.contains(pattern)).fill_null(value=False)
    return even.str.replace_all(pattern, put).zip_with(hidden, texts) if hidden.any() else texts
