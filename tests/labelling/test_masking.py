from __future__ import annotations

import itertools
import re
import unicodedata

import polars as pl
import pytest

from refusal_parity.labelling.masking import MASK, SHOWN_NAME, mask_names, prepare
from refusal_parity.labelling.name_patterns import name_pattern


def prepared(response: str, name: str | None = None, prompt: str | None = None) -> str:
    frame = pl.DataFrame(
        {"response": [response], "name": [name], "prompt": [prompt]},
        schema=dict.fromkeys(("response", "name", "prompt"), pl.String),
    )
    return str(prepare(frame)[0])


@pytest.mark.parametrize(
    ("response", "name", "expected"),
    [
        ("Omar eats.", "Omar", f"{MASK} eats."),
        ("OMAR and omar eat.", "Omar", f"{MASK} and {MASK} eat."),
        ("Omar's dog, Omar\u2019s cat", "Omar", f"{MASK} dog, {MASK} cat"),
        ("'Omar' is a name", "Omar", f"'{MASK}' is a name"),
        ("**Omar**, _Omar_, _Omar eats", "Omar", f"**{MASK}**, _{MASK}_, _{MASK} eats"),
        ("Omarov knows Komar", "Omar", "Omarov knows Komar"),
        ("José, JOSÉ and Jose sing", "José", f"{MASK}, {MASK} and {MASK} sing"),
        ("Jose\u0301 sings", "José", f"{MASK} sings"),  # letter and accent apart
        ("José sings", "Jose\u0301", f"{MASK} sings"),
        ("Yì and Yi, not Yin", "Yì", f"{MASK} and {MASK}, not Yin"),
        ("Byung-ho met O'Neil", "Byung-ho", f"{MASK} met O'Neil"),
        ("Byung-ho met O\u2019Neil", "O'Neil", f"Byung-ho met {MASK}"),
        ("Sammy Davis Jr. sang", "Sammy Davis Jr.", f"{MASK} sang"),
        ("a.b is no name, axb neither", "a.b", f"{MASK} is no name, axb neither"),
        ("王伟 left", "王伟", f"{MASK} left"),
        ("O\u02bcNeil and O`Neil", "O\u2019Neil", f"{MASK} and {MASK}"),
        ("Anne\u2010Li, Anne\u2011Li, Anne\uff0dLi", "Anne-Li", f"{MASK}, {MASK}, {MASK}"),
        ("Ana\u00a0Mari, Ana\u202fMari, Ana\nMari", "Ana Mari", f"{MASK}, {MASK}, {MASK}"),
        ("Mo\u00adna, \u200fMona, Mona\u200e", "Mo\u200bna\u200f", f"{MASK}, {MASK}, {MASK}"),
        ("Malgorzata and MAŁGORZATA", "Małgorzata", f"{MASK} and {MASK}"),
        ("Jorgen, Jørgen", "Jørgen", f"{MASK}, {MASK}"),
        ("Thorir and Þórir", "Þórir", f"{MASK} and {MASK}"),
        ("Yildiz and YILDIZ", "Y\u0131ld\u0131z", f"{MASK} and {MASK}"),
        ("Aesa, \u00c6sa", "\u00c6sa", f"{MASK}, {MASK}"),
        ("\u0410na", "Ana", MASK),  # its first letter is Cyrillic
        ("Ana", "\u0410na", MASK),
        ("Анна и Anna", "Анна", f"{MASK} и Anna"),
        ("听说李娜很忙", "李娜", f"听说{MASK}很忙"),
        ("听说Omar和Omar很忙", "Omar", f"听说{MASK}和{MASK}很忙"),
        ("花子さんとハナコ", "花子", f"{MASK}さんとハナコ"),
        ("서연은 김서연을", "서연", f"{MASK}은 김{MASK}을"),
        ("\u1109\u1165\u110b\u1167\u11ab", "서연", MASK),  # letter by letter
        ("मोहन, मोहिनी", "मोहन", f"{MASK}, मोहिनी"),
        ("محمّد", "محمد", MASK),
        ("ليـلى", "ليلى", MASK),
        ("ليلى", "ليـلى", MASK),
        ("وليلى لليلى ليلىن", "ليلى", f"و{MASK} ل{MASK} ليلىن"),
        ("ولليلى", "ليلى", f"ول{MASK}"),  # two words of one letter before it
        ("לנועם, שנועם, ינועם", "נועם", f"ל{MASK}, ש{MASK}, ינועם"),
        ("Irem, \u0130REM, irem", "\u0130rem", f"{MASK}, {MASK}, {MASK}"),
        ("Anne Li, Anne-\nLi, AnneLi", "Anne-Li", f"{MASK}, {MASK}, AnneLi"),
        ("Ana-Mari", "Ana Mari", MASK),
        ("\u0644\u06cc\u0644\u06cc", "ليلى", MASK),  # on a Persian keyboard
        ("Hessa, Heßa, HESSA", "Hessa", f"{MASK}, {MASK}, {MASK}"),
        ("Hessa, HEẞA", "Heßa", f"{MASK}, {MASK}"),
        ("Omar_Omar_Omar", "Omar", f"{MASK}_{MASK}_{MASK}"),
        ("Mueller, Müller, MUELLER, Muller", "Müller", ", ".join([MASK] * 4)),
        ("Jörg and Joerg", "Joerg", f"{MASK} and {MASK}"),
        ("Soeren, Søren", "Søren", f"{MASK}, {MASK}"),
        ("ONeil, O Neil, O-Neil", "O'Neil", f"{MASK}, {MASK}, {MASK}"),
        ("Sammy Davis Jr sang", "Sammy Davis Jr.", f"{MASK} sang"),
        ("M\u0430\u0440\u0438\u044f", "\u041c\u0430\u0440\u0438\u044f", MASK),  # its M is Latin
        ("Will will go. I will not.", "Will", f"{MASK} will go. I will not."),
        ("i will not, said will", "Will", f"i {MASK} not, said {MASK}"),
        ("An owl is an owl, and An's", "An", f"{MASK} owl is an owl, and {MASK}"),
        ("You are sure: you can", "You", f"{MASK} are sure: you can"),
        ("Omar and omar will", "Omar", f"{MASK} and {MASK} will"),
        ("Marnie", "Mamie", "Marnie"),
        ("Omar eats.", None, "Omar eats."),
        ("Omar eats.", " ", "Omar eats."),
        ("A Muslim refuses", "Omar", "A Muslim refuses"),
    ],
)
def test_names(response: str, name: str | None, expected: str) -> None:
    assert prepared(response, name) == expected


@pytest.mark.parametrize(
    ("response", "prompt", "expected"),
    [
        ("Li eats [BLANK] Sure: rice", "Li eats [BLANK]", "Sure: rice"),
        (" Li eats [BLANK]\n\nrice", "Li eats [BLANK] ", "rice"),
        ("Li eats [BLANK]", "Li eats [BLANK]", "Li eats [BLANK]"),
        ("Li eats [BLANK].", "Li eats [BLANK]", "Li eats [BLANK]."),
        ("Sure! Li eats [BLANK] rice", "Li eats [BLANK]", "Sure! Li eats [BLANK] rice"),
        ("rice", "Li eats [BLANK]", "rice"),
        ("rice", None, "rice"),
        ("rice", "", "rice"),
        ("? rice", "?", "rice"),
    ],
)
def test_echo(response: str, prompt: str | None, expected: str) -> None:
    assert prepared(response, None, prompt) == expected


def test_rows_keep_their_order_and_their_own_name() -> None:
    names = ["Mei", "Omar", "Mei", None]
    frame = pl.DataFrame(
        {"response": ["Mei Omar"] * 4, "name": names, "prompt": [None] * 4},
        schema_overrides={"prompt": pl.String},
    )
    assert prepare(frame).to_list() == [
        f"{MASK} Omar", f"Mei {MASK}", f"{MASK} Omar", "Mei Omar",
    ]  # fmt: skip


def test_a_response_that_is_missing_stays_missing() -> None:
    frame = pl.DataFrame({"response": [None, "Mei"], "name": ["Mei", "Mei"]})
    assert mask_names(frame).to_list() == [None, MASK]


def test_around_a_name_with_a_raised_letter_nothing_changes() -> None:
    frame = pl.DataFrame({"response": ["\u201cOma\u02b0\u201d \u2013 caf\u00e9"], "name": ["Omah"]})
    shown = mask_names(frame, with_=SHOWN_NAME).item()
    assert shown == "\u201c[NAME]\u201d \u2013 caf\u00e9"


BLOCKS = (range(0x80, 0x250), range(0x1E00, 0x1F00), range(0x2C60, 0x2C80))
"""Of Latin letters that languages write today; those of phonetics are in no name."""

# Digraphs, and letters that a sign stands beside.
NO_LETTER = re.compile("WITH (SMALL LETTER|MIDDLE DOT|RIGHT HALF RING)")
ACCENTED = re.compile(r"LATIN (?:SMALL|CAPITAL) LETTER ([A-Z]) WITH .*")


def test_every_accented_letter_of_latin_script_is_found() -> None:
    """By the names that Unicode gives to letters: LATIN SMALL LETTER L WITH STROKE is an L."""
    letters: dict[str, list[str]] = {}
    for character in map(chr, itertools.chain.from_iterable(BLOCKS)):
        name = unicodedata.name(character, "")
        if (found := ACCENTED.fullmatch(name)) and not NO_LETTER.search(name):
            letters.setdefault(found[1].lower(), []).append(character)
    assert sum(map(len, letters.values())) > 500
    assert {"\u2c60", "\u1e00", "\u1eff", "\u024f"} <= set(itertools.chain(*letters.values()))
    for plain, accented in letters.items():
        texts = pl.Series([f"Vq{each}xx" for each in accented])
        missed = texts.filter(~texts.str.contains(name_pattern(f"Vq{plain}xx")))
        assert missed.to_list() == []


def test_no_rows() -> None:
    schema = dict.fromkeys(("response", "name", "prompt"), pl.String)
    assert prepare(pl.DataFrame(schema=schema)).to_list() == []


@pytest.mark.parametrize(
    ("response", "shown"),
    [
        ("\u201cOmar\u201d \u2013 caf\u00e9\u2026", "\u201c[NAME]\u201d \u2013 caf\u00e9\u2026"),
        ("Omar's bag and OMAR\u2019s hat", "[NAME]'s bag and [NAME]\u2019s hat"),
        ("Omars' bag is Omar'", "Omars' bag is [NAME]'"),
        ("_Omar\u2019s_ bag", "_[NAME]\u2019s_ bag"),
    ],
)
def test_only_the_name_changes_for_readers(response: str, shown: str) -> None:
    frame = pl.DataFrame({"response": [response], "name": ["Omar"]})
    assert mask_names(frame, with_=SHOWN_NAME).item() == shown


@pytest.mark.parametrize(
    ("response", "name"),
    [
        ("\uff8a\uff85\u306f", "\u30cf\u30ca"),  # half width
        ("\U0001d40e\U0001d426\U0001d41a\U0001d42b", "Omar"),  # mathematics
        ("\u05d1\u05df\u05be\u05e2\u05de\u05d9", "\u05d1\u05df-\u05e2\u05de\u05d9"),  # maqaf
        ("\ufedf\ufef4\ufee0\ufef0", "\u0644\u064a\u0644\u0649"),  # forms within words
    ],
)
def test_readers_see_no_name_in_other_characters(response: str, name: str) -> None:
    frame = pl.DataFrame({"response": [f"\u201c{response}", "\u201cno"], "name": name})
    shown = mask_names(frame, with_=SHOWN_NAME).to_list()
    assert SHOWN_NAME in shown[0]
    assert shown[1] == "\u201cno"


@pytest.mark.parametrize("before", ["", "\u201c", "a "])
def test_a_name_in_radicals_is_hidden_too(before: str) -> None:
    # Their ideographs stand behind them in Unicode, unlike most that a character is short for.
    frame = pl.DataFrame({"response": [f"{before}\u2f00\u90ce"], "name": ["\u4e00\u90ce"]})
    assert mask_names(frame, with_=SHOWN_NAME).item().endswith(SHOWN_NAME)


def test_an_echo_in_other_characters_is_cut_off() -> None:
    prompt = "O\u2019Neil isn't at [BLANK]"
    assert prepared("O'Neil isn\u2019t at\u00a0[BLANK] home", "O\u2019Neil", prompt) == "home"
