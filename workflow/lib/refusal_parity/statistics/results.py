"""What a method returns, and how it becomes rows of the disparity table."""

from __future__ import annotations

import math
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from refusal_parity.vocabulary import VALID_METHODS, Estimand, Method, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    Method.OLS_CR2_TWO_WAY: Scope.NEW_NAMES_AND_TEMPLATES,
    Method.PERMUTATION_NAMES: Scope.NEW_NAMES,
    Method.PERMUTATION_NAMES_F: Scope.NEW_NAMES,
    Method.PERMUTATION_NAMES_EXACT: Scope.NEW_NAMES,
    Method.WELCH_NAMES: Scope.NEW_NAMES,
    Method.ANOVA_NAMES: Scope.NEW_NAMES,
    Method.BOOTSTRAP_NAMES: Scope.NEW_NAMES,
    Method.BOOTSTRAP_PIGEONHOLE: Scope.NEW_NAMES_AND_TEMPLATES,
}
"""To what each method speaks."""

CAVEATS: Final = {
    Method.NEWCOMBE: "as if responses were independent: interval far too narrow; descriptive only",
    Method.KATZ: "as if responses were independent: interval far too narrow; descriptive only",
    Method.CHI_SQUARE: "false positive rate 67-86 % on this design; descriptive only",
    Method.MANTEL_HAENSZEL: "false positive rate 52-95 % on this design; descriptive only",
    Method.OLS_TWO_WAY: "errors too small with few names a group: contrasts reject 7-10 %, the "
    "joint test up to 16 %, instead of 5 %; descriptive only, see ols_cr2_two_way",
    Method.GLM_CLUSTER_NAME: "false positive rate 18-26 % on this design; descriptive only",
    Method.GLM_CLUSTER_TEMPLATE: "false positive rate 72-97 % on this design; descriptive only",
    Method.GLM_CLUSTER_TWO_WAY: "false positive rate 16-20 % on this design; descriptive only",
    Method.BOOTSTRAP_NAMES: "percentiles of few names: misses 9 % with eight names a group and "
    "14 % with four, not 5 %; descriptive only",
    Method.BOOTSTRAP_PIGEONHOLE: "percentiles of few names: its 95 % interval covers 90-94 % on "
    "this design; descriptive only",
}
"""Why a method that does not hold its level only describes; see docs/method.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One number of one method: a contrast with the reference, or a global test.

    Attributes:
        method: how it was computed.
        estimand: what is estimated or tested.
        group: level compared with the reference; None in a global test.
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
_MAY_BE_INFINITE: Final = frozenset({"estimate", "ci_low", "ci_high", "statistic"})


def not_estimable(method: Method, estimand: Estimand, group: str | None, reason: str) -> Estimate:
    """An estimate without numbers that says why."""
    return Estimate(method=method, estimand=estimand, group=group, note=f"not estimable: {reason}")


def join_notes(*notes: str | None) -> str | None:
    """Several notes as one, each said once; None when there is nothing to say."""
    said = [note for note in dict.fromkeys(notes) if note]
    return "; ".join(said) or None


def to_row(estimate: Estimate) -> dict[str, Any]:
    """The method's columns of one row of the disparity table.

    No number leaves here as NaN, and none as infinity without a note.
    """
    row: dict[str, Any] = {
        "method": estimate.method,
        "estimand": estimate.estimand,
        "scope": SCOPES[estimate.method],
        "group": estimate.group,
        "valid": estimate.method in VALID_METHODS,
    }
    broken = []
    for column in _NUMBERS:
        number = getattr(estimate, column)
        if number is not None:
            number = float(number)
            if math.isnan(number) or (math.isinf(number) and column not in _MAY_BE_INFINITE):
                broken.append(column)
                number = None
            elif math.isinf(number) and estimate.note is None:
                broken.append(column)
        row[column] = number
    undefined = f"{', '.join(broken)} not a finite number" if broken else None
    row["note"] = join_notes(estimate.note, undefined, CAVEATS.get(estimate.method))
    return row


@contextmanager
def heard_warnings() -> Iterator[list[str]]:
    """Collect the texts of all warnings in the block, so that a note can carry them."""
    texts: list[str] = []
    with (
        np.errstate(divide="warn", invalid="warn", over="warn"),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        try:
            yield texts
        finally:
            texts.extend(
                dict.fromkeys(f"{each.category.__name__}: {each.message}" for each in caught)
            )
