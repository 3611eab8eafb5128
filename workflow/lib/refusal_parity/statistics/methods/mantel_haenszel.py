"""Comparisons within templates, as if responses to one template were independent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from refusal_parity.dimensions import WITHIN_TEXTS
from refusal_parity.statistics.answers import Answers, Remark
from refusal_parity.statistics.distributions import chi2_sf, norm_isf
from refusal_parity.statistics.false_alarms import Percent
from refusal_parity.statistics.registry import Describes, Method, Needs
from refusal_parity.statistics.variances.roots import root_of_difference
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.registry import Setting


class ScoreTest(NamedTuple):
    """Chi-square statistics, NaN where there is none, their degrees of freedom and p-values."""

    statistic: FloatArray
    df: FloatArray
    p_value: FloatArray


class PooledOddsRatio(NamedTuple):
    """Common odds ratios and the standard errors of their logarithms."""

    odds_ratio: FloatArray
    log_std_error: FloatArray


def mantel_haenszel(studies: Studies, setting: Setting) -> list[Answers]:
    """Odds ratio of each pair of levels within templates, and the global test.

    Each contrast carries the pooled odds ratio with its interval and the
    Cochran-Mantel-Haenszel chi-square without continuity correction; the
    global test is the generalised one for all levels.
    """
    k, n = studies.level_k, studies.level_n
    group, reference = studies.codes
    pairs = np.stack([reference, group], axis=1)
    # A pair at a time: templates by studies are enough for the processor's cache.
    tests = [generalised_cmh(k[:, pair], n[pair]) for pair in pairs]
    pooled = [pooled_odds_ratio(k[:, pair], n[pair]) for pair in pairs]
    statistic, p_value, ratio, std_error = (
        np.stack([getattr(each, column) for each in found], axis=1)
        for found, column in (
            (tests, "statistic"),
            (tests, "p_value"),
            (pooled, "odds_ratio"),
            (pooled, "log_std_error"),
        )
    )
    with np.errstate(invalid="ignore", over="ignore"):
        half_width = norm_isf(setting.alpha / 2) * std_error
        low, high = ratio * np.exp(-half_width), ratio * np.exp(half_width)
    every = generalised_cmh(k, n)
    return [
        Answers(
            method=MANTEL_HAENSZEL,
            estimand=Estimand.ODDS_RATIO,
            studies=len(studies),
            pairs=studies.pairs,
            estimate=ratio,
            std_error=std_error,
            df=np.array(1.0),
            ci_low=low,
            ci_high=high,
            statistic=statistic,
            p_value=p_value,
            remarks=(
                Remark.missing(
                    "no template with both groups and the outcome varying", np.isnan(statistic)
                ),
                Remark(
                    "within every template the odds ratio is 0 or without bound",
                    ~np.isfinite(std_error) & ~np.isnan(statistic),
                    ("std_error", "ci_low", "ci_high"),
                ),
            ),
        ),
        Answers(
            method=MANTEL_HAENSZEL,
            estimand=Estimand.GLOBAL,
            studies=len(studies),
            statistic=every.statistic[:, None],
            df=every.df,
            p_value=every.p_value[:, None],
            remarks=(
                Remark.missing(
                    "no template with the outcome varying between levels",
                    np.isnan(every.statistic)[:, None],
                ),
            ),
        ),
    ]


def pooled_odds_ratio(k: FloatArray, n: FloatArray) -> PooledOddsRatio:
    """Mantel and Haenszel's odds ratio with Robins, Breslow and Greenland's variance.

    For the table (a, b; c, d) of each stratum of size N, the group's row
    first: R = ad/N, S = bc/N, P = (a + d)/N, Q = (b + c)/N; the odds ratio is
    sum R / sum S, and the variance of its logarithm
    sum PR / (2 (sum R)^2) + sum (PS + QR) / (2 sum R sum S) + sum QS / (2 (sum S)^2)
    (Mantel and Haenszel 1959, JNCI 22:719-748; Robins et al. 1986, Biometrics
    42:311-323).

    Args:
        k: responses with the outcome, shape (studies, 2, strata), the reference first.
        n: responses, shape (2, strata).

    Returns:
        Arrays of shape (studies,). A standard error of infinity where the odds ratio
        is 0 or infinite, NaN for both where no stratum has anything to say.
    """
    used = (n > 0).all(axis=0)
    c, a = k[:, 0, used], k[:, 1, used]
    d, b = n[0, used] - c, n[1, used] - a
    total = n[:, used].sum(axis=0)
    r, s = a * d / total, b * c / total
    p, q = (a + d) / total, (b + c) / total
    sum_r, sum_s = r.sum(axis=1), s.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (
            (p * r).sum(axis=1) / (2 * sum_r**2)
            + (p * s + q * r).sum(axis=1) / (2 * sum_r * sum_s)
            + (q * s).sum(axis=1) / (2 * sum_s**2)
        )
        ratio = sum_r / sum_s
    unbounded = (sum_r == 0) | (sum_s == 0)
    nothing = (sum_r == 0) & (sum_s == 0)
    std_error = np.where(unbounded, np.inf, np.sqrt(np.where(unbounded, 0, variance)))
    return PooledOddsRatio(np.where(nothing, np.nan, ratio), np.where(nothing, np.nan, std_error))


def generalised_cmh(k: FloatArray, n: FloatArray) -> ScoreTest:
    """Cochran-Mantel-Haenszel test of g groups by 2 outcomes, stratified.

    With m events among N responses of a stratum, the counts of all groups but
    one less their expectation n m / N are summed over strata to U, and their
    hypergeometric covariances m (N - m) / (N^2 (N - 1)) (N diag(n) - n n') to
    V; U' V^-1 U has g - 1 degrees of freedom (Landis et al. 1978,
    International Statistical Review 46:237-254). No continuity correction;
    for g = 2 it is the common test.

    Args:
        k: responses with the outcome, shape (studies, groups, strata).
        n: responses, shape (groups, strata).

    Returns:
        NaN where V has no inverse: no stratum tells the groups apart.
    """
    total, events = n.sum(axis=0), k.sum(axis=1)
    used = (total > 1) & (events > 0) & (events < total)
    safe = np.where(total > 1, total, 2)
    less = n[1:]
    excess = np.where(used[:, None], k[:, 1:] - less * (events / safe)[:, None], 0).sum(axis=2)
    factor = np.where(used, events * (total - events) / (safe**2 * (safe - 1)), 0)
    covariance = -np.einsum("rt,gt,ht->rgh", factor, less, less, optimize=True)
    at = np.arange(len(less))
    covariance[:, at, at] += (factor * total) @ less.T
    statistic = np.full(len(k), np.nan)
    df = np.array(float(len(less)))
    if len(less):
        full = ~np.isnan(root_of_difference(covariance)).any(axis=(1, 2))
        solved = np.linalg.solve(covariance[full], excess[full][..., None])[..., 0]
        statistic[full] = np.einsum("rg,rg->r", excess[full], solved)
    return ScoreTest(statistic, df, np.asarray(chi2_sf(statistic, df), dtype=np.float64))


MANTEL_HAENSZEL: Final = Method(
    "mantel_haenszel",
    heading="Cochran-Mantel-Haenszel by template",
    estimands=(Estimand.ODDS_RATIO, Estimand.GLOBAL),
    scope=Scope.THESE_RESPONSES,
    needs=Needs(units=WITHIN_TEXTS, binary=True),
    describes=Describes.rejecting(Percent(52, 95), "it allows for templates but not for names"),
    run=mantel_haenszel,
)
