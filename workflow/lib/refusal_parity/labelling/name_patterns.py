"""Patterns that find a name in a text, however its letters are written there."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import chain
from typing import Final

from refusal_parity.spelling import latin_look_alike, plain, reading

_UNSPACED: Final = (
    "CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR",
)  # fmt: skip
"""How Unicode's names of letters begin whose scripts put no blank between words, or
hang endings on names."""

NO_PART_OF_A_WORD: Final = (
    r"[_\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
)
"""What may stand beside a name although it counts as part of a word: the mark-up of
emphasis, and letters of those scripts."""

_ATTACHED: Final = {
    "ARABIC": "\u0648\u0641\u0628\u0644\u0643",
    "HEBREW": "\u05d5\u05d4\u05d1\u05dc\u05db\u05de\u05e9",
}
"""Words of one letter (and, to, in, from, ...) that are written with the next word as one."""

_KEYBOARDS: Final = {
    letter: letters
    for letters in ("\u064a\u0649\u06cc", "\u0643\u06a9", "\u0647\u0629\u06c1")
    for letter in letters
}
"""Letters that Arabic, Persian and Urdu keyboards write for one another."""

_SHARP_S: Final = "[\u00df\u1e9e]"

_TWO_FOR_ONE: Final = {
    "\u00e4": "ae",
    "\u00f6": "oe",
    "\u00fc": "ue",
    "\u00f8": "oe",
    "\u00e5": "aa",
}
"""Two letters that are written for one of German and its neighbours where a keyboard lacks it."""

_UNIT: Final = re.compile("ss|" + "|".join(sorted(set(_TWO_FOR_ONE.values()))) + "|.", re.DOTALL)

_MAY_FOLLOW: Final = (
    r"[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u0640\u064b-\u065f\u0670\u20d0-\u20ff"
    r"\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]*"
)
"""Accents, vowel signs, strokes that lengthen and invisible marks: after any letter."""

_BLANK: Final = r"[\s\u200b]+"

_LETTERS_AND_MARKS: Final = (
    range(0x21, 0x250),  # Latin
    range(0x2B0, 0x300),  # modifier letters, with apostrophes
    range(0x370, 0x530),  # Greek and Cyrillic, with letters that look like Latin ones
    range(0x1E00, 0x1F00),  # Latin with two accents
    range(0x2010, 0x2070),  # punctuation
    range(0x2C60, 0x2C80),
    range(0xA720, 0xA800),
    range(0xFE50, 0xFE70),  # small forms
    range(0xFF01, 0xFF5F),  # full width
)


@cache
def name_pattern(name: str, *, capital: bool = False) -> str:
    """A regular expression, in Rust's dialect, of a name as a whole word, possessive or not.

    It finds the name in any case, with and without accents and strokes, with
    any kind of apostrophe, hyphen and blank (these two also in each other's place), and
    through invisible marks; in text of scripts without blanks between words, wherever
    it stands, and behind the words that Arabic and Hebrew write with the next. The groups
    `left` and `right` hold what stood beside the name and must be put back, `possessive`
    the ending of one.

    Args:
        name: the name; one without any letter gives an empty pattern.
        capital: whether it must begin with a capital letter of ASCII, as `name` does.
    """
    letters = reading(name)
    if not letters:
        return ""
    # A full stop at the end may be left out, and then a word ends before it all the same.
    last = (letters.rstrip("'.") or letters)[-1]
    first = f"(?-i:{letters[0].upper()}){_MAY_FOLLOW}" if capital else ""
    rest = letters[1:] if capital else letters
    spelled = first + "".join(map(_of_unit, _UNIT.findall(rest.rstrip("'."))))
    spelled += "".join(map(_optional, rest[len(rest.rstrip("'.")) :]))
    possessive = f"(?P<possessive>[{_alike()[chr(39)]}]{_MAY_FOLLOW}s)?"
    attached = _ATTACHED.get(unicodedata.name(letters[0], "").partition(" ")[0])
    before = NO_PART_OF_A_WORD + (rf"|\b{{start-half}}[{attached}]{{1,2}}" if attached else "")
    left = rf"(?:\b{{start-half}}|(?P<left>{before}))" * _needs_edge(letters[0])
    right = rf"(?:\b{{end-half}}|(?P<right>{NO_PART_OF_A_WORD}))" * _needs_edge(last)
    return f"(?i){left}{spelled}{possessive}{right}"


def _needs_edge(letter: str) -> bool:
    """Whether a word must begin or end there, in text that has blanks between words."""
    of_a_word = letter.isalnum() or unicodedata.category(letter)[0] == "M"
    return of_a_word and not unicodedata.name(letter, "").startswith(_UNSPACED)


def _of_unit(unit: str) -> str:
    """All ways to write one letter of a name's reading, or two that may stand for another."""
    if len(unit) == 1:
        return _variants(unit)
    single = [letter for letter, pair in _TWO_FOR_ONE.items() if pair == unit]
    others = _SHARP_S + _MAY_FOLLOW if unit == "ss" else "|".join(map(_variants, single))
    return f"(?:{''.join(map(_variants, unit))}|{others})"


def _optional(letter: str) -> str:
    return rf"(?:[{_alike()[letter]}]{_MAY_FOLLOW})?"


def _variants(letter: str) -> str:
    """All ways to write one letter of a name's reading."""
    if letter in " -":
        return rf"(?:{_BLANK}|[{_alike()['-']}]{_MAY_FOLLOW})+"
    if letter in "'.":
        # Some write a blank, also behind it, or a hyphen, or leave it out.
        return rf"(?:{_optional(letter)}(?:{_BLANK})?|[{_alike()['-']}])"
    if unicodedata.category(letter)[0] == "M" and not plain(letter):
        # Left out in plain writing; where it stands, the letter before it has it.
        return ""
    without = plain(letter)
    if without.isascii() and len(without) == 1:
        one = f"[{_alike()[without]}]{_MAY_FOLLOW}"
        pair = _TWO_FOR_ONE.get(letter)
        return f"(?:{one}|{''.join(map(_variants, pair))})" if pair else one
    ways = {letter, unicodedata.normalize("NFD", letter), *_KEYBOARDS.get(letter, "")}
    if without:
        ways.add("".join(map(_variants, without)) if without.isascii() else without)
    ways |= {alike for case in (letter, letter.upper()) if (alike := latin_look_alike(case))}
    written = sorted(ways, key=lambda way: (-len(way), way))
    return f"(?:{'|'.join(way if '[' in way else re.escape(way) for way in written)}){_MAY_FOLLOW}"


@cache
def _alike() -> dict[str, str]:
    """For each character of ASCII, all that are written for it, inside brackets of a pattern."""
    found: dict[str, str] = {}
    for character in map(chr, chain.from_iterable(_LETTERS_AND_MARKS)):
        key = latin_look_alike(character) or plain(character)
        key = key.lower()
        if len(key) == 1 and key.isascii():
            found[key] = found.get(key, "") + re.escape(character)
    return found
