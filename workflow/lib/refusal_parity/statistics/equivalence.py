"""Whether a difference is shown to be small: one-sided tests against a margin on either side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from refusal_parity.statistics.distributions import t_isf, t_sf

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.distributions import Numbers
    from refusal_parity.statistics.proportions import TwoRates


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
    """Test that a difference of means lies outside -margin to margin (TOST).

    t = min((b + m) / se, (m - b) / se) and p = P(T > t) with df degrees of
    freedom, the larger of the two one-sided p-values. p < alpha exactly where
    the 1 - 2 alpha interval b -+ t(1 - alpha; df) se lies within the margin
    (Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics
    15:657-680). It controls the type I error where the t test
    behind it does: not of rates near 0 or 1, whose standard errors are small
    where they are estimated to be small.

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


def rates_within(rates: TwoRates, df: FloatArray, *, margin: float, alpha: float) -> TwoOneSided:
    """Test that a difference of rates lies outside -margin to margin.

    The statistic is the quantile z at which a limit of the difference just reaches the
    margin, below 0 where the difference lies beyond it, and p = P(T > z) with df degrees
    of freedom. p < alpha exactly where the 1 - 2 alpha interval, with z = t(1 - alpha; df),
    lies within the margin. Wilson's limits take the variance from the rate that is tested,
    and so hold near 0 and 1.

    Args:
        rates: both rates, and how surely they are known.
        df: degrees of freedom of the difference's variance.
        margin: the largest difference that counts as none, above 0.
        alpha: level of each of the two tests.
    """
    sign = np.array([-1.0, 1.0]).reshape(2, *(1 for _ in rates.difference.shape))
    inside = np.sign(margin - sign * rates.difference)
    statistic = (inside * rates.distance(sign * margin)).min(axis=0)
    low, high = rates.limits(np.asarray(t_isf(alpha, df)))
    return TwoOneSided(statistic, t_sf(statistic, df), low, high)
