"""Textbook methods for proportions, as if all responses were independent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.distributions import chi2_sf, norm_isf
from refusal_parity.statistics.results import Estimate, Pair, not_estimable
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from refusal_parity.statistics.design import Design, FloatArray


class Interval(NamedTuple):
    """Lower and upper ends, arrays of one shape."""

    low: FloatArray
    high: FloatArray


def wilson(k: FloatArray, n: FloatArray, alpha: float) -> Interval:
    """Score interval of a proportion (Wilson 1927, JASA 22:209-212).

    The ends are (k + z^2/2 -+ z sqrt(k (n - k) / n + z^2/4)) / (n + z^2) with
    z the 1 - alpha/2 quantile of the normal distribution.

    Args:
        k: responses with the outcome, any shape.
        n: responses, same shape; where 0, the ends are NaN.
        alpha: 1 less the level of the interval.
    """
    z = norm_isf(alpha / 2)
    trials = np.where(n > 0, n, np.nan)
    middle = (k + z**2 / 2) / (trials + z**2)
    half = z * np.sqrt(k * (trials - k) / trials + z**2 / 4) / (trials + z**2)
    return Interval(np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1))


def newcombe(design: Design, alpha: float) -> list[Estimate]:
    """Risk difference with the interval from two Wilson intervals.

    With d = p1 - p0 and Wilson's (l, u) of each: d - sqrt((p1 - l1)^2 + (u0 - p0)^2)
    to d + sqrt((u1 - p1)^2 + (p0 - l0)^2) (Newcombe 1998, Statistics in
    Medicine 17:873-890, method 10).
    """
    k, n = design.level_k, design.level_n
    p = k / n
    low, high = wilson(k, n, alpha)
    return [
        Estimate(
            method=Method.NEWCOMBE,
            estimand=Estimand.RISK_DIFFERENCE,
            group=pair.group,
            reference=pair.reference,
            estimate=p[at] - p[base],
            ci_low=p[at] - p[base] - np.hypot(p[at] - low[at], high[base] - p[base]),
            ci_high=p[at] - p[base] + np.hypot(high[at] - p[at], p[base] - low[base]),
        )
        for pair, at, base in design.pairs
    ]


def katz(design: Design, alpha: float) -> list[Estimate]:
    """Risk ratio p1 / p0 with the log interval (Katz et al. 1978, Biometrics 34:469-474).

    log(p1 / p0) -+ z sqrt(1/k1 - 1/n1 + 1/k0 - 1/n0). A count of zero leaves
    no interval, and a zero in the reference no finite ratio.
    """
    k, n = design.level_k, design.level_n
    return [
        _risk_ratio(pair, (k[at], n[at]), (k[base], n[base]), alpha)
        for pair, at, base in design.pairs
    ]


def _risk_ratio(
    pair: Pair, ours: tuple[float, float], others: tuple[float, float], alpha: float
) -> Estimate:
    (k1, n1), (k0, n0) = ours, others
    common = Estimate(
        method=Method.KATZ,
        estimand=Estimand.RISK_RATIO,
        group=pair.group,
        reference=pair.reference,
    )
    if k1 == 0 and k0 == 0:
        return common.noting("not estimable: no response of either group has the outcome")
    ratio = np.inf if k0 == 0 else (k1 / n1) / (k0 / n0)
    if k1 == 0 or k0 == 0 or (k1 == n1 and k0 == n0):
        where = "the group" if k1 == 0 else "the reference" if k0 == 0 else None
        reason = (
            f"no response of {where} has the outcome: no interval"
            if where
            else "every response of both groups has the outcome: no interval"
        )
        return replace(common, estimate=float(ratio), note=reason)
    std_error = np.sqrt(1 / k1 - 1 / n1 + 1 / k0 - 1 / n0)
    half_width = norm_isf(alpha / 2) * std_error
    return replace(
        common,
        estimate=ratio,
        std_error=std_error,
        ci_low=ratio * np.exp(-half_width),
        ci_high=ratio * np.exp(half_width),
    )


def chi_square(design: Design, alpha: float) -> list[Estimate]:  # noqa: ARG001 - methods share their signature
    """Pearson's chi-square without continuity correction, of each pair and of all levels.

    sum (observed - expected)^2 / expected, which for counts k of n is
    sum n (p - P)^2 / (P (1 - P)) with P the pooled rate; df = levels - 1
    (Pearson 1900).
    """
    contrasts = [
        _pearson(design, np.array([base, at]), Estimand.RISK_DIFFERENCE, pair)
        for pair, at, base in design.pairs
    ]
    every = np.arange(len(design.levels))
    return [*contrasts, _pearson(design, every, Estimand.GLOBAL, None)]


def _pearson(
    design: Design, levels: np.typing.NDArray[np.intp], estimand: Estimand, pair: Pair | None
) -> Estimate:
    k, n = design.level_k[levels], design.level_n[levels]
    pooled = k.sum() / n.sum()
    if pooled in (0, 1):
        reason = "the outcome does not vary"
        return not_estimable(Method.CHI_SQUARE, estimand, pair, reason)
    rates = k / n
    statistic = float((n * (rates - pooled) ** 2).sum() / (pooled * (1 - pooled)))
    df = len(levels) - 1
    return Estimate(
        method=Method.CHI_SQUARE,
        estimand=estimand,
        group=pair.group if pair else None,
        reference=pair.reference if pair else None,
        estimate=rates[1] - rates[0] if pair else None,
        df=df,
        statistic=statistic,
        p_value=float(chi2_sf(statistic, df)),
    )
