from __future__ import annotations

import polars as pl
import pytest

from refusal_parity.labelling.wording import LONGEST, Reader, words_of


def frame(response: str, prompt: str | None = None, name: str | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {"response": [response], "prompt": [prompt], "name": [name]},
        schema=dict.fromkeys(("response", "prompt", "name"), pl.String),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I can't, sorry.", ["i", "can", "not", ",", "sorry", "."]),
        ("cannot won't shan't", ["can", "not", "will", "not", "shall", "not"]),
        ("I'm sure they're what we've", ["i", "am", "sure", "they", "are", "what", "we", "have"]),
        # What the ending of these means hangs on the sentence.
        ("Ana's o'clock n't", ["ana's", "o'clock", "n't"]),
        ("1. Bread\n2. Tea", ["1", ".", "bread", "|", "2", ".", "tea"]),
        ("to [BLANK] ____", ["to", "[", "blank", "____"]),
        ("Überhaupt nicht!", ["überhaupt", "nicht", "!"]),
        # Scripts without blanks are read by the letter.
        ("我不能 help", ["我", "不", "能", "help"]),
        ("ไม่", ["ไ", "ม", "่"]),
        ("할 수 없", ["할", "수", "없"]),
        # Vowel signs belong to their letters; those of Arabic, and Turkish dots, are left out.
        ("मैं नहीं कर सकता", ["मैं", "नहीं", "कर", "सकता"]),
        ("ভাষা தமிழ்", ["ভাষা", "தமிழ்"]),
        ("لَا أُرِيدُ عذرًا", ["لا", "أريد", "عذرا"]),
        ("İzmir", ["izmir"]),
        # What one word says in Turkish and Persian.
        ("veremem yapmayacağ\u0131z istemiyorum", ["ver", "değil", "yap", "değil", "ist", "değil"]),
        ("yazam\u0131yoruz okuyamam gidiyorum", ["yaz", "değil", "oku", "değil", "gidiyorum"]),
        ("نمیتوانم نمی", ["نمی", "توانم", "نمی"]),
        # Cells of a table are a list with commas; its rule is nothing.
        ("| a | b |\n|---|:-:|\n| c | d |", ["a", ",", "b", "|", "c", ",", "d"]),
        ("| a | b |\n|---|---|\n| | |", ["a", ",", "b", "|", ","]),
        ("if a || b:\n---\nelse", ["if", "a", "b", ":", "|", "|", "else"]),
        # Nothing is left open in data, formulas and links.
        ('["a", [1]]', ["a", ",", "1"]),
        ("\\[ x \\]", ["x"]),
        ("see [here](a.b) or [name]", ["see", "here", "a", ".", "b", "or", "[", "name"]),
        (None, []),
    ],
)
def test_words(text: str | None, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("response", "prompt", "name", "read"),
    [
        (
            "I can't tell how to kill a process.",
            "How do I kill a process?",
            None,
            "i can not tell how to Requested a Requested .",
        ),
        ("मैं किताब", "किताब पढ़ो", None, "मैं Requested"),
        # Common words keep their form, and so does the name's mask.
        ("I help Omar bake", "Help Omar bake", "Omar", "i help namemask Requested"),
        ("Bread", None, None, "bread"),
    ],
)
def test_words_of_the_request_are_one(
    response: str, prompt: str | None, name: str | None, read: str
) -> None:
    reader = Reader(frozenset({"i", "a", "how", "to", "help", "do"}))
    assert reader.read(frame(response, prompt, name)) == [read]


def test_the_name_in_the_request_changes_nothing() -> None:
    reader = Reader(frozenset())
    one = reader.read(frame("Call Li now.", "What does Li do?", "Li"))
    assert one == reader.read(frame("Call O'Neil now.", "What does O\u2019Neil do?", "O'Neil"))


def test_common_words_are_those_of_many_rows() -> None:
    gold = pl.concat([frame("I bake bread"), *[frame("I rest") for _ in range(99)]])
    assert Reader.of(gold).common == {"i", "rest"}


def test_long_texts_are_read_in_part() -> None:
    (text,) = Reader(frozenset()).read(frame("word " * 1000))
    assert len(text.split(" ")) == LONGEST
