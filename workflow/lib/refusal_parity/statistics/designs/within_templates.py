"""Outcomes of names as they would be had all names the same templates.

Where responses are missing, as where a filter stops some groups on easy sentences, raw rates
compare names over different templates. The effects of templates are taken off, by the
regression on levels and templates.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from refusal_parity.statistics.answers import Remark
from refusal_parity.statistics.designs.counts import codes_of
from refusal_parity.statistics.designs.reduced import reduced
from refusal_parity.text import minus

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import BoolArray, Design, FloatArray, IntArray
    from refusal_parity.statistics.designs.studies import Studies

_DECIMALS: Final = 14
"""Of adjusted means: what is left is rounding, on which no order of names may hang. With fewer,
small differences between groups would jump where a last digit does."""

_PARTED: Final = "no template in common, so that the templates may be all that differs"

_FEW_SHARED: Final = "levels have fewer than nine of ten templates in common"

_SHARED: Final = 0.9
"""Permutations of names reject in 6 % of studies with 9 of 10 templates in common, in 10 % with
7, and in 14 to 18 % with 5 (groups of eight names, templates that vary three times as much)."""

_TOLD: Final = 0.005
"""Differences that templates move by half a point or more are said to be."""


class NameSums(NamedTuple):
    """What names add up to.

    Attributes:
        k: sums of the outcome, shape (studies, rows).
        n: weights of the rows, shape (rows,).
    """

    k: FloatArray
    n: FloatArray

    @property
    def rates(self) -> FloatArray:
        """Shape (studies, rows)."""
        return np.asarray(self.k / self.n, dtype=np.float64)

    def of_levels(self, level: IntArray) -> FloatArray:
        """Rates of the levels, shape (studies, levels).

        Args:
            level: of each row, shape (rows,).
        """
        belongs = (level[:, None] == np.arange(int(level.max()) + 1)).astype(np.float64)
        return np.asarray(self.k @ belongs / (self.n @ belongs), dtype=np.float64)


@lru_cache(maxsize=4)
def name_sums(studies: Studies) -> NameSums:
    """Counts of each row; or, where templates have not the same share of each, its mean.

    The mean is that of y - (c_t - c) over its responses, with c_t the effect of the
    response's template and c their mean over all responses. Rows then weigh alike: those
    that lost responses vary more, and would decide what permutations of sums come to.
    Counts stay where levels and templates cannot be told apart.
    """
    grid = studies.grid
    counts = NameSums(studies.name_k, studies.name_n)
    if same_shares(grid.n):
        return counts
    effects = template_deviations(studies.level_n, studies.level_k)
    if not np.isfinite(effects).all():
        return counts
    means = (studies.name_k - effects @ grid.n.T) / studies.name_n
    return NameSums(np.round(means, _DECIMALS), np.ones(len(grid.level)))


def moved(studies: Studies) -> list[Remark]:
    """Where missing responses would have moved a difference by half a point or more."""
    raw = studies.differences(studies.rates)
    far = np.abs(raw - studies.differences(name_sums(studies).of_levels(studies.grid.level)))

    def words(study: int, at: int) -> str:
        return (
            "levels have different shares of the templates, which are adjusted for: unadjusted, "
            f"they differ by {minus(f'{raw[study, at]:+.3f}')}"
        )

    return [
        Remark(partial(words, at=at), (far >= _TOLD) & (np.arange(far.shape[1]) == at))
        for at in range(far.shape[1])
    ]


def unlike_templates(studies: Studies) -> list[Remark]:
    """Pairs of levels that have too few templates in common for names to be compared.

    Where there is none, even by way of others, all that differs may be their templates. Where
    there are few, the effects that are taken off hang on them, with an error that all names of
    a level share.
    """
    part = _part_of(studies.level_n)
    group, reference = studies.codes
    parted = part[group] != part[reference]
    return [
        Remark.missing(_PARTED, parted),
        Remark.missing(_FEW_SHARED, _few_shared(studies) & ~parted),
    ]


def all_unlike_templates(studies: Studies) -> list[Remark]:
    """The same for a test of all levels together: of any two that are compared."""
    parted = len(set(_part_of(studies.level_n).tolist())) > 1
    return [
        Remark.missing(_PARTED, np.array(parted)),
        Remark.missing(_FEW_SHARED, np.array(bool(_few_shared(studies).any()) and not parted)),
    ]


def partly_shared(studies: Studies) -> BoolArray:
    """Pairs of which one level lacks a template that the other has, shape (pairs,).

    None, where levels are a property of templates: other sentences are compared then.
    """
    has = studies.level_n > 0
    if not studies.template_effects:
        return np.zeros(len(studies.pairs), dtype=np.bool_)
    group, reference = studies.codes
    return np.asarray((has[group] != has[reference]).any(axis=1), dtype=np.bool_)


def _few_shared(studies: Studies) -> BoolArray:
    """Which pairs have few templates in common, of those of one of them."""
    has = (studies.level_n > 0).astype(np.float64)
    group, reference = studies.codes
    both = (has @ has.T)[group, reference]
    templates = has.sum(axis=1)
    most = np.maximum(templates[group], templates[reference])
    return np.asarray(both < _SHARED * most, dtype=np.bool_)


def _part_of(level_n: FloatArray) -> IntArray:
    """The first level that each hangs together with by templates in common, shape (levels,)."""
    met = (level_n > 0).astype(np.float64)
    together = (met @ met.T > 0) | np.eye(len(met), dtype=np.bool_)
    for _ in range(len(met)):
        together = together @ together
    return np.asarray(together.argmax(axis=1), dtype=np.intp)


def template_deviations(level_n: FloatArray, level_k: FloatArray) -> FloatArray:
    """c_t - c of the regression on levels and templates, shape (studies, templates).

    Args:
        level_n: responses, shape (levels, templates).
        level_k: sums of the outcome, shape (studies, levels, templates).

    Returns:
        NaN where levels and templates cannot be told apart.
    """
    levels = np.zeros((len(level_k), len(level_n)))
    if len(level_n) > 1:
        levels[:, 1:] = reduced(level_n).step(level_k)
    templates = level_n.sum(axis=0)
    effects = (level_k.sum(axis=1) - levels @ level_n) / np.where(templates > 0, templates, 1)
    mean = effects @ templates / templates.sum()
    return np.asarray(effects - mean[:, None], dtype=np.float64)


def deviations_of(design: Design) -> FloatArray | None:
    """c_t - c of one study, shape (templates,); None where all names have the same templates."""
    row = codes_of(design.level * (int(design.name.max()) + 1) + design.name)
    shape = (int(row.max()) + 1, int(design.template.max()) + 1)
    laid_out = np.bincount(row * shape[1] + design.template, design.n, shape[0] * shape[1])
    if same_shares(laid_out.reshape(shape).astype(np.float64)):
        return None
    n, k = design.by_template()
    found = template_deviations(n.T, k.T[None])[0]
    return found if np.isfinite(found).all() else None


def same_shares(n: FloatArray) -> bool:
    """Whether all rows have the same share of each template; counts are whole."""
    of_row, of_template = n.sum(axis=1, keepdims=True), n.sum(axis=0)
    return bool((n * of_template.sum() == of_row * of_template).all())
