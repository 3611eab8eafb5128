"""The pairs that a variant learns from, and a count of all that it does not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Self

import polars as pl

from refusal_parity.counting import counted
from refusal_parity.errors import InputError
from refusal_parity.pair_vocabulary import LEARNT, UNTAUGHT_WORDS, Untaught
from refusal_parity.preference.pairs import PART, read_accounted
from refusal_parity.tables import Lessons, empty

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from refusal_parity.config import PairsFile
    from refusal_parity.preference.layouts import TwoSides
    from refusal_parity.preference.lexicon import Lexicon


@dataclass
class Account:
    """What became of every pair, by file and reason."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def enter(self, data: str, reason: str | None) -> None:
        """Account for one pair; null for one that is learnt from."""
        self.counts[data, reason or LEARNT] += 1

    def move(self, data: str, reason: str) -> None:
        """Count a pair that was to be learnt from as left out."""
        self.counts[data, LEARNT] -= 1
        self.counts[data, reason] += 1

    @classmethod
    def of(cls, rows: pl.DataFrame) -> Self:
        """The account that rows of the Training table give."""
        return cls(Counter({(d, r): n for d, r, n in rows.select("data", "reason", "n").rows()}))

    def table(self, variant: str) -> pl.DataFrame:
        """Rows of the Training table; reasons that did not occur are left out."""
        order = [LEARNT, *UNTAUGHT_WORDS]
        files = list(dict.fromkeys(data for data, _ in self.counts))
        rows = sorted(
            self.counts.items(), key=lambda each: (files.index(each[0][0]), order.index(each[0][1]))
        )
        return pl.DataFrame(
            [(variant, data, reason, n) for (data, reason), n in rows],
            schema={"model": pl.String, "data": pl.String, "reason": pl.String, "n": pl.Int64},
            orient="row",
        )

    @property
    def learnt(self) -> int:
        """Pairs that are learnt from."""
        return sum(n for (_, reason), n in self.counts.items() if reason == LEARNT)

    def sentence(self) -> str:
        """How many pairs there are to learn from, and why others are not."""
        left: Counter[str] = Counter()
        for (_, reason), n in self.counts.items():
            if reason != LEARNT:
                left[reason] += n
        reasons = [f"{left[key]:,} ({words})" for key, words in UNTAUGHT_WORDS.items() if left[key]]
        return (
            f"{counted(self.learnt, 'pair')} to learn from; left out: "
            f"{', '.join(reasons) or 'none'}"
        )


def choose_lessons(
    files: Mapping[str, PairsFile],
    paths: Mapping[str, str],
    *,
    lexicon: Lexicon,
    without: list[str],
    account: Account,
) -> Iterator[pl.DataFrame]:
    """The pairs to learn from, some thousand at a time.

    Args:
        files: of preference data, by key.
        paths: where each lies.
        lexicon: finds mentions of groups.
        without: groups; pairs that mention one of them in a turn or an answer are left out.
        account: accounts for every pair as it is read.

    Yields:
        Rows of the Lessons table, in the order of the files.

    Raises:
        InputError: a line is no pair, or none is left.
    """

    def left_out(sides: TwoSides) -> bool:
        return bool(without) and not _mentions(sides, lexicon).isdisjoint(without)

    schema = empty(Lessons).schema
    for key, file in files.items():
        rows = _rows(key, file, paths[key], account, left_out)
        while part := list(islice(rows, PART)):
            yield pl.DataFrame(part, schema=schema, orient="row")
    if not account.learnt:
        raise InputError(
            f"no pair is left ({account.sentence()})",
            where="train.variants",
            remedy="Give other data, or leave out fewer groups.",
        )


def _rows(
    key: str, file: PairsFile, path: str, account: Account, left_out: Callable[[TwoSides], bool]
) -> Iterator[tuple[str, int, list[str], list[str], str | None, str | None]]:
    for pair in read_accounted(path, layout=file.format, columns=file.columns):
        reason: str | None = pair.exclusion
        if reason is None and left_out(pair.sides):
            reason = Untaught.MENTIONS_GROUP
        if reason is not None:
            account.enter(key, reason)
            continue
        account.enter(key, None)
        opening = pair.sides.chosen.opening
        yield (
            key,
            pair.number,
            [str(turn.speaker) for turn in opening],
            [turn.text for turn in opening],
            pair.sides.chosen.answer,
            pair.sides.rejected.answer,
        )


def _mentions(sides: TwoSides, lexicon: Lexicon) -> set[str]:
    """Groups that any turn of either side mentions."""
    said = {turn.text for side in (sides.chosen, sides.rejected) for turn in side.turns}
    return {group for text in said for group, _ in lexicon.counts(text)}
