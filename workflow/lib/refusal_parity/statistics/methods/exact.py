"""Each pair of groups, by every way to split their names in two."""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np

from refusal_parity.dimensions import Unit
from refusal_parity.statistics.answers import Answers, Remark
from refusal_parity.statistics.designs.within_templates import moved, name_sums, unlike_templates
from refusal_parity.statistics.registry import Method, Needs
from refusal_parity.statistics.resampling.exact import counted_p_value
from refusal_parity.statistics.resampling.few_names import few_names, least_p_value
from refusal_parity.statistics.resampling.randomisation import permutation_names
from refusal_parity.statistics.rounding import NOTHING, TIE, is_noise
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import BoolArray, FloatArray
    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.registry import Setting

_VARIANCE_RATIO: Final = 4
"""From here on names of the two groups count as unequally variable."""

_LISTED: Final = 20_000
"""Splits of names that are listed one by one for all studies at once."""


def exact_tests(studies: Studies, setting: Setting) -> list[Answers]:
    """Each pair of groups by all splits of their names.

    Args:
        studies: levels are a property of names.
        setting: alpha, that the note holds the smallest possible p-value against;
            draws for Monte Carlo where the splits are too many to count.
    """
    level = studies.grid.level
    k, n = name_sums(studies)
    difference = studies.differences(name_sums(studies).of_levels(level))
    p_values, remarks = [], []
    for at, codes in enumerate(zip(*studies.codes, strict=True)):
        chosen = np.isin(level, codes)
        of_pair = k[:, chosen], n[chosen], level[chosen] == codes[0]
        p_value, drawn = _p_values(*of_pair, setting)
        sizes = np.bincount(of_pair[-1], minlength=2)
        least = least_p_value(studies.name_k[:, chosen], studies.name_n[chosen], sizes)
        p_values.append(np.maximum(p_value, least))
        here = np.arange(len(studies.pairs)) == at
        remarks += [
            each._replace(where=np.reshape(each.where, (-1, 1)) & here)
            for each in (*_remarks(*of_pair, drawn, setting), few_names(least, setting.alpha))
        ]
    return [
        Answers(
            method=PERMUTATION_NAMES_EXACT,
            estimand=Estimand.RISK_DIFFERENCE,
            studies=len(studies),
            pairs=studies.pairs,
            estimate=difference,
            statistic=difference,
            p_value=np.stack(p_values, axis=1),
            remarks=(*unlike_templates(studies), *remarks, *moved(studies)),
        )
    ]


def _p_values(
    k: FloatArray, n: FloatArray, ours: BoolArray, setting: Setting
) -> tuple[FloatArray, BoolArray]:
    """p-values of one pair, and where they are of random splits; both of shape (studies,)."""
    none = np.zeros(len(k), dtype=np.bool_)
    if math.comb(len(n), int(ours.sum())) <= _LISTED:
        return _listed(k, n, ours), none
    if setting.deciding:
        return _counted_near(k, n, ours, setting), none
    counted = [counted_p_value(each, n, ours) for each in k]
    drawn = np.array([each is None for each in counted])
    p_value = np.array([np.nan if each is None else each for each in counted])
    if drawn.any():
        level = ours.astype(np.intp)
        p_value[drawn] = permutation_names(k[drawn], n, level, setting.draws).spread
    return p_value, drawn


def _remarks(
    k: FloatArray, n: FloatArray, ours: BoolArray, drawn: BoolArray, setting: Setting
) -> list[Remark]:
    splits = math.comb(len(n), int(ours.sum()))
    smallest = (2 if 2 * ours.sum() == len(n) else 1) / splits
    mine, others = int(ours.sum()), int((~ours).sum())
    return [
        Remark(f"{setting.draws.permutations} random splits of {splits:,}", drawn),
        Remark(
            f"{splits} splits of the names allow no p-value below {smallest:.2g}",
            np.array(smallest > setting.alpha),
        ),
        Remark(
            f"{mine} and {others} names that vary unequally: may reject 7-13 % at a nominal 5 %",
            _vary_unequally(k / n, ours),
        ),
        # One name against one: the only other split is its mirror image, whatever they did.
        Remark("", np.array(smallest >= 1), ("p_value",)),
    ]


def _listed(k: FloatArray, n: FloatArray, ours: BoolArray) -> FloatArray:
    """`exact.permutation_names_exact` with every split in turn, shape (studies,)."""
    names, size = len(n), int(ours.sum())
    # Of two sides of one size, the split with the first name on this one stands for both.
    first = 2 * size == names
    chosen = np.array(list(combinations(range(first, names), size - first)), dtype=np.intp)
    split = np.zeros((len(chosen), names))
    np.put_along_axis(split, chosen, 1, axis=1)
    split[:, 0] += first
    hits, sizes = k @ split.T, split @ n
    difference = hits / sizes - (k.sum(axis=1, keepdims=True) - hits) / (n.sum() - sizes)
    mine = k[:, ours].sum(axis=1) / n[ours].sum() - k[:, ~ours].sum(axis=1) / n[~ours].sum()
    size_of_rates = np.abs(k / n).max(axis=1)
    reached = np.abs(difference) >= (np.abs(mine) - TIE * size_of_rates)[:, None]
    return np.asarray(reached.mean(axis=1), dtype=np.float64)


def _counted_near(k: FloatArray, n: FloatArray, ours: BoolArray, setting: Setting) -> FloatArray:
    """The p-value from random splits, and from all of them where it is near alpha.

    Near is within four standard errors, so that hardly a study in 10,000 is
    decided otherwise than by counting every time.
    """
    alpha, draws = setting.alpha, setting.draws
    p_value = permutation_names(k, n, ours.astype(np.intp), draws).spread
    error = math.sqrt(alpha * (1 - alpha) / draws.permutations)
    for study in np.flatnonzero(np.abs(p_value - alpha) < 4 * error):
        counted = counted_p_value(k[study], n, ours)
        p_value[study] = p_value[study] if counted is None else counted
    return p_value


def _vary_unequally(rates: FloatArray, ours: BoolArray) -> BoolArray:
    """Whether groups differ both in number and in variance of their names, shape (studies,)."""
    mine, others = rates[:, ours], rates[:, ~ours]
    sizes = mine.shape[1], others.shape[1]
    if sizes[0] == sizes[1] or min(sizes) < 2:  # noqa: PLR2004 - one has no variance
        return np.zeros(len(rates), dtype=np.bool_)
    variances = np.stack([each.var(axis=1, ddof=1) for each in (mine, others)])
    smaller, larger = variances.min(axis=0), variances.max(axis=0)
    alike = larger <= _VARIANCE_RATIO * smaller * (1 + NOTHING)
    return np.asarray(~(alike | is_noise(larger, (rates**2).mean(axis=1))), dtype=np.bool_)


PERMUTATION_NAMES_EXACT: Final = Method(
    "permutation_names_exact",
    heading="Exact permutation of names",
    estimands=(Estimand.RISK_DIFFERENCE,),
    scope=Scope.NEW_NAMES,
    needs=Needs(units=frozenset({Unit.NAME})),
    run=exact_tests,
)
