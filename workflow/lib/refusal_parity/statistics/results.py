"""What a method returns, and how it becomes rows of the disparity table."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from refusal_parity.statistics.false_alarms import (
    COVERAGE,
    FALSE_ALARMS,
    FALSE_ALARMS_TOGETHER,
    MISSES,
)
from refusal_parity.vocabulary import Estimand, Method, Scope, holds_level

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCOPES: Final = {
    Method.NEWCOMBE: Scope.THESE_RESPONSES,
    Method.KATZ: Scope.THESE_RESPONSES,
    Method.CHI_SQUARE: Scope.THESE_RESPONSES,
    Method.MANTEL_HAENSZEL: Scope.THESE_RESPONSES,
    Method.OLS_TWO_WAY: Scope.NEW_NAMES_AND_TEMPLATES,
    Method.EQUIVALENCE: Scope.NEW_NAMES_AND_TEMPLATES,
    Method.GLM_CLUSTER_NAME: Scope.NEW_NAMES,
    Method.GLM_CLUSTER_TEMPLATE: Scope.NEW_NAMES_AND_TEMPLATES,
    Method.GLM_CLUSTER_TWO_WAY: Scope.NEW_NAMES_AND_TEMPLATES,
    Method.OLS_CR2_NAME: Scope.NEW_NAMES,
    Method.GLM_CR2_NAME: Scope.NEW_NAMES,
    Method.OLS_CR2_TWO_WAY: Scope.NEW_NAMES_AND_TEMPLATES,
    Method.PERMUTATION_NAMES: Scope.NEW_NAMES,
    Method.PERMUTATION_NAMES_F: Scope.NEW_NAMES,
    Method.PERMUTATION_NAMES_EXACT: Scope.NEW_NAMES,
    Method.WELCH_NAMES: Scope.NEW_NAMES,
    Method.ANOVA_NAMES: Scope.NEW_NAMES,
    Method.BOOTSTRAP_NAMES: Scope.NEW_NAMES,
    Method.BOOTSTRAP_PIGEONHOLE: Scope.NEW_NAMES_AND_TEMPLATES,
    Method.DESIGN_BASED: Scope.NEW_NAMES_AND_TEMPLATES,
    Method.DESIGN_BASED_EQUIVALENCE: Scope.NEW_NAMES_AND_TEMPLATES,
}
"""To what each method generalises."""

_NAIVE: Final = "as if responses were independent: interval far too narrow; descriptive only"

CAVEATS: Final = {
    Method.NEWCOMBE: _NAIVE,
    Method.KATZ: _NAIVE,
    **{
        method: f"type I error rate {rate} on this design; descriptive only"
        for method, rate in FALSE_ALARMS.items()
    },
    Method.OLS_TWO_WAY: "errors too small with few names a group: contrasts reject "
    f"{FALSE_ALARMS[Method.OLS_TWO_WAY]}, the joint test up to "
    f"{FALSE_ALARMS_TOGETHER[Method.OLS_TWO_WAY].high} %, instead of 5 %; descriptive only, "
    "see ols_cr2_two_way",
    Method.GLM_CR2_NAME: "odds ratio within templates, without those where the outcome does not "
    "vary; descriptive only",
    Method.BOOTSTRAP_NAMES: "percentiles of few names: misses "
    f"{MISSES[Method.BOOTSTRAP_NAMES][8]} % with eight names a group and "
    f"{MISSES[Method.BOOTSTRAP_NAMES][4]} % with four, not 5 %; descriptive only",
    Method.BOOTSTRAP_PIGEONHOLE: "percentiles of few names: its 95 % interval covers "
    f"{COVERAGE[Method.BOOTSTRAP_PIGEONHOLE]} on this design; descriptive only",
}
"""Why a method that does not control the type I error only describes; see docs/method.md."""


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
        note: why a number is missing or not to be trusted.
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
    note: str | None = None

    def noting(self, *notes: str | None) -> Estimate:
        """The same numbers with more said about them."""
        return replace(self, note=join_notes(self.note, *notes))

    @property
    def pair(self) -> Pair | None:
        """The two levels, or None of a global test."""
        if self.group is None or self.reference is None:
            return None
        return Pair(self.group, self.reference)

    @property
    def numbers(self) -> dict[str, float | None]:
        """All numbers by column, as Python's own."""
        given = {column: getattr(self, column) for column in _NUMBERS}
        return {key: None if each is None else float(each) for key, each in given.items()}


_NUMBERS: Final = (
    "estimate",
    "std_error",
    "df",
    "df_denominator",
    "ci_low",
    "ci_high",
    "statistic",
    "p_value",
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


def none_estimable(
    method: Method, estimand: Estimand, levels: Sequence[str], reason: str
) -> list[Estimate]:
    """Every pair of the levels and the global test, without numbers for the same reason."""
    return [
        *(not_estimable(method, estimand, pair, reason) for pair in pairs_of(levels)),
        not_estimable(method, Estimand.GLOBAL, None, reason),
    ]


def with_lost_levels(
    rows: Sequence[Estimate], estimand: Estimand, levels: Sequence[str], lost: Mapping[str, str]
) -> list[Estimate]:
    """Rows of one method that could not use some levels, completed by those levels' pairs.

    A global test of fewer levels would answer another question: it is given up.

    Args:
        rows: what was computed without the lost levels, the global test among it.
        estimand: that of the pairs.
        levels: all levels.
        lost: those that could not be used, each with its reason.
    """
    if not lost:
        return list(rows)
    method = rows[0].method
    return [
        *(row for row in rows if row.group is not None),
        *lost_pairs(method, estimand, levels, lost),
        not_estimable(method, Estimand.GLOBAL, None, ", ".join(lost.values())),
    ]


def lost_pairs(
    method: Method, estimand: Estimand, levels: Sequence[str], lost: Mapping[str, str]
) -> list[Estimate]:
    """The pairs of levels that could not be used, each with its reason."""
    reasons = {
        pair: ", ".join(lost[level] for level in reversed(pair) if level in lost)
        for pair in pairs_of(levels)
    }
    return [not_estimable(method, estimand, *given) for given in reasons.items() if given[1]]


def without_pairs(rows: Sequence[Estimate], lost: Mapping[Pair, str]) -> list[Estimate]:
    """Rows of one method without the numbers of some pairs, and then of the global test.

    Args:
        rows: of all pairs, perhaps with a global test.
        lost: pairs that have no valid number, each with its reason.
    """
    every = ", ".join(dict.fromkeys(lost.values()))
    kept = []
    for row in rows:
        reason = every if row.pair is None else lost.get(row.pair)
        kept.append(not_estimable(row.method, row.estimand, row.pair, reason) if reason else row)
    return kept


def join_notes(*notes: str | None) -> str | None:
    """Several notes as one, each said once; None when there is nothing to say."""
    said = [note for note in dict.fromkeys(notes) if note]
    return "; ".join(said) or None


def to_row(estimate: Estimate) -> dict[str, Any]:
    """The method's columns of one row of the disparity table.

    No number is infinite without a note.

    Args:
        estimate: its numbers are not NaN (`failures.guarded`).
    """
    row: dict[str, Any] = {
        "method": estimate.method,
        "estimand": estimate.estimand,
        "scope": SCOPES[estimate.method],
        "group": estimate.group,
        "reference": estimate.reference,
        "valid": holds_level(estimate.method, estimate.estimand),
        **estimate.numbers,
    }
    unbounded = [column for column, number in estimate.numbers.items() if math.isinf(number or 0)]
    unsaid = unbounded if estimate.note is None else []
    without_bound = f"{', '.join(unsaid)} without bound" if unsaid else None
    row["note"] = join_notes(estimate.note, without_bound, CAVEATS.get(estimate.method))
    return row
