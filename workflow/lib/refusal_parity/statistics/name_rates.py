"""Textbook tests with the name's rate as the one observation of each name.

Whatever the responses of one name have in common is inside its rate, so the
rates are independent; on this design the tests reject 4-8 % at a nominal 5 %
(docs/method.md). They hold for these templates and new names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.distributions import f_sf, t_isf, t_sf
from refusal_parity.statistics.results import Estimate, Pair, not_estimable
from refusal_parity.statistics.rounding import is_noise
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from refusal_parity.statistics.design import Design, FloatArray, IntArray


class Welch(NamedTuple):
    """Difference of two means, its standard error and Satterthwaite's degrees of freedom."""

    difference: float
    std_error: float
    df: float


class Variance(NamedTuple):
    """One-way analysis of variance: F and its two degrees of freedom."""

    statistic: float
    df: int
    df_denominator: int


def welch(ours: FloatArray, others: FloatArray) -> Welch | None:
    """Difference of means without assuming equal variances.

    se^2 = s1^2/n1 + s2^2/n2 and df = se^4 / sum of (s_i^2/n_i)^2 / (n_i - 1)
    (Welch 1947, Biometrika 34:28-35).

    Args:
        ours: rates of the group's names, shape (n1,), two or more.
        others: rates of the reference's names, shape (n2,), two or more.

    Returns:
        None where no rate differs from its own group's.
    """
    parts = np.array([each.var(ddof=1) / len(each) for each in (ours, others)])
    if is_noise(parts.sum(), (ours**2).mean() + (others**2).mean()):
        return None
    spare = np.array([len(ours) - 1, len(others) - 1])
    df = parts.sum() ** 2 / (parts**2 / spare).sum()
    difference = float(ours.mean() - others.mean())
    return Welch(difference, float(np.sqrt(parts.sum())), float(df))


def one_way_variance(rates: FloatArray, level: IntArray) -> Variance | None:
    """F = (between / (g - 1)) / (within / (m - g)) of m names in g groups (Fisher 1925).

    Args:
        rates: one for each name, shape (m,).
        level: group of each name, codes 0 to g - 1 that all occur, shape (m,).

    Returns:
        None where the rates within groups do not vary.
    """
    sizes = np.bincount(level)
    means = np.bincount(level, rates) / sizes
    within = float(((rates - means[level]) ** 2).sum())
    between = float((sizes * (means - rates.mean()) ** 2).sum())
    df, rest = len(sizes) - 1, len(rates) - len(sizes)
    if rest < 1 or is_noise(within, float((rates**2).sum())):
        return None
    return Variance(between / df / (within / rest), df, rest)


def welch_names(design: Design, alpha: float) -> list[Estimate]:
    """Welch's t test of each pair of groups.

    Each name weighs alike, however many of its responses have a label.

    Args:
        design: counts of one outcome; levels are a property of names.
        alpha: 1 less the level of the intervals.
    """
    names = design.by_name()
    rates = names.k / names.n
    groups = [rates[names.level == at] for at in range(len(design.levels))]
    return [_pair(pair, groups[at], groups[base], alpha) for pair, at, base in design.pairs]


def anova_names(design: Design, _alpha: float) -> list[Estimate]:
    """The analysis of variance of the names' rates, whose groups differ or not.

    Args:
        design: counts of one outcome; levels are a property of names.
    """
    names = design.by_name()
    return [_together(names.k / names.n, names.level)]


def _pair(pair: Pair, ours: FloatArray, others: FloatArray, alpha: float) -> Estimate:
    method, estimand = Method.WELCH_NAMES, Estimand.RISK_DIFFERENCE
    for level, rates in ((pair.reference, others), (pair.group, ours)):
        if len(rates) == 1:
            return not_estimable(method, estimand, pair, f"{level} has one name")
    found = welch(ours, others)
    if found is None:
        return not_estimable(method, estimand, pair, "names of one group do not differ")
    statistic = found.difference / found.std_error
    half_width = float(t_isf(alpha / 2, found.df)) * found.std_error
    return Estimate(
        method=method,
        estimand=estimand,
        group=pair.group,
        reference=pair.reference,
        estimate=found.difference,
        std_error=found.std_error,
        df=found.df,
        ci_low=found.difference - half_width,
        ci_high=found.difference + half_width,
        statistic=statistic,
        p_value=float(2 * t_sf(abs(statistic), found.df)),
    )


def _together(rates: FloatArray, level: IntArray) -> Estimate:
    method, estimand = Method.ANOVA_NAMES, Estimand.GLOBAL
    if len(rates) == level.max() + 1:
        return not_estimable(method, estimand, None, "every group has one name")
    found = one_way_variance(rates, level) if level.max() > 0 else None
    if found is None:
        return not_estimable(method, estimand, None, "names of one group do not differ")
    return Estimate(
        method=method,
        estimand=estimand,
        df=found.df,
        df_denominator=found.df_denominator,
        statistic=found.statistic,
        p_value=float(f_sf(found.statistic, found.df, found.df_denominator)),
    )
