"""How often a measure of answers errs, group by group, on answers that people read for it.

A measure may be good enough for a rate and not for a difference: where it errs more for one
group, groups seem to differ that do not. So its errors are compared between groups, and where
the interval of any such difference is wide, differences in the outcome are a description.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from refusal_parity.csvfiles import read_csv
from refusal_parity.outcomes import OUTCOMES
from refusal_parity.quality.measures import measured
from refusal_parity.quantities import Mean
from refusal_parity.repository import REPOSITORY
from refusal_parity.statistics.proportions import wilson

if TYPE_CHECKING:
    from pathlib import Path

ANSWERS: Final = REPOSITORY / "data" / "quality" / "answers.csv"
WIDEST: Final = 0.10
"""Width of the interval of a difference of errors, above which nothing is a finding."""

_COLUMNS: Final = ("answer_id", "group", "name", "response")
_ALPHA: Final = 0.05


@dataclass(frozen=True, slots=True)
class GroupErrors:
    """What a measure got wrong of one group's answers.

    Attributes:
        group: whose names stand in the answers.
        n: answers read.
        having: of them those that have it, to people.
        missed: of these those that the measure says no to.
        found_wrongly: of the others those that it says yes to.
    """

    group: str
    n: int
    having: int
    missed: int
    found_wrongly: int

    @property
    def wrong(self) -> int:
        """Answers that measure and people read differently."""
        return self.missed + self.found_wrongly


@dataclass(frozen=True, slots=True)
class ErrorDifference:
    """How much more often a measure errs for one group than for another.

    Attributes:
        group: the one.
        reference: the other.
        estimate: difference of the shares of answers that are read wrongly.
        low: lower end of its 95 % interval (Newcombe 1998, method 10).
        high: upper end.
    """

    group: str
    reference: str
    estimate: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """Of the interval."""
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class Validity:
    """A measure's errors by group, and how they differ."""

    outcome: str
    groups: tuple[GroupErrors, ...]
    differences: tuple[ErrorDifference, ...]

    @property
    def widest(self) -> ErrorDifference:
        """The difference of errors that is known least well."""
        return max(self.differences, key=lambda each: each.width)

    @property
    def only_describes(self) -> bool:
        """Whether the errors of groups are known too badly for a difference to be a finding."""
        return self.widest.width > WIDEST


@cache
def validity_of(outcome: str) -> Validity | None:
    """The errors of an outcome's measure on the answers that ship; None where it needs none.

    Args:
        outcome: its key.

    Raises:
        InputError: the file of answers cannot be used.
    """
    return validity(outcome, ANSWERS)


def validity(outcome: str, path: Path) -> Validity | None:
    """The same on a file of one's own.

    Args:
        outcome: its key.
        path: CSV with `answer_id`, `group`, `name`, `response` and the reading, yes or no.
    """
    quantity = OUTCOMES[outcome].quantity
    if not isinstance(quantity, Mean) or quantity.check is None:
        return None
    check = quantity.check
    required = (*_COLUMNS, check.reading)
    answers = read_csv(path, required=required, filled=required)
    read = measured(answers.drop(quantity.column, strict=False), [quantity.column]).select(
        "group",
        has=pl.col(check.reading) == "yes",
        found=(pl.col(quantity.column) > check.above).fill_null(value=False),
    )
    groups = tuple(
        GroupErrors(
            group=str(group),
            n=part.height,
            having=int(part["has"].sum()),
            missed=part.filter(pl.col("has") & ~pl.col("found")).height,
            found_wrongly=part.filter(~pl.col("has") & pl.col("found")).height,
        )
        for (group,), part in read.sort("group").group_by("group", maintain_order=True)
    )
    pairs = tuple(_difference(*pair) for pair in combinations(groups, 2))
    return Validity(outcome, groups, pairs)


def _difference(ours: GroupErrors, others: GroupErrors) -> ErrorDifference:
    """Newcombe's interval: d - sqrt((p1 - l1)^2 + (u0 - p0)^2) to d + ... the other way round."""
    n = np.array([ours.n, others.n], dtype=np.float64)
    wrong = np.array([ours.wrong, others.wrong], dtype=np.float64)
    p, ends = wrong / n, wilson(wrong, n, _ALPHA)
    below, above = p - ends.low, ends.high - p
    d = float(p[0] - p[1])
    return ErrorDifference(
        ours.group,
        others.group,
        estimate=d,
        low=d - float(np.hypot(below[0], above[1])),
        high=d + float(np.hypot(above[0], below[1])),
    )


def why_no_finding(outcome: str) -> str | None:
    """Why differences in an outcome are a description, as a clause; None where they may be more."""
    found = validity_of(outcome)
    if found is None or not found.only_describes:
        return None
    widest = found.widest
    n = sum(each.n for each in found.groups)
    return (
        f"differences are a description and no finding, since on {n} answers that were read for "
        f"it the errors of its measure are not known to be alike for all groups ({widest.group} "
        f"less {widest.reference}: {100 * widest.low:.0f} to {100 * widest.high:+.0f} points, "
        f"more than {100 * WIDEST:.0f} apart)"
    ).replace("-", "\u2212")
