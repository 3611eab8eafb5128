"""How much the difference between two groups of names varies between templates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain, combinations
from typing import TYPE_CHECKING, Final

import numpy as np

from refusal_parity.statistics.distributions import t_isf
from refusal_parity.statistics.rounding import NOTHING, is_noise, less

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import BoolArray, FloatArray
    from refusal_parity.statistics.resampling.randomisation import Draws

MOST_DRAWS: Final = 10_000
_MOST_LISTED: Final = 500_000


@dataclass(frozen=True, slots=True)
class AcrossTemplates:
    """What a difference does from template to template, of many studies; arrays (studies,).

    Attributes:
        mean: difference over the templates.
        variance: between templates, beyond what names, cells and samples make of it; may
            come out below 0.
        low: lower end of the variance's interval; NaN where there is none.
        high: its upper end.
        p_value: of no variance; NaN where nothing varies.
        new_low: lower end of the interval of a new template's difference.
        new_high: its upper end.
        new_level: share of new templates that this interval holds.
    """

    mean: FloatArray
    variance: FloatArray
    low: FloatArray
    high: FloatArray
    p_value: FloatArray
    new_low: FloatArray
    new_high: FloatArray
    new_level: float


def across_templates(
    rates: FloatArray, ours: BoolArray, draws: Draws, alpha: float
) -> AcrossTemplates:
    """Variance of d_t, the difference in template t of the means of two groups of names.

    Variance: that of the T differences d_t, less sum over groups of s_g^2 / n_g, where
    s_g^2 is the mean square of names x templates within group g of n_g names (the
    expected mean squares of Searle, Casella and McCulloch 1992, chapter 4).

    Test: under the null hypothesis that names of both groups have profiles over templates
    that differ by a constant alone, the profiles about their means can be exchanged. So the
    sum of squares of d_t about its mean is compared with those after all splits of the names,
    or random ones (a permutational analysis of variance: Anderson 2001, Austral Ecology
    26:32-46). It is valid at every rate.

    Interval: log V(d_t) +- t sqrt(J_T + J_g + J_r), less the names' part, at least 0 and
    0 where the test does not reject; J are jackknife variances without each template, and
    without each name of one group and of the other. t has T - 1 degrees of freedom.

    New template: from the k-th lowest to the k-th highest d_t, k = floor(alpha (T + 1) / 2)
    and at least 1. Where templates are like draws, a new one's difference, of these names and as
    many samples, lies between them in 1 - 2 k / (T + 1) of studies or more (Wilks 1941,
    Annals of Mathematical Statistics 12:91-96), at every rate.

    Args:
        rates: of each name and template, all there, shape (studies, names, templates).
        ours: which names are of the group, shape (names,), two and not all but one at least.
        draws: permutations and seed.
        alpha: 1 less the level of the intervals, and level of the test.
    """
    number = rates.shape[2]
    differences = _differences(rates, ours)
    spread = _variance(differences)
    noise = _noise(rates, ours)
    p_value = np.array([_p_value(each, ours, draws) for each in rates])
    with np.errstate(all="ignore"):
        error = np.sqrt(
            _jackknife(np.log(_variance(_without_each(differences))))
            + sum(_jackknife(np.log(each)) for each in _without_names(rates, ours))
        )
        reach = float(t_isf(alpha / 2, number - 1)) * error
        low = np.maximum(less(spread * np.exp(-reach), noise), 0.0)
        high = np.maximum(less(spread * np.exp(reach), noise), 0.0)
    known = np.isfinite(reach) & np.isfinite(high)
    low = np.where(p_value < alpha, low, 0.0)
    k = max(int(alpha * (number + 1) / 2 + NOTHING), 1)
    ordered = np.sort(differences, axis=1)
    return AcrossTemplates(
        mean=differences.mean(axis=1),
        variance=less(spread, noise),
        low=np.where(known, low, np.nan),
        high=np.where(known, high, np.nan),
        p_value=p_value,
        new_low=ordered[:, k - 1],
        new_high=ordered[:, -k],
        new_level=1 - 2 * k / (number + 1),
    )


def _differences(rates: FloatArray, ours: BoolArray) -> FloatArray:
    """By template, shape (studies, templates)."""
    found = rates[:, ours].mean(axis=1) - rates[:, ~ours].mean(axis=1)
    return np.asarray(found, dtype=np.float64)


def _variance(differences: FloatArray) -> FloatArray:
    """Over the last axis; what is rounding alone is 0."""
    found = differences.var(axis=-1, ddof=1)
    return np.where(is_noise(found, 1.0), 0.0, found)


def _noise(rates: FloatArray, ours: BoolArray) -> FloatArray:
    """What names, cells and samples put into the variance of differences, shape (studies,)."""
    total = np.zeros(len(rates))
    for group in (rates[:, ours], rates[:, ~ours]):
        names, templates = group.shape[1:]
        left = group - group.mean(axis=1, keepdims=True) - group.mean(axis=2, keepdims=True)
        left = left + group.mean(axis=(1, 2), keepdims=True)
        total += (left**2).sum(axis=(1, 2)) / ((names - 1) * (templates - 1) * names)
    return total


def _without_each(differences: FloatArray) -> FloatArray:
    """Without one after the other, shape (studies, templates, templates - 1)."""
    number = differences.shape[1]
    kept = np.array([np.delete(np.arange(number), at) for at in range(number)])
    return np.asarray(differences[:, kept], dtype=np.float64)


def _without_names(rates: FloatArray, ours: BoolArray) -> list[FloatArray]:
    """Variances of differences without each name of a group, two of shape (studies, names)."""
    found = []
    for group in (ours, ~ours):
        columns = []
        for name in np.flatnonzero(group):
            kept = np.delete(np.arange(len(ours)), name)
            columns.append(_variance(_differences(rates[:, kept], ours[kept])))
        found.append(np.stack(columns, axis=1))
    return found


def _jackknife(values: FloatArray) -> FloatArray:
    """Jackknife variance of a statistic, from those without one each, shape (studies,)."""
    number = values.shape[1]
    centred = values - values.mean(axis=1, keepdims=True)
    return np.asarray((number - 1) / number * (centred**2).sum(axis=1), dtype=np.float64)


def _p_value(rates: FloatArray, ours: BoolArray, draws: Draws) -> float:
    """Of one study, shape (names, templates)."""
    profiles = rates - rates.mean(axis=1, keepdims=True)
    # In an order of their own: the p-value does not hang on that of the rows.
    products = profiles @ profiles.T
    keys = [(products**power).sum(axis=1).round(9) for power in (4, 3, 2)]
    order = np.lexsort((*keys, np.diag(products).round(9)))
    products = products[np.ix_(order, order)]
    largest = float(np.trace(products))
    if largest <= NOTHING:
        return float("nan")
    size, names = int(ours.sum()), len(ours)
    observed = _squares(ours[order][None, :], products)[0]
    ways = math.comb(names, size)
    listed = ways * size <= _MOST_LISTED
    if listed:
        chosen = np.fromiter(
            chain.from_iterable(combinations(range(names), size)), np.intp, ways * size
        ).reshape(ways, size)
    else:
        random = np.random.default_rng(draws.seed)
        many = min(draws.permutations, MOST_DRAWS)
        chosen = np.argsort(random.random((many, names)), axis=1)[:, :size]
    splits = np.zeros((len(chosen), names), dtype=np.bool_)
    np.put_along_axis(splits, chosen, values=True, axis=1)
    reached = int((_squares(splits, products) >= observed - NOTHING * largest).sum())
    return reached / len(chosen) if listed else (1 + reached) / (1 + len(chosen))


def _squares(splits: BoolArray, products: FloatArray) -> FloatArray:
    """Sum of squares of differences after each split of the names, shape (splits,)."""
    size = splits[:1].sum()
    weights = np.where(splits, 1 / size, -1 / (splits.shape[1] - size))
    return np.asarray(((weights @ products) * weights).sum(axis=1), dtype=np.float64)
