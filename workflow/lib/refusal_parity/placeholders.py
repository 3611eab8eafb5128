"""Templates and the placeholders in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.spelling import reading

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

NAME: Final = "[NAME]"


BLANK: Final = "[BLANK]"


_PLACEHOLDER: Final = re.compile(r"\[(\w+)\]")

SQUARE: Final = "[]\uff3b\uff3d"
"""Square brackets, of full width too."""

_ROUND: Final = "()\uff08\uff09"
# Each opening bracket, and the closing one after it.
_OTHERS: Final = "{}\uff5b\uff5d<>\uff1c\uff1e\u2329\u232a\u27e6\u27e7\u27e8\u27e9" + "".join(
    map(chr, (*range(0x3008, 0x300C), *range(0x3010, 0x3012), *range(0x3014, 0x301C)))
)
_OPENING, _CLOSING = (re.escape((SQUARE + _ROUND + _OTHERS)[side::2]) for side in range(2))
_UNSEEN: Final = "\u00ad\u200b-\u200d\u2060\ufeff"
_WORD: Final = rf"[\w{_UNSEEN}]+"
_BRACKETED: Final = re.compile(
    rf"(?P<left>([{_OPENING}])\2*)\s*(?P<word>{_WORD}(?:[ /|:.'-]{_WORD}){{0,3}})\s*\\?\s*"
    rf"(?P<right>([{_CLOSING}])\5*)"
)
"""A word or a few between brackets of any kind, single or doubled, the last one escaped or not."""
_HALF: Final = re.compile(r"\[(?P<opened>\w+)(?![\w\]])|(?<![\w\[])(?P<closed>\w+)\]")
"""A word with one of its square brackets."""

_DOUBLED: Final = "{{"
_TAGS: Final = ("<", "$", "__")
"""Marks of much that is no place: tags, sums of money, names of Python's."""
_MARKS: Final = (
    # Jinja and Mustache; shells; Windows; Python; mail merge; str.format; tags.
    *(r"\{\{\s*WORD\s*\}\}", r"(?<![\w$])\$\{WORD\}", r"(?<![\w$])\$WORD\b"),
    *(r"(?<![\w%])%WORD%(?![\w%])", r"%\(WORD\)s", "\u00ab\\s*WORD\\s*\u00bb"),
    *(r"(?<![{\w])\{\s*WORD\s*\}(?!\})", r"<<WORD>>", r"<WORD>", r"(?<!_)__WORD__(?!_)"),
)
_OF_OTHER_TOOLS: Final = re.compile(
    "|".join(mark.replace("WORD", r"([^\W\d_](?:[\w.]*[^\W_])?)") for mark in _MARKS)
)


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
    """What stands between brackets as a placeholder does, and whose brackets are sent.

    Between square ones that is any word, and a few in capitals; between others, which code and
    other texts have too, a placeholder in capitals, as where one bracket is missing.

    Args:
        template: its text.
        columns: of the names.

    Yields:
        The text, and the column that it can only be the placeholder of; null where there is
        none, or where round brackets may hold an abbreviation.
    """
    known = {reading(column): column for column in (*columns, "blank")}
    whole = _BRACKETED.sub(lambda found: " " * len(found[0]), template)
    for found in _HALF.finditer(whole):
        word = found["opened"] or found["closed"]
        if word.isupper() and (column := known.get(reading(word))) is not None:
            yield found[0], column
    for found in _BRACKETED.finditer(template):
        word, column = found["word"], known.get(reading(found["word"]))
        head = re.split(r"[ /|:.'-]", word)[0]
        if head != word:
            column = known.get(reading(head)) if head.isupper() else None
            if not (word.isupper() or column is not None):
                continue
        if _is_within(found, SQUARE):
            is_link_of_markdown = template.startswith("(", found.end())
            is_doubled = min(len(found["left"]), len(found["right"])) > 1
            is_whole = _PLACEHOLDER.fullmatch(f"[{word}]") is not None
            is_one = word.isupper() and is_whole and f"[{word}]" in found[0] and not is_doubled
            if not is_one and not is_link_of_markdown:
                yield found[0], column
        elif column is not None and word.isupper():
            yield found[0], None if _is_within(found, _ROUND) else column


def of_other_tools(template: str, columns: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Places that another tool would fill, in its own marks: `{name}`, `%NAME%`, `{{ town }}`.

    Texts have such marks too: a place is what has the name of a column, what stands in doubled
    braces, and words in capitals between marks that hardly stand around anything else.

    Args:
        template: its text.
        columns: of the names.

    Yields:
        The place, and the placeholder that may be meant.
    """
    known = {reading(column) for column in (*columns, "blank")}
    for found in _OF_OTHER_TOOLS.finditer(template):
        word = next(filter(None, found.groups())).rpartition(".")[2]
        is_known = reading(word) in known and (word.isupper() or not found[0].startswith("__"))
        is_place = found[0].startswith(_DOUBLED) or (
            word.isupper() and len(word) > 1 and not found[0].startswith(_TAGS)
        )
        if is_known or is_place or (word.isupper() and found[0].startswith("${")):
            yield found[0], f"[{word.upper()}]"


def placeholder_in(text: str, words: Container[str]) -> str | None:
    """The first of some words in a text between brackets that are not round, with these.

    So are marks that other tools write around what they fill in.
    """
    for found in _BRACKETED.finditer(text):
        if found["word"] in words and not _is_within(found, _ROUND):
            return found[0]
    for found in _OF_OTHER_TOOLS.finditer(text):
        if next(filter(None, found.groups())) in words:
            return found[0]
    return None


def _is_within(found: re.Match[str], brackets: str) -> bool:
    return found["left"][0] in brackets and found["right"][0] in brackets


def filled_template() -> pl.Expr:
    """A template with its name: what models repeat, whatever text stands around it.

    A prompt of a list has no name, and is that itself.
    """
    return pl.col("template").str.replace_all(NAME, pl.col("name").fill_null(NAME), literal=True)
