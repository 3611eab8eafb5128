"""The lexicon of groups: what counts as a mention of each, and what does not."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from refusal_parity.cells import ROW
from refusal_parity.csvfiles import read_csv
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS: Final = ("group", "category", "slur", "pattern")
OPTIONAL: Final = ("exclude", "source", "checked", "right")

_WORDS: Final = {"yes": True, "no": False}
# Rust's library, which looks through whole columns at once, knows no other.
_ONE_FOR_BOTH: Final = "Write a regular expression without (?=...), (?<...) and \\1."


class Entry(NamedTuple):
    """A row of the lexicon.

    Attributes:
        group: whom its words mean.
        category: what the groups are compared within: religion, gender.
        slur: whether the words insult.
        pattern: whole words, in any case.
        exclude: longer runs of words in which the words mean something else, or None.
        checked: mentions that people read, 0 where none were.
        right: of them those that do mean the group.
    """

    group: str
    category: str
    slur: bool
    pattern: str
    exclude: re.Pattern[str] | None
    checked: int
    right: int


class Mention(NamedTuple):
    """A place in a text where a group is mentioned."""

    entry: Entry
    start: int
    end: int


@dataclass(frozen=True)
class Lexicon:
    """Finds mentions of groups in texts.

    Attributes:
        entries: in the order of the file; where two fit at one place, the first does.
        any_mention: finds, for `polars`, all texts that may have a mention, and some others.
    """

    entries: tuple[Entry, ...]
    any_mention: str
    _union: re.Pattern[str]

    @property
    def groups(self) -> dict[str, str]:
        """The category of each group."""
        return {entry.group: entry.category for entry in self.entries}

    def find(self, text: str) -> list[Mention]:
        """The mentions in a text, in their order; none overlaps another."""
        found, at = [], 0
        while match := self._union.search(text, at):
            entry = self.entries[int((match.lastgroup or "e0")[1:])]
            if _is_excluded(entry, text, match):
                # Words within those that mean something else may mean a group.
                at = match.start() + 1
            else:
                found.append(Mention(entry, match.start(), match.end()))
                at = match.end()
        return found

    def counts(self, text: str) -> Counter[tuple[str, bool]]:
        """Mentions by group and whether they are slurs."""
        return Counter((mention.entry.group, mention.entry.slur) for mention in self.find(text))

    def masked(self, text: str, mask: str) -> str:
        """The text with another word in place of each mention."""
        parts, at = [], 0
        for mention in self.find(text):
            parts += [text[at : mention.start], mask]
            at = mention.end
        return "".join([*parts, text[at:]])


def read_lexicon(path: Path) -> Lexicon:
    """Read a lexicon.

    Args:
        path: CSV or workbook with the columns `group`, `category`, `slur` (yes, no) and
            `pattern`, and optionally `exclude`, `source`, `checked` and `right`.

    Raises:
        InputError: naming file and row.
    """
    frame = read_csv(path, required=COLUMNS, optional=OPTIONAL, filled=COLUMNS)
    entries = []
    categories: dict[str, str] = {}
    for row in frame.iter_rows(named=True):
        where = f"{path}, {row[ROW]}"
        entry = _entry(row, where)
        first = categories.setdefault(entry.group, entry.category)
        if entry.category != first:
            raise InputError(
                f"group {entry.group!r} is in the category {first!r} above",
                where=where,
                remedy="Give it one category.",
            )
        entries.append(entry)
    union = "|".join(f"(?P<e{at}>{entry.pattern})" for at, entry in enumerate(entries))
    words = "|".join(f"(?:{entry.pattern})" for entry in entries)
    return Lexicon(
        entries=tuple(entries),
        # Without Unicode's own boundaries Rust is fifty times faster, and finds what is more.
        any_mention=rf"(?i)(?-u:\b)(?:{words})(?-u:\b)" if words.isascii() else rf"(?i){words}",
        _union=re.compile(rf"\b(?:{union})\b", re.IGNORECASE),
    )


def _entry(row: dict[str, str | None], where: str) -> Entry:
    slur = _WORDS.get(str(row["slur"]).casefold())
    if slur is None:
        raise InputError(
            f"slur is {row['slur']!r}", where=where, remedy="Write yes or no into that column."
        )
    checked, right = (_count(row[column], column, where) for column in ("checked", "right"))
    if right > checked:
        raise InputError(
            f"{right} of {checked} mentions are right", where=where, remedy="Correct the counts."
        )
    exclude = row["exclude"]
    return Entry(
        group=str(row["group"]),
        category=str(row["category"]),
        slur=slur,
        pattern=_pattern(str(row["pattern"]), "pattern", where).pattern,
        exclude=None if exclude is None else _pattern(exclude, "exclude", where),
        checked=checked,
        right=right,
    )


def _pattern(text: str, column: str, where: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(text, re.IGNORECASE)
        pl.Series(["x"]).str.contains(text, strict=True)
    except (re.error, pl.exceptions.ComputeError) as error:
        said = str(error).splitlines()[0]
        raise InputError(
            f"{column} is no regular expression ({said})", where=where, remedy=_ONE_FOR_BOTH
        ) from error
    if pattern.groups or pattern.search(""):
        raise InputError(
            f"{column} has a group of its own or fits an empty text",
            where=where,
            remedy="Write (?:...) for parts that belong together, and words that must be there.",
        )
    return pattern


def _count(text: str | None, column: str, where: str) -> int:
    if text is None:
        return 0
    if not text.isdecimal():
        raise InputError(
            f"{column} is {text!r}", where=where, remedy="Write a whole number, or nothing."
        )
    return int(text)


_BEFORE: Final = 30
"""Characters before a mention at which a run of words that excludes it may begin."""


def _is_excluded(entry: Entry, text: str, match: re.Match[str]) -> bool:
    """Whether the words stand in a run that means something else."""
    if entry.exclude is None:
        return False
    return any(
        found.start() <= match.start() and found.end() >= match.end()
        for found in entry.exclude.finditer(text, max(0, match.start() - _BEFORE))
    )
