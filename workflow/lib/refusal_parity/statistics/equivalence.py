"""Whether a difference is shown to be small: two one-sided tests against a margin."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from refusal_parity.statistics.distributions import t_isf, t_sf
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from collections.abc import Iterable

    from refusal_parity.statistics.results import Estimate

_METHOD = Method.EQUIVALENCE


class TwoOneSided(NamedTuple):
    """Outcome of two one-sided t tests.

    Attributes:
        statistic: the smaller of the two t statistics, which decides.
        p_value: the larger of the two p-values.
        low: lower end of the 1 - 2 alpha interval.
        high: its upper end.
    """

    statistic: float
    p_value: float
    low: float
    high: float


def two_one_sided(
    difference: float, std_error: float, df: float, *, margin: float, alpha: float
) -> TwoOneSided:
    """Test that a difference lies outside -margin to margin (TOST).

    t = min((b + m) / se, (m - b) / se) and p = P(T > t) with df degrees of
    freedom, the larger of the two one-sided p-values. p < alpha exactly where
    the 1 - 2 alpha interval b -+ t(1 - alpha; df) se lies within the margin
    (Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics
    15:657-680). It controls the type I error where the t test
    behind it does.

    Args:
        difference: estimate b.
        std_error: its standard error, above 0.
        df: degrees of freedom of t.
        margin: m, the largest difference that counts as none, above 0.
        alpha: level of each of the two tests.
    """
    statistic = (margin - abs(difference)) / std_error
    half_width = float(t_isf(alpha, df)) * std_error
    return TwoOneSided(
        statistic, float(t_sf(statistic, df)), difference - half_width, difference + half_width
    )


def equivalence(rows: Iterable[Estimate], *, margin: float, alpha: float) -> list[Estimate]:
    """The test for each risk difference of `ols_cr2_two_way`, with its error and df.

    Args:
        rows: what `cr2_two_way.ols_cr2_two_way` returned; a difference without a
            standard error is passed on with its reason.
        margin: risk difference below which groups count as alike.
        alpha: level of the test.
    """
    return [
        _of_difference(row, margin, alpha)
        for row in rows
        if row.estimand is Estimand.RISK_DIFFERENCE
    ]


def _of_difference(row: Estimate, margin: float, alpha: float) -> Estimate:
    if row.estimate is None or row.std_error is None or row.df is None:
        return replace(row, method=_METHOD)
    found = two_one_sided(row.estimate, row.std_error, row.df, margin=margin, alpha=alpha)
    return replace(
        row,
        method=_METHOD,
        ci_low=found.low,
        ci_high=found.high,
        statistic=found.statistic,
        p_value=found.p_value,
    )
