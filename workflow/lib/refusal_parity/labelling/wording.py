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

# Scripts that put no blanks between words are read by the letter; a blank left open
# marks failures, ends of sentences and lines mark where something new begins.
_UNSPACED: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD: Final = re.compile(
    rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+(?:'[^\W{_UNSPACED}]+)*|\[|_{{3,}}|[.!?:,]|\n"
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
            key: frozenset(filter(str.isalpha, words_of(text))) - self.common - {MASK.lower()}
            for key, text in _requests(frame).items()
        }
        keys = frame.select("prompt", "name").iter_rows()
        return [
            " ".join(REQUESTED if word in asked[key] else word for word in words_of(text)[:LONGEST])
            for key, text in zip(keys, prepare(frame).fill_null(""), strict=True)
        ]


def words_of(text: str | None) -> list[str]:
    """The words of a text in lower case, marks between and behind clauses, and ends of lines.

    English short forms are written out.
    """
    found = _WORD.findall((text or "").lower())
    return [each for word in found for each in _written_out(_LINE if word == "\n" else word)]


def _written_out(word: str) -> list[str]:
    if word in _WRITTEN_OUT:
        return _WRITTEN_OUT[word].split()
    for ending, meaning in _ENDINGS.items():
        if word.endswith(ending) and word != ending:
            return [word.removesuffix(ending), meaning]
    return [word]


def cut(texts: Iterable[str], words: int) -> list[str]:
    """The first words of texts that a reader gave."""
    return [" ".join(text.split(" ")[:words]) for text in texts]


def _requests(frame: pl.DataFrame) -> dict[tuple[str | None, str | None], str | None]:
    """The distinct requests of some responses, names masked, by request and name."""
    distinct = frame.select("prompt", "name").unique(maintain_order=True)
    masked = mask_names(distinct.select(tidy(distinct["prompt"]).alias("response"), "name"))
    return dict(zip(distinct.iter_rows(), masked, strict=True))
