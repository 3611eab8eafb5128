"""Two one-sided tests of a difference against a margin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from refusal_parity.statistics.distributions import t_isf, t_sf

if TYPE_CHECKING:
    from refusal_parity.statistics.distributions import Numbers


class TwoOneSided(NamedTuple):
    """Outcome of two one-sided t tests, each of the shape of the differences.

    Attributes:
        statistic: the smaller of the two t statistics, which decides.
        p_value: the larger of the two p-values.
        low: lower end of the 1 - 2 alpha interval.
        high: its upper end.
    """

    statistic: Any
    p_value: Any
    low: Any
    high: Any


def two_one_sided(
    difference: Numbers, std_error: Numbers, df: Numbers, *, margin: float, alpha: float
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
    statistic = (margin - np.abs(difference)) / std_error
    half_width = t_isf(alpha, df) * std_error
    return TwoOneSided(
        statistic, t_sf(statistic, df), difference - half_width, difference + half_width
    )
