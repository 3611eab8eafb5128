from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from refusal_parity.errors import InputError
from refusal_parity.preference.lexicon import Lexicon, read_lexicon
from refusal_parity.preference.mentions import find_mentions
from refusal_parity.tables import Mentions, Pairs, conform

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def lexicon(root: Path) -> Lexicon:
    return read_lexicon(root / "data/mentions.csv")


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("Why do Muslims and Jews fast?", ["muslim", "jewish"]),
        ("Which white wine goes with black pepper?", []),
        ("He bought it on the black market for a white lie.", []),
        ("A black man and a white woman walk in.", ["black", "man", "white", "woman"]),
        ("Tell me about blacks", ["black"]),
        ("How long do I roast a turkey? Is Turkey hot?", []),
        ("Are Turks hospitable? I like Turkish delight.", ["turkish"]),
        ("Where can I get good Chinese food?", []),
        ("My Chinese neighbour is kind", ["chinese"]),
        ("Translate this into German. Are Germans punctual?", ["german"]),
        ("my girlfriend ordered manual pancakes", []),
        ("oh man, that hurts", []),
        ("Is he a hitman?", []),
        ("a trans woman", ["transgender"]),
        ("African Americans in Africa", ["black"]),
        ("African countries", []),
        ("MENTALLY ILL people", ["mental illness"]),
        ("a 50 year old man", ["man"]),
        ("an old man", ["old"]),
        ("he speaks about women\u2019s rights", ["woman"]),
        ("life on an Indian reservation", ["indigenous"]),
        ("", []),
    ],
)
def test_what_counts_as_a_mention(lexicon: Lexicon, text: str, groups: list[str]) -> None:
    assert [mention.entry.group for mention in lexicon.find(text)] == groups


def test_slurs_are_told_apart(lexicon: Lexicon) -> None:
    counts = lexicon.counts("He called the women sluts, and a gay man a faggot. Women!")
    assert counts["woman", False] == 2
    assert counts["woman", True] == 1
    assert counts["gay", True] == 1


def test_mentions_can_be_masked(lexicon: Lexicon) -> None:
    assert lexicon.masked("Insult Jews over white wine!", "people") == (
        "Insult people over white wine!"
    )


def test_where_a_mention_stands(lexicon: Lexicon) -> None:
    pairs = pl.DataFrame(
        {
            "pair": [1, 2, 3],
            "exclusion": None,
            "cases": None,
            "turns": 1,
            "opening": "",
            "requests": [["Jews? Jews!", "And Jews and Sikhs?"], ["Hello"], []],
            "earlier_answers": [["Sikhs!"], [], []],
            "chosen": ["No.", "A Sikh", None],
            "rejected": ["Fags.", "No", None],
        }
    )
    found = find_mentions(conform(pairs, Pairs, where="test"), lexicon)
    assert dict(found.select("group", "category").rows()) == {
        "jewish": "religion", "sikh": "religion", "gay": "sexuality",
    }  # fmt: skip
    assert conform(found, Mentions, where="test").drop("category").rows() == [
        (1, "jewish", "request", False, 3),
        (1, "sikh", "request", False, 1),
        (1, "sikh", "earlier_answer", False, 1),
        (1, "gay", "rejected", True, 1),
        (2, "sikh", "chosen", False, 1),
    ]


HEAD = "group,category,slur,pattern,exclude,source,checked,right\n"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a,b,no,x(,,,,", "line 3: pattern is no regular expression"),
        ("a,b,no,x,y(?=z),,,", "line 3: exclude is no regular expression"),
        ("a,b,no,(x)y,,,,", "line 3: pattern has a group of its own"),
        ("a,b,no,x*,,,,", "line 3: pattern has a group of its own or fits an empty text"),
        ("a,b,perhaps,x,,,,", "line 3: slur is 'perhaps'"),
        ("a,b,,x,,,,", "line 3: column 'slur' is empty"),
        ("first,other,no,x,,,,", "line 3: group 'first' is in the category 'one' above"),
        ("a,b,no,x,,,3,4", "line 3: 4 of 3 mentions are right"),
        ("a,b,no,x,,,some,", "line 3: checked is 'some'"),
    ],
)
def test_a_lexicon_that_cannot_be_used_names_its_row(tmp_path: Path, row: str, said: str) -> None:
    path = tmp_path / "lexicon.csv"
    path.write_text(f"{HEAD}first,one,no,word,,,,\n{row}\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_lexicon(path)
    assert said in str(caught.value)


def test_a_lexicon_of_ones_own(tmp_path: Path) -> None:
    """In letters beyond ASCII, with YES in capitals, and words within those that are excluded."""
    path = tmp_path / "lexicon.csv"
    rows = [
        "\u00f6ster,nation,no,\u00f6sterreicher,,,7,7",
        "tea,drink,YES,tea,tea party|green tea leaf,,,",
        "leaf,plant,No,leaf,,,,",
    ]
    path.write_text(HEAD + "\n".join(rows), encoding="utf-8")
    lexicon = read_lexicon(path)
    assert [entry.slur for entry in lexicon.entries] == [False, True, False]
    assert [(entry.checked, entry.right) for entry in lexicon.entries] == [(7, 7), (0, 0), (0, 0)]
    for text, groups in {
        "\u00d6sterreicher, tea": ["\u00f6ster", "tea"],
        "\u00d6sterreicher!": ["\u00f6ster"],
        "a tea party with tea": ["tea"],
        # What is excluded hides its own entry alone; behind the run all counts again.
        "a green tea leaf, a tea leaf": ["leaf", "tea", "leaf"],
        "teapot, stea": [],
    }.items():
        assert [mention.entry.group for mention in lexicon.find(text)] == groups
        texts = pl.Series([text])
        assert not groups or texts.str.contains(lexicon.any_mention).all()


def test_each_entry_finds_what_it_is_for(lexicon: Lexicon) -> None:
    """No entry's words are all taken by an entry above it."""
    found = {
        (mention.entry.group, mention.entry.slur)
        for entry in lexicon.entries
        for word in entry.pattern.replace("?", "").split("|")
        for mention in lexicon.find(word)
    }
    assert found == {(entry.group, entry.slur) for entry in lexicon.entries}
