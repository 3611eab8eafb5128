from __future__ import annotations

import pytest

from refusal_parity.spelling import as_known, difference, plain, reading, uniform


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Zoé", "Zoe\u0301"),
        ("D'Arcy", "d\u2019arcy"),
        ("D'Arcy", "D\u02bcArcy"),
        ("D'Arcy", "D`Arcy"),
        ("Mei-Lin", "Mei\u2010Lin"),
        ("Mei-Lin", "Mei\u2011Lin"),
        ("south asian", "South\u00a0Asian "),
        ("south asian", "south\u202f\n asian"),
        ("שרה", "\u200fשרה\u200f"),
        ("Ana", "A\u200bna\ufeff"),
        ("Ana", "\uff21\uff4e\uff41"),
        ("Ana", "\u0410n\u0430"),  # Cyrillic beside Latin
        ("Ivan", "\u0406van"),  # Ukrainian
        ("IVAN", "\u0406V\u0410N"),
        ("Ivan", "\u0399van"),  # Greek
        ("Weiß", "WEISS"),
        ("\u0130rem", "irem"),
        ("ليلى", "ليـلى"),
        ("サクラ", "\uff7b\uff78\uff97"),
        ('"はい"', "「はい」"),
        ("हाँ.", "हाँ।"),
        ("", "\u200b \u00a0"),
    ],
)
def test_texts_that_read_alike(one: str, other: str) -> None:
    assert reading(one) == reading(other)
    assert reading(reading(other)) == reading(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("José", "Jose"),
        ("Łukasz", "Lukasz"),
        ("Anna", "Анна"),
        ("Marnie", "Mamie"),
        ("王伟", "王薇"),
        ("がく", "かく"),
        ("Ana Maria", "AnaMaria"),
        ("a-b", "a b"),
        ("lvan", "\u0406van"),
    ],
)
def test_texts_that_do_not(one: str, other: str) -> None:
    assert reading(one) != reading(other)


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("José", "jose"),
        ("Łukasz", "lukasz"),
        ("Søren", "soren"),
        ("Đặng", "dang"),
        ("I\u015f\u0131l", "isil"),
        ("Guðrún Æsa", "gudrun aesa"),
        ("مُحَمَّد", "محمد"),
        ("がく", "がく"),
        ("मोहिनी", "मोहिनी"),
        ("ไข่", "ไข่"),
        ("민준", "민준"),
    ],
)
def test_letters_without_accents_and_strokes(text: str, without: str) -> None:
    assert plain(text) == without


def test_uniform_text_keeps_case_accents_and_lines() -> None:
    assert uniform("\u201cÉ\u201d \u2013\u00a0O\u2019B\u2026\u200e\n") == '"É" - O\'B...\n'


def test_as_known_takes_the_one_that_reads_alike() -> None:
    known = ["Zoé", "Ana", "ANA", "Be kind.", None]
    given = ["Zoe\u0301", "ana", "ANA", "be\u00a0kind.", None, "", "Bo"]
    assert as_known(given, known) == ["Zoé", "ana", "ANA", "Be kind.", None, None, "Bo"]


def test_difference_names_the_characters() -> None:
    assert difference("Zoe\u0301!", "Zoé!") == "U+0065 U+0301 here, U+00E9 there"
    assert difference("Ana\u200b", "Ana") == "U+200B here, nothing there"
    assert difference("Ana", "Ana") == ""
