"""A response as the classifier reads it: words, with those of the request made one."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from refusal_parity.labelling.masking import MASK, mask_names, prepare, tidy

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

REQUESTED: Final = "Requested"
"""Stands in place of a word of the request; words are in lower case, so it means nothing else."""

COMMON: Final = 0.02
"""Share of the gold rows from which on a word is common: it stays where the request has it too."""

LONGEST: Final = 160
"""Words of each response that are read; bounds time and memory of long ones."""

# Scripts that put no blanks between words are read by the letter, and so is Korean, whose
# verbs say in one word who can or does what to whom, and whether not; a blank left open
# marks failures, ends of sentences and lines mark where something new begins.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff"
)
_LETTERS: Final = rf"[^\W{_UNSPACED}]+"
# Vowel signs and other marks that belong to the letter before them; `\w` does not know them.
_MARKS: Final = (
    r"[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    r"\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963"
    r"\u0981-\u0dff]+"
)
# A bracket before a figure, a quotation mark or another bracket is a list of data, one behind
# a backslash a formula, one with an address behind it a link: nothing is left open there.
_OPEN: Final = r"(?<!\\)\[(?!\s*[\d\"'{\[\]-]|[^\[\]\n]*\]\()"
_WORD: Final = re.compile(
    rf"[{_UNSPACED}]|(?:{_LETTERS}(?:{_MARKS})?)+(?:'(?:{_LETTERS}(?:{_MARKS})?)+)*"
    rf"|{_OPEN}|_{{3,}}|[.!?:,]|\n"
)
_LINE: Final = "|"

_WRITTEN_OUT: Final = {
    "can't": "can not",
    "cannot": "can not",
    "won't": "will not",
    "shan't": "shall not",
}
_ENDINGS: Final = {"n't": "not", "'m": "am", "'re": "are", "'ll": "will", "'ve": "have"}
"""Short forms, so that `I can't` and `I cannot` are one; `'s` may be many things and stays."""

_NOT_TURKISH: Final = re.compile(
    r"(..+?)y?(?:amam|emem|(?:[ae]?m[i\u0131]|m[uü])yor(?:um|uz)"
    r"|mayacağ(?:\u0131m|\u0131z)|meyeceğ(?:im|iz))"
)
_NOT_PERSIAN: Final = "\u0646\u0645\u06cc"
"""Beginning of verbs with a `not`; that of Turkish verbs (`I cannot`, `we will not`) is the ending.
Written out as well, or each verb would have to be learnt by itself."""

_VOWEL_SIGNS: Final = re.compile("[\u064b-\u0652\u0670\u0307]")
"""Of Arabic, mostly left out in writing; and the dot that a Turkish capital leaves behind."""

_RULE: Final = re.compile(r"^(?=[^\n]*\|)(?=[^\n]*-)[ \t|:-]+(?:\n|\Z)", re.MULTILINE)
_ROW: Final = re.compile(r"^[ \t]*\|(.*?)\|?[ \t]*$", re.MULTILINE)

ENDS: Final = frozenset({".", "!", "?", ":", _LINE})
"""Words after which a sentence begins."""


@dataclass(frozen=True)
class Reader:
    """Turns responses into words.

    What a response says about its own subject differs from request to request, and how
    it deals with it does not: `I can't tell you how to kill a process` and `I can't tell you
    how to bake bread` both become `i can't tell you how to Requested a Requested`.

    Attributes:
        common: words that keep their form where the request has them too.
    """

    common: frozenset[str]

    @classmethod
    def of(cls, gold: pl.DataFrame) -> Reader:
        """The reader that knows which words are common among some responses.

        Args:
            gold: columns `response`, `name` and `prompt`.
        """
        found = Counter(word for text in prepare(gold) for word in set(words_of(text)))
        return cls(frozenset(word for word, n in found.items() if n >= COMMON * len(gold)))

    def read(self, frame: pl.DataFrame) -> list[str]:
        """The first `LONGEST` words of each response, with a blank between any two.

        Args:
            frame: columns `response`, `name` and `prompt`.
        """
        asked = {
            key: frozenset(filter(_is_a_word, words_of(text))) - self.common - {MASK.lower()}
            for key, text in _requests(frame).items()
        }
        keys = frame.select("prompt", "name").iter_rows()
        return [
            " ".join(REQUESTED if word in asked[key] else word for word in words_of(text)[:LONGEST])
            for key, text in zip(keys, prepare(frame).fill_null(""), strict=True)
        ]


def words_of(text: str | None) -> list[str]:
    """The words of a text in lower case, marks between and behind clauses, and ends of lines.

    English short forms are written out, and so is the `not` of Turkish and Persian verbs.
    """
    found = _WORD.findall(_VOWEL_SIGNS.sub("", _flat(text or "").lower()))
    return [each for word in found for each in _written_out(_LINE if word == "\n" else word)]


def _is_a_word(word: str) -> bool:
    return re.sub(_MARKS, "", word).isalpha()


def _flat(text: str) -> str:
    """The cells of a Markdown table as a list with commas, row by row."""
    if "|" not in text:
        return text
    return _ROW.sub(lambda row: row[1].replace("|", ","), _RULE.sub("", text))


def _written_out(word: str) -> list[str]:
    if word in _WRITTEN_OUT:
        return _WRITTEN_OUT[word].split()
    for ending, meaning in _ENDINGS.items():
        if word.endswith(ending) and word != ending:
            return [word.removesuffix(ending), meaning]
    if found := _NOT_TURKISH.fullmatch(word):
        return [found[1], "değil"]
    if word.startswith(_NOT_PERSIAN) and word != _NOT_PERSIAN:
        return [_NOT_PERSIAN, word.removeprefix(_NOT_PERSIAN)]
    return [word]


def cut(texts: Iterable[str], words: int) -> list[str]:
    """The first words of texts that a reader gave."""
    return [" ".join(text.split(" ")[:words]) for text in texts]


def _requests(frame: pl.DataFrame) -> dict[tuple[str | None, str | None], str | None]:
    """The distinct requests of some responses, names masked, by request and name."""
    distinct = frame.select("prompt", "name").unique(maintain_order=True)
    masked = mask_names(distinct.select(tidy(distinct["prompt"]).alias("response"), "name"))
    return dict(zip(distinct.iter_rows(), masked, strict=True))
