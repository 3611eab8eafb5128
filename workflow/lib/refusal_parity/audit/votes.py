"""What annotators wrote, as it stands in their files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import polars as pl

from refusal_parity.cells import word_of
from refusal_parity.vocabulary import UNDECIDED


def unnamed(number: int) -> str:
    """What stands for the name of a task's n-th annotator without one: of no use across tasks."""
    return f"(unnamed {number})"


def is_named(annotator: pl.Expr) -> pl.Expr:
    """Whether a column of annotators names people."""
    return ~annotator.str.contains(r"^\(unnamed \d+\)$")


def given_apart(votes: pl.DataFrame) -> pl.DataFrame:
    """The labels that people gave without each other's: task, annotator and label.

    Who decides between people labels what they differ on, and may have seen their labels.
    Undecided is no label.

    Args:
        votes: rows of the Votes table.
    """
    plain = votes.select("task", "annotator", "adjudicated", pl.col("label").cast(pl.String))
    return plain.filter(~pl.col("adjudicated"), pl.col("label") != UNDECIDED).drop("adjudicated")


class Moment(NamedTuple):
    """When a vote was given, as far as its file says; later ones are greater.

    Attributes:
        seconds: since 1970, 0 where it is not known.
        number: of the annotation, which grows from one to the next.
        position: among the annotations of its task.
    """

    seconds: float
    number: int
    position: int


def moment(written: Any, number: Any, position: int = 0) -> Moment:
    """When a vote was given, from what Label Studio writes of an annotation.

    Args:
        written: date and time (ISO 8601), if known.
        number: of the annotation, if it has one.
        position: among the annotations of its task.
    """
    try:
        read = datetime.fromisoformat(written)
        seconds = (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        seconds = 0.0
    try:
        return Moment(seconds, int(number), position)
    except (TypeError, ValueError, OverflowError):
        return Moment(seconds, 0, position)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawVote:
    """What one annotator wrote in one row.

    Attributes:
        file: name of the file.
        row: line of the CSV, or number of the task in the export.
        task: key of the row.
        annotator: who labelled, null where the file does not say.
        label: what was written, if anything.
        adjudicated: whether it settles the row.
        response: the text that stood beside it.
        unguarded: the same without what keeps spreadsheets from running it.
        account: number of who labelled, where the file has a name beside it.
        called: first and last name of who labelled, where the file has them.
        annotation: key of the annotation, where annotations have keys.
        created: when the annotation was begun, in seconds, where the file says so.
        given: when; null in files that do not order the votes of one person.
        fault: what makes it unusable, whatever its label.
    """

    file: str
    row: int
    task: str | None
    annotator: str | None
    label: str | None
    adjudicated: bool
    response: str | None
    unguarded: str | None = None
    account: str | None = None
    called: str | None = None
    annotation: str | None = None
    created: float | None = None
    given: Moment | None = None
    fault: str | None = None

    @property
    def word(self) -> str:
        """What its number is: of a line, or of a row where a file has no lines."""
        return word_of(self.file)

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"{self.file}, {self.word} {self.row}"
