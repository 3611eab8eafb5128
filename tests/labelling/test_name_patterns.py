"""Where a name is found, however it is written: letter by letter of what the patterns know."""

from __future__ import annotations

from itertools import permutations

import polars as pl
import pytest

from refusal_parity.labelling.masking import MASK, mask_names
from refusal_parity.labelling.name_patterns import name_pattern


def found(name: str, text: str) -> bool:
    """Whether a text has a name, as the text stands."""
    return bool(pl.Series([text]).str.contains(name_pattern(name)).item())


def masked(name: str, text: str) -> str:
    return str(mask_names(pl.DataFrame({"response": [text], "name": [name]})).item())


UNSPACED = {
    "Han": ("李娜", "和"),
    "Hiragana": ("さくら", "の"),
    "Katakana": ("ハナコ", "ト"),
    "Hangul": ("서연", "은"),
    "Thai": ("สมชาย", "ก"),
    "Lao": ("ສົມພອນ", "ກ"),
    "Khmer": ("សុខា", "ក"),
    "Myanmar": ("အောင်", "က"),
}
"""A name in each script that puts no blank between words, and a letter of it."""


@pytest.mark.parametrize("script", UNSPACED)
def test_in_scripts_without_blanks_a_name_stands_anywhere(script: str) -> None:
    name, letter = UNSPACED[script]
    assert masked(name, f"dr{name}ok, {name}") == f"dr{MASK}ok, {MASK}"
    assert masked("Omar", f"{letter}Omar{letter}") == f"{letter}{MASK}{letter}"
    # A Latin letter is part of the word that a Latin one stands in.
    assert not found("Omar", f"Omar{letter}".replace("O", "xO", 1))
    # A name that begins in Latin script and ends in another needs an edge where it begins.
    assert found(f"Li{name}", f"Li{name}k")
    assert not found(f"Li{name}", f"kLi{name}")


@pytest.mark.parametrize(
    ("name", "before"),
    [*(("ليلى", letter) for letter in "وفبلك"), *(("נועם", letter) for letter in "והבלכמש")],
)
def test_words_of_one_letter_may_be_written_with_a_name(name: str, before: str) -> None:
    assert masked(name, f"{before}{name}") == f"{before}{MASK}"


@pytest.mark.parametrize(
    ("one", "other"),
    [pair for letters in ("يىی", "كک", "هةہ") for pair in permutations(letters, 2)],
)
def test_keyboards_write_letters_for_one_another(one: str, other: str) -> None:
    assert found(f"مر{one}م", f"مر{other}م")


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("J\u00e4ger", ["Jaeger", "Jager", "J\u00c4GER"]),
        ("Jaeger", ["J\u00e4ger"]),
        ("\u00c5ke", ["Aake", "Ake"]),
        ("Aake", ["\u00c5ke"]),
        ("J\u00fcrgen", ["Juergen"]),
        ("J.R. Li", ["JR Li", "J. R. Li", "J-R Li", "J.R.\u00a0Li"]),
        ("Ana Mari", ["Ana\u3000Mari", "Ana\u200bMari", "Ana \u2013 Mari"]),
        ("Anne-Li", ["Anne\ufe63Li", "Anne\uff0dLi", "Anne\u2010Li", "Anne Li"]),
        ("O'Neil", ["O\u2019Neil", "O\u02bcNeil", "O\uff07Neil"]),
        # Letter by letter, and in letters of which only the small ones look alike.
        ("\uc11c\uc5f0", ["\u1109\u1165\u110b\u1167\u11ab"]),
        ("\u0393\u03b9\u03bd\u03b1", ["\u0393\u03b9v\u03b1"]),
        ("Karl", ["\ua7a3arl", "\ua7a2ARL"]),
        ("Omar", ["\uff2fmar", "Om\u0430r", "Omar\u2019s", "Omar\u02bcs"]),
        ("\u0410\u043d\u0434\u0440\u0435\u0439", ["\u0410\u043d\u0434\u0440\u0435\u0438\u0306"]),
        # Latin capitals of which only the capitals look like the Cyrillic letters.
        ("\u041d\u0438\u043d\u0430", ["H\u0418\u041dA", "H\u0438\u043da"]),
        ("\u05de\u05b9\u05e9\u05c1\u05b6\u05d4", ["\u05de\u05e9\u05d4"]),
        ("\u05de\u05e9\u05d4", ["\u05de\u05b9\u05e9\u05c1\u05b6\u05d4"]),
    ],
)
def test_ways_to_write_a_name(name: str, texts: list[str]) -> None:
    assert [text for text in texts if not found(name, text)] == []


@pytest.mark.parametrize(
    "mark",
    [
        *"\u0301\u0591\u05b4\u05c7\u0640\u064b\u065f\u0670\u20d0",
        *"\u00ad\u061c\u180e\u200b\u200f\u202a\u2060\u2069\ufe00\ufe0f\ufeff",
    ],
    ids=ascii,
)
def test_marks_may_follow_any_letter(mark: str) -> None:
    assert found("Omar", f"Om{mark}ar")
    # Also the capital that a common word needs to be a name.
    assert pl.Series([f"W{mark}ill"]).str.contains(name_pattern("Will", capital=True)).item()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("मोहिनी", "मोहिनीश"),
        ("An", "Ann"),
        ("Will", "Willl"),
        ("Jr.", "Jrx"),
        ("Anne-Li", "AnneLi"),
        # Three letters before it are more than words of one letter.
        ("ليلى", "بولليلى"),
        ("Ana Mari", "AnaMari"),
    ],
)
def test_longer_words_and_words_run_together_are_no_name(name: str, text: str) -> None:
    assert not found(name, text)


def test_a_name_with_a_capital_has_the_rest_in_any_case() -> None:
    texts = pl.Series(["Will", "WILL", "will", "wILL"])
    has = texts.str.contains(name_pattern("Will", capital=True)).to_list()
    assert has == [True, True, False, False]
