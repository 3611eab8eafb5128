"""When two texts are one: the same letters, whatever characters they are written with.

Every comparison of texts that people or files give goes through here. The texts
themselves stay as they are: what is sent and stored is never a key of this module.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Final

from anyascii import anyascii

if TYPE_CHECKING:
    from collections.abc import Iterable

DIRECTION_MARKS: Final = "\u061c\u200e\u200f"
"""Marks that only say in which direction the text beside them runs."""

_PLAINER: Final = {"\u0964": "."} | dict.fromkeys("\u300c\u300d\u300e\u300f\uff62\uff63", '"')
"""Hindi's full stop and East Asian quotation marks, which the table for the rest calls
a comma and brackets."""

_ACCENTS_OF_VOWEL_SIGNS: Final = range(10, 37)
"""Combining classes of Hebrew and Arabic vowel signs, which are mostly left out in writing."""

_UNSEEN: Final = "\u034f\u0640\u115f\u1160\u3164"
"""Invisible characters of other categories, and the stroke that lengthens Arabic words."""

_LEAST_ACCENT: Final = 200
"""Combining classes from here on are accents above and below letters; lower ones make
another letter of Indic, Thai or Japanese ones."""

_LATIN: Final = re.compile("[A-Za-z]")

_LIKE_LATIN: Final = re.compile(
    "[\u0370-\u058f\u10a0-\u10ff\u13a0-\u13ff\u2c80-\u2cff\ua640-\ua69f\uab70-\uabbf]"
)
"""Scripts with letters in two cases: Greek, Cyrillic, Armenian, Georgian, Cherokee, Coptic."""


@cache
def _as_ascii_has_it(character: str) -> str:
    """Blanks and punctuation as ASCII has them, invisible marks as nothing, all else as it is."""
    if character in _PLAINER:
        return _PLAINER[character]
    category = unicodedata.category(character)
    if category == "Cf" or character in _UNSEEN or _varies(character):
        return ""
    if category[0] == "Z":
        return " "
    # Modifier letters and symbols between these are apostrophes and accents that stand alone.
    if category[0] == "P" or "\u02b9" <= character <= "\u02cf" or character in "\u00b4\u2212":
        return anyascii(character) or character
    return character


def _varies(character: str) -> bool:
    """Whether it is a variation selector: it asks for another drawing of what precedes it."""
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def uniform(text: str) -> str:
    """The text with its characters in compatibility form (NFKC) and plain punctuation.

    Curly quotes, dashes, special blanks and full-width letters become those of
    ASCII; invisible marks go. Case, accents and line breaks stay.
    """
    if text.isascii():
        return text
    for character in set(text):
        if not character.isascii() and (plainer := _as_ascii_has_it(character)) != character:
            text = text.replace(character, plainer)
    return unicodedata.normalize("NFKC", text)


def reading(text: str) -> str:
    """The key under which texts that read alike are equal.

    The `uniform` text without case and with white space evened out, its edges
    bare. In a word of several scripts, letters that look like Latin ones count
    as these. Letters with accents or strokes are other letters.
    """
    even = uniform(text).replace("`", "'")
    if even.isascii():
        return " ".join(even.lower().split())
    if _is_mixed(even):
        even = " ".join(map(_of_one_script, even.split()))
    # A dotted capital of Turkish would keep its dot beside the small letter's own.
    folded = even.casefold().replace("i\u0307", "i")
    return unicodedata.normalize("NFKC", " ".join(folded.split()))


def plain(text: str) -> str:
    """The `reading` without accents and strokes, as those write it who do not have these keys.

    Latin letters become those of ASCII (José, Łukasz, Søren, Đặng), other
    scripts lose the marks that are mostly left out in writing.
    """
    read = reading(text)
    if read.isascii():
        return read
    apart = unicodedata.normalize("NFD", read)
    bare = "".join(map(_bare, apart))
    return unicodedata.normalize("NFC", bare)


def is_blank(text: str) -> bool:
    """Whether a text holds nothing but white space and invisible marks."""
    return all(
        character.isspace() or unicodedata.category(character) in {"Cc", "Cf"} for character in text
    )


def as_known(given: Iterable[str | None], known: Iterable[str | None]) -> list[str | None]:
    """Each given text as it is written among the known ones, or as it is if it is none of them.

    A text that is there letter by letter is itself; any other is the one that
    reads alike, if there is just one. A null counts as an empty text.
    """
    exact = set(known)
    readings: dict[str, list[str | None]] = {}
    for text in exact:
        readings.setdefault(reading(text or ""), []).append(text)

    @cache
    def found(text: str | None) -> str | None:
        if text in exact:
            return text
        alike = readings.get(reading(text or ""), [])
        return alike[0] if len(alike) == 1 else text

    return [found(text) for text in given]


def difference(here: str, there: str) -> str:
    """What tells two texts apart that read alike, for an error; empty if nothing does."""
    if here == there:
        return ""
    start = next(
        (at for at, (a, b) in enumerate(zip(here, there, strict=False)) if a != b),
        min(len(here), len(there)),
    )
    end = 0
    while end < min(len(here), len(there)) - start and here[-1 - end] == there[-1 - end]:
        end += 1
    ours, theirs = (_codes(text[start : len(text) - end]) for text in (here, there))
    return f"{ours} here, {theirs} there"


def _codes(text: str) -> str:
    """Characters with their numbers, as look-ups of Unicode take them."""
    return " ".join(f"U+{ord(character):04X}" for character in text) or "nothing"


def _bare(character: str) -> str:
    accent = unicodedata.combining(character)
    if accent >= _LEAST_ACCENT or accent in _ACCENTS_OF_VOWEL_SIGNS:
        return ""
    if not character.isascii() and unicodedata.name(character, "").startswith("LATIN"):
        return anyascii(character).lower() or character
    return character


def _is_mixed(text: str) -> bool:
    """Whether there are Latin letters and such as may look like them."""
    return bool(_LIKE_LATIN.search(text) and _LATIN.search(text))


def _of_one_script(word: str) -> str:
    """The word with Latin letters for those that only look like them, if it has others too."""
    if not _is_mixed(word):
        return word
    return "".join(latin_look_alike(character) or character for character in word)


@cache
def latin_look_alike(character: str) -> str | None:
    """The ASCII letter that a letter of another script looks like (Unicode TR 39), if any."""
    if character.isascii() or character.lower() == character.upper():
        return None
    if unicodedata.name(character, "LATIN").startswith("LATIN"):
        return None
    # Its table takes a fifth of a second to load, and few studies need it.
    from confusable_homoglyphs.confusables import is_confusable  # noqa: PLC0415

    found = is_confusable(character, preferred_aliases=["latin"]) or [{"homoglyphs": []}]
    glyphs = (each["c"] for each in found[0]["homoglyphs"])
    glyph = next((glyph for glyph in glyphs if glyph.isascii() and glyph.isalpha()), None)
    # That table writes l for I.
    return "I" if glyph == "l" and character.isupper() else glyph
