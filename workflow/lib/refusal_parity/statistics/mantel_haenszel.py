"""Comparisons within templates, as if responses to one template were independent."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.distributions import chi2_sf, norm_isf
from refusal_parity.statistics.results import Estimate, Pair, not_estimable
from refusal_parity.statistics.roots import root_of_difference
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from refusal_parity.statistics.design import Design, FloatArray


class ScoreTest(NamedTuple):
    """Chi-square statistic, its degrees of freedom and p-value."""

    statistic: float
    df: int
    p_value: float


class PooledOddsRatio(NamedTuple):
    """Common odds ratio and the standard error of its logarithm."""

    odds_ratio: float
    log_std_error: float


def mantel_haenszel(design: Design, alpha: float) -> list[Estimate]:
    """Odds ratio of each pair of levels within templates, and the global test.

    Each contrast carries the pooled odds ratio with its interval and the
    Cochran-Mantel-Haenszel chi-square without continuity correction; the
    global test is the generalised one for all levels.
    """
    n, k = design.by_template()
    rows = [
        _contrast(k[:, [base, at]], n[:, [base, at]], pair, alpha)
        for pair, at, base in design.pairs
    ]
    test = generalised_cmh(k, n)
    if test is None:
        reason = "no template with the outcome varying between levels"
        return [*rows, not_estimable(Method.MANTEL_HAENSZEL, Estimand.GLOBAL, None, reason)]
    return [
        *rows,
        Estimate(method=Method.MANTEL_HAENSZEL, estimand=Estimand.GLOBAL, **test._asdict()),
    ]


def _contrast(k: FloatArray, n: FloatArray, pair: Pair, alpha: float) -> Estimate:
    """One contrast; k and n of shape (templates, 2), the reference first."""
    test = generalised_cmh(k, n)
    if test is None:
        return not_estimable(
            Method.MANTEL_HAENSZEL,
            Estimand.ODDS_RATIO,
            pair,
            "no template with both groups and the outcome varying",
        )
    pooled = pooled_odds_ratio(k, n)
    bounded = np.isfinite(pooled.log_std_error)
    half_width = norm_isf(alpha / 2) * pooled.log_std_error if bounded else np.nan
    return Estimate(
        method=Method.MANTEL_HAENSZEL,
        estimand=Estimand.ODDS_RATIO,
        group=pair.group,
        reference=pair.reference,
        estimate=pooled.odds_ratio,
        std_error=pooled.log_std_error if bounded else None,
        ci_low=pooled.odds_ratio * np.exp(-half_width) if bounded else None,
        ci_high=pooled.odds_ratio * np.exp(half_width) if bounded else None,
        note=None if bounded else "within every template the odds ratio is 0 or without bound",
        **test._asdict(),
    )


def pooled_odds_ratio(k: FloatArray, n: FloatArray) -> PooledOddsRatio:
    """Mantel and Haenszel's odds ratio with Robins, Breslow and Greenland's variance.

    For the table (a, b; c, d) of each stratum of size N, the group's row
    first: R = ad/N, S = bc/N, P = (a + d)/N, Q = (b + c)/N; the odds ratio is
    sum R / sum S, and the variance of its logarithm
    sum PR / (2 (sum R)^2) + sum (PS + QR) / (2 sum R sum S) + sum QS / (2 (sum S)^2)
    (Mantel and Haenszel 1959, JNCI 22:719-748; Robins et al. 1986, Biometrics
    42:311-323).

    Args:
        k: responses with the outcome, shape (strata, 2), the reference first.
        n: responses, same shape.

    Returns:
        A standard error of infinity where the odds ratio is 0 or infinite,
        NaN for both where no stratum has anything to say.
    """
    used = (n > 0).all(axis=1)
    c, a = k[used].T
    d, b = (n[used] - k[used]).T
    total = n[used].sum(axis=1)
    r, s = a * d / total, b * c / total
    p, q = (a + d) / total, (b + c) / total
    sum_r, sum_s = r.sum(), s.sum()
    if sum_r == 0 or sum_s == 0:
        if sum_r == sum_s:
            return PooledOddsRatio(np.nan, np.nan)
        return PooledOddsRatio(0.0 if sum_r == 0 else np.inf, np.inf)
    variance = (
        (p * r).sum() / (2 * sum_r**2)
        + (p * s + q * r).sum() / (2 * sum_r * sum_s)
        + (q * s).sum() / (2 * sum_s**2)
    )
    return PooledOddsRatio(float(sum_r / sum_s), float(np.sqrt(variance)))


def generalised_cmh(k: FloatArray, n: FloatArray) -> ScoreTest | None:
    """Cochran-Mantel-Haenszel test of g groups by 2 outcomes, stratified.

    With m events among N responses of a stratum, the counts of all groups but
    one less their expectation n m / N are summed over strata to U, and their
    hypergeometric covariances m (N - m) / (N^2 (N - 1)) (N diag(n) - n n') to
    V; U' V^-1 U has g - 1 degrees of freedom (Landis et al. 1978,
    International Statistical Review 46:237-254). No continuity correction;
    for g = 2 it is the common test.

    Args:
        k: responses with the outcome, shape (strata, groups).
        n: responses, same shape.

    Returns:
        None where V has no inverse: no stratum tells the groups apart.
    """
    groups = n.shape[1]
    total, events = n.sum(axis=1), k.sum(axis=1)
    used = (total > 1) & (events > 0) & (events < total)
    n, k, total, events = n[used], k[used], total[used], events[used]
    less = n[:, 1:]
    excess = (k[:, 1:] - less * (events / total)[:, None]).sum(axis=0)
    factor = events * (total - events) / (total**2 * (total - 1))
    covariance = np.diag((factor * total) @ less) - (less * factor[:, None]).T @ less
    if groups < 2 or np.isnan(root_of_difference(covariance)).any():  # noqa: PLR2004 - one group has nothing to be compared with
        return None
    statistic = float(excess @ np.linalg.solve(covariance, excess))
    return ScoreTest(statistic, groups - 1, float(chi2_sf(statistic, groups - 1)))
