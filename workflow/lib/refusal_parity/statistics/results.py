"""One number of one method, and how it becomes a row of the disparity table."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from refusal_parity.vocabulary import Estimand

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from refusal_parity.statistics.registry import Method


OF_UNITS: Final = (
    "variance_group",
    "variance_reference",
    "df_group",
    "df_reference",
    "least_group",
    "least_reference",
    "correlation",
)
"""Numbers from which an interval with errors by unit can be had at any level."""


class Pair(NamedTuple):
    """A level and the one it is compared with."""

    group: str
    reference: str


def pairs_of(levels: Sequence[str]) -> list[Pair]:
    """All pairs of levels: first those with the first level, then each with one before it."""
    return [
        Pair(group, reference) for at, reference in enumerate(levels) for group in levels[at + 1 :]
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One number of one method: a contrast of two levels, or a global test.

    Attributes:
        method: how it was computed.
        estimand: what is estimated or tested.
        group: level compared; None in a global test.
        reference: level that it is compared with; None in a global test.
        estimate: value of the estimand.
        std_error: on the scale of the interval's formula (log for ratios).
        df: degrees of freedom; of the numerator in an F test.
        df_denominator: of the denominator in an F test.
        ci_low: lower end of the interval.
        ci_high: upper end of the interval.
        statistic: test statistic.
        p_value: of this test alone.
        p_family: of this test as one of its family, where the method itself allows for the rest.
        family_low: lower end of the interval that agrees with it.
        family_high: its upper end.
        effective_group: independent responses that would say as much of the group.
        effective_reference: the same of the reference.
        variance_group: of the group's rate, by unit; this and those below in methods whose
            interval takes them (`rate_intervals.UnitRate`).
        variance_reference: the same of the reference.
        df_group: degrees of freedom of this variance.
        df_reference: the same of the reference.
        least_group: units of the group, by Kish.
        least_reference: the same of the reference.
        correlation: of the errors of both rates.
        family_null: the largest distances of its family in studies without a difference, the
            largest first, down to that which p < alpha takes (`calibration.Null.tail`).
        note: why a number is missing or not to be trusted.
        few: of what it has too few to be a finding, whatever its method.
    """

    method: Method
    estimand: Estimand
    group: str | None = None
    reference: str | None = None
    estimate: float | None = None
    std_error: float | None = None
    df: float | None = None
    df_denominator: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    statistic: float | None = None
    p_value: float | None = None
    p_family: float | None = None
    family_low: float | None = None
    family_high: float | None = None
    effective_group: float | None = None
    effective_reference: float | None = None
    variance_group: float | None = None
    variance_reference: float | None = None
    df_group: float | None = None
    df_reference: float | None = None
    least_group: float | None = None
    least_reference: float | None = None
    correlation: float | None = None
    family_null: list[float] | None = None
    note: str | None = None
    few: str | None = None

    def noting(self, *notes: str | None) -> Estimate:
        """The same numbers with more said about them."""
        return replace(self, note=join_notes(self.note, *notes))

    @property
    def is_missing(self) -> bool:
        """Whether it has no number at all."""
        return all(each is None for each in self.numbers.values())

    @property
    def pair(self) -> Pair | None:
        """The two levels, or None of a global test."""
        if self.group is None or self.reference is None:
            return None
        return Pair(self.group, self.reference)

    @property
    def numbers(self) -> dict[str, float | None]:
        """All numbers by column, as Python's own."""
        given = {column: getattr(self, column) for column in NUMBERS}
        return {key: None if each is None else float(each) for key, each in given.items()}


NUMBERS: Final = (
    "estimate",
    "std_error",
    "df",
    "df_denominator",
    "ci_low",
    "ci_high",
    "statistic",
    "p_value",
    "p_family",
    "family_low",
    "family_high",
    "effective_group",
    "effective_reference",
    *OF_UNITS,
)
MAY_BE_INFINITE: Final = frozenset({"estimate", "ci_low", "ci_high", "statistic"})
"""Numbers that may be without bound, such as a ratio to a rate of 0."""


NOT_ESTIMABLE: Final = "not estimable: "
"""How the note of a missing number starts; the reason follows."""


def not_estimable(method: Method, estimand: Estimand, pair: Pair | None, reason: str) -> Estimate:
    """An estimate without numbers that says why; without a pair, of a global test."""
    group, reference = pair or (None, None)
    return Estimate(
        method=method,
        estimand=estimand,
        group=group,
        reference=reference,
        note=f"{NOT_ESTIMABLE}{reason}",
    )


def join_notes(*notes: str | None) -> str | None:
    """Several notes as one, each clause said once; None when there is nothing to say."""
    clauses = (clause for note in notes if note for clause in note.split("; "))
    return "; ".join(dict.fromkeys(clauses)) or None


def ends_within(numbers: Mapping[str, float | None], farthest: float) -> dict[str, float | None]:
    """The ends of an interval, no farther from 0 than what is estimated can be.

    Args:
        numbers: with `ci_low` and `ci_high`, null where there is no interval.
        farthest: 1 of two rates, 2 of two differences of rates.
    """
    ends = {end: numbers[end] for end in ("ci_low", "ci_high")}
    return {
        end: None if value is None else min(max(value, -farthest), farthest)
        for end, value in ends.items()
    }


def to_row(estimate: Estimate) -> dict[str, Any]:
    """The method's columns of one row of the disparity table.

    No number is infinite without a note, and no interval of a difference of rates goes
    beyond what these can differ by.

    Args:
        estimate: its numbers are not NaN (`failures.guarded`).
    """
    numbers = estimate.numbers
    if estimate.estimand is Estimand.RISK_DIFFERENCE:
        numbers |= ends_within(numbers, 1.0)
    row: dict[str, Any] = {
        "method": str(estimate.method),
        "estimand": estimate.estimand,
        "scope": estimate.method.scope,
        "group": estimate.group,
        "reference": estimate.reference,
        "valid": estimate.method.controls(estimate.estimand) and estimate.few is None,
        **numbers,
        "family_null": estimate.family_null,
    }
    unbounded = [column for column, number in numbers.items() if math.isinf(number or 0)]
    unsaid = unbounded if estimate.note is None else []
    without_bound = f"{', '.join(unsaid)} without bound" if unsaid else None
    row["note"] = join_notes(
        estimate.note, without_bound, estimate.few, estimate.method.caveat(estimate.estimand)
    )
    return row
