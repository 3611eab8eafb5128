"""Textbook tests with the name's rate as the one observation of each name.

Whatever the responses of one name have in common is inside its rate, so the
rates are independent; on this design the tests reject 4-8 % at a nominal 5 %
(docs/method.md). They hold for these templates and new names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from refusal_parity.dimensions import Unit
from refusal_parity.statistics.answers import Answers, Remark, lost_pairs
from refusal_parity.statistics.designs.within_templates import (
    all_unlike_templates,
    moved,
    name_sums,
    unlike_templates,
)
from refusal_parity.statistics.distributions import f_sf, t_isf, t_sf
from refusal_parity.statistics.registry import Method, Needs
from refusal_parity.statistics.rounding import is_noise
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray, IntArray
    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.registry import Setting

_ALIKE: Final = "names of one group do not differ"


class Spread(NamedTuple):
    """Names' rates by level, each of shape (studies, levels).

    Attributes:
        mean: of the rates.
        squares: sum of squared deviations from it.
        size: mean of the squared rates.
    """

    mean: FloatArray
    squares: FloatArray
    size: FloatArray


def spread_of(rates: FloatArray, level: IntArray) -> Spread:
    """How the names' rates spread about the mean of their level.

    Args:
        rates: shape (studies, names).
        level: code of each name, all of which occur, shape (names,).
    """
    belongs = (level[:, None] == np.arange(int(level.max()) + 1)).astype(np.float64)
    sizes = belongs.sum(axis=0)
    mean = rates @ belongs / sizes
    squares = (rates - mean[:, level]) ** 2 @ belongs
    return Spread(mean, squares, rates**2 @ belongs / sizes)


class Variance(NamedTuple):
    """One-way analysis of variance: F, NaN where rates do not vary, and its degrees of freedom."""

    statistic: FloatArray
    df: int
    df_denominator: int


def one_way_variance(rates: FloatArray, level: IntArray) -> Variance:
    """F = (between / (g - 1)) / (within / (m - g)) of m names in g groups (Fisher 1925).

    Args:
        rates: one for each name, shape (studies, m).
        level: group of each name, codes 0 to g - 1 that all occur, shape (m,).
    """
    sizes = np.bincount(level)
    found = spread_of(rates, level)
    within = found.squares.sum(axis=1)
    between = (sizes * (found.mean - rates.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    df, rest = len(sizes) - 1, len(level) - len(sizes)
    usable = ~is_noise(within, (rates**2).sum(axis=1)) & (rest > 0) & (df > 0)
    statistic = between / max(df, 1) / (np.where(usable, within, np.nan) / max(rest, 1))
    return Variance(statistic, df, rest)


def welch_names(studies: Studies, setting: Setting) -> list[Answers]:
    """Welch's t test of each pair of groups, without assuming equal variances.

    se^2 = s1^2/n1 + s2^2/n2 and df = se^4 / sum of (s_i^2/n_i)^2 / (n_i - 1)
    (Welch 1947, Biometrika 34:28-35). Each name weighs alike, however many of
    its responses have a label.

    Args:
        studies: levels are a property of names.
        setting: its alpha.
    """
    grid = studies.grid
    sizes = np.bincount(grid.level)
    found = spread_of(name_sums(studies).rates, grid.level)
    group, reference = studies.codes
    spare = sizes - 1
    parts = found.squares / np.maximum(spare, 1) / sizes
    variance = parts[:, group] + parts[:, reference]
    alike = is_noise(variance, found.size[:, group] + found.size[:, reference])
    per_df = parts**2 / np.maximum(spare, 1)
    df = variance**2 / np.where(alike, np.nan, per_df[:, group] + per_df[:, reference])
    difference = studies.differences(found.mean)
    std_error = np.sqrt(np.where(alike, np.nan, variance))
    statistic = difference / std_error
    half_width = t_isf(setting.alpha / 2, df) * std_error
    single = {level: f"{level} has one name" for level in np.array(grid.levels)[sizes == 1]}
    return [
        Answers(
            method=WELCH_NAMES,
            estimand=Estimand.RISK_DIFFERENCE,
            studies=len(studies),
            pairs=studies.pairs,
            estimate=difference,
            std_error=std_error,
            df=df,
            ci_low=difference - half_width,
            ci_high=difference + half_width,
            statistic=statistic,
            p_value=np.asarray(2 * t_sf(np.abs(statistic), df)),
            remarks=(
                *lost_pairs(studies.pairs, single),
                *unlike_templates(studies),
                Remark.missing(_ALIKE, alike),
                *moved(studies),
            ),
        )
    ]


def anova_names(studies: Studies, _: Setting) -> list[Answers]:
    """The analysis of variance of the names' rates, whose groups differ or not.

    Args:
        studies: levels are a property of names.
    """
    found = one_way_variance(name_sums(studies).rates, studies.grid.level)
    statistic = found.statistic[:, None]
    every = len(studies.grid.levels) == len(studies.grid.level)
    return [
        Answers(
            method=ANOVA_NAMES,
            estimand=Estimand.GLOBAL,
            studies=len(studies),
            df=np.array(float(found.df)),
            df_denominator=np.array(float(found.df_denominator)),
            statistic=statistic,
            p_value=np.asarray(f_sf(statistic, max(found.df, 1), max(found.df_denominator, 1))),
            remarks=(
                Remark.missing("every group has one name", np.array(every)),
                *all_unlike_templates(studies),
                Remark.missing(_ALIKE, np.isnan(statistic)),
            ),
        )
    ]


_OVER_NAMES: Final = Needs(units=frozenset({Unit.NAME}), names=2)
WELCH_NAMES: Final = Method(
    "welch_names",
    heading="Welch t test of the names' rates",
    estimands=(Estimand.RISK_DIFFERENCE,),
    scope=Scope.NEW_NAMES,
    needs=_OVER_NAMES,
    citation="Welch (1947), The generalization of Student's problem when several different "
    "population variances are involved, Biometrika 34, 28-35.",
    run=welch_names,
)
ANOVA_NAMES: Final = Method(
    "anova_names",
    heading="Analysis of variance of the names' rates",
    estimands=(Estimand.GLOBAL,),
    scope=Scope.NEW_NAMES,
    needs=_OVER_NAMES,
    run=anova_names,
)
