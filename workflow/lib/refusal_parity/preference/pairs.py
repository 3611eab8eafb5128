"""Pairs of answers to one conversation, each accounted for."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from refusal_parity.counting import counted
from refusal_parity.errors import InputError
from refusal_parity.pair_vocabulary import CASE_WORDS, INCOMPARABLE, PairAccount, PairCase, Speaker
from refusal_parity.preference.layouts import read_sides
from refusal_parity.preference.lines import read_lines, word_of
from refusal_parity.tables import Pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.config import PairColumns
    from refusal_parity.preference.layouts import TwoSides

PART: Final = 2_000
"""Pairs in memory at a time."""


@dataclass
class Ledger:
    """What became of every pair that was read.

    Attributes:
        left_out: pairs by the one reason for which they count nowhere.
        remarks: pairs by what else is odd; one may have several.
        analysed: the others, with or without remarks.
    """

    left_out: Counter[PairCase] = field(default_factory=Counter)
    remarks: Counter[PairCase] = field(default_factory=Counter)
    analysed: int = 0

    @property
    def read(self) -> int:
        """All pairs of the file."""
        return self.analysed + self.left_out.total()

    def enter(self, exclusion: PairCase | None, cases: list[PairCase]) -> None:
        """Account for one pair."""
        if exclusion is None:
            self.analysed += 1
        else:
            self.left_out[exclusion] += 1
        self.remarks.update(case for case in cases if case not in INCOMPARABLE)

    def sentence(self) -> str:
        """How many pairs there are, and why some count nowhere."""
        reasons = [
            f"{self.left_out[case]:,} ({CASE_WORDS[case]})"
            for case in INCOMPARABLE
            if self.left_out[case]
        ]
        return f"{counted(self.read, 'pair')}; left out: {', '.join(reasons) or 'none'}"

    def table(self) -> pl.DataFrame:
        """Rows of the PairLedger table; cases that did not occur stand there with 0."""
        counts: list[tuple[PairCase | None, PairAccount, int]] = [
            (None, PairAccount.ANALYSED, self.analysed)
        ]
        counts += [(case, PairAccount.LEFT_OUT, self.left_out[case]) for case in INCOMPARABLE]
        counts += [
            (case, PairAccount.REMARK, self.remarks[case])
            for case in PairCase
            if case not in INCOMPARABLE
        ]
        return pl.DataFrame(
            counts,
            schema={"case": pl.String, "account": pl.String, "n": pl.Int64},
            orient="row",
        )


class _Seen:
    """Remembers pairs by a hash of 8 bytes: of 170,000 pairs, two meet once in a billion files."""

    def __init__(self) -> None:
        self._found: set[int] = set()

    def cases(self, sides: TwoSides) -> Iterator[PairCase]:
        """Whether this pair was there before, as it is or the other way round."""
        chosen, rejected = (_digest(side.turns) for side in (sides.chosen, sides.rejected))
        this, reverse = (hash((chosen, rejected)), hash((rejected, chosen)))
        if this in self._found:
            yield PairCase.REPEATED_PAIR
        if reverse in self._found and this != reverse:
            yield PairCase.REVERSED_PAIR
        self._found.add(this)


def read_pairs(
    path: Path, *, layout: str, columns: PairColumns, ledger: Ledger
) -> Iterator[pl.DataFrame]:
    """The pairs of a file, some thousand at a time.

    Args:
        path: JSON lines.
        layout: `preference.format`.
        columns: which column holds what.
        ledger: accounts for every pair as it is read.

    Yields:
        Rows of the Pairs table in the file's order.

    Raises:
        InputError: naming file and line.
    """
    pairs = read_accounted(path, layout=layout, columns=columns)
    while part := list(islice(pairs, PART)):
        for pair in part:
            ledger.enter(pair.exclusion, pair.cases)
        yield pl.DataFrame(list(map(_row, part)), schema=_SCHEMA)


class AccountedPair(NamedTuple):
    """A pair as it stands in the file.

    Attributes:
        number: its line, or its row in Parquet.
        sides: both conversations.
        exclusion: why it cannot be compared.
        cases: all that is odd about it, in the order of `PairCase`.
    """

    number: int
    sides: TwoSides
    exclusion: PairCase | None
    cases: list[PairCase]


def read_accounted(
    path: str | Path, *, layout: str, columns: PairColumns
) -> Iterator[AccountedPair]:
    """The pairs of a file one by one, those that cannot be compared too.

    Args:
        path: JSON lines.
        layout: `preference.format`.
        columns: which column holds what.

    Raises:
        InputError: naming file and place, or that there is no pair.
    """
    seen, number, word = _Seen(), 0, ""
    for number, found in read_lines(Path(path)):
        word = word or word_of(Path(path))
        sides = read_sides(found, layout, columns, where=f"{path}, {word} {number}")
        odd = {*_compared(sides), *seen.cases(sides), *sides.chosen.cases, *sides.rejected.cases}
        cases = [case for case in PairCase if case in odd]
        exclusion = next((case for case in INCOMPARABLE if case in odd), None)
        yield AccountedPair(number, sides, exclusion, cases)
    if number == 0:
        raise InputError("no pairs", where=str(path), remedy="Add at least one pair.")


_SCHEMA: Final = {name: column.dtype for name, column in Pairs.columns().items()}


_SPEAKERS: Final = {
    Speaker.SYSTEM: "System prompt",
    Speaker.HUMAN: "Human",
    Speaker.ASSISTANT: "Assistant",
}


def _row(pair: AccountedPair) -> dict[str, Any]:
    opening = pair.sides.chosen.opening
    spoken = (f"{_SPEAKERS[turn.speaker]}: {turn.text}" for turn in opening)
    return {
        "pair": pair.number,
        "exclusion": pair.exclusion,
        "cases": ", ".join(pair.cases) or None,
        "turns": len(opening),
        "opening": "\n\n".join(spoken),
        "requests": [turn.text for turn in opening if turn.speaker is Speaker.HUMAN],
        "earlier_answers": [turn.text for turn in opening if turn.speaker is Speaker.ASSISTANT],
        "chosen": pair.sides.chosen.answer,
        "rejected": pair.sides.rejected.answer,
    }


def _compared(sides: TwoSides) -> Iterator[PairCase]:
    """Why two sides cannot be compared."""
    chosen, rejected = sides.chosen, sides.rejected
    if not any(turn.speaker is Speaker.HUMAN and turn.text for turn in chosen.opening):
        yield PairCase.NO_REQUEST
    if chosen.answer is None:
        yield PairCase.CHOSEN_WITHOUT_ANSWER
    if rejected.answer is None:
        yield PairCase.REJECTED_WITHOUT_ANSWER
    if chosen.opening != rejected.opening:
        yield PairCase.UNEQUAL_OPENINGS
    if sides.tie:
        yield PairCase.TIE
    if chosen.answer is not None and chosen.answer == rejected.answer:
        yield PairCase.EQUAL_ANSWERS


def _digest(turns: tuple[tuple[Speaker, str], ...]) -> int:
    digest = hashlib.blake2b(digest_size=8)
    for speaker, text in turns:
        digest.update(f"{speaker}\0{text}\0".encode())
    return int.from_bytes(digest.digest())
