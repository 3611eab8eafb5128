"""Least squares of an outcome on levels, within templates or not, for many studies at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from refusal_parity.statistics.answers import (
    Answers,
    Remark,
    lost_pairs,
    pairs_missing,
    unanswered,
)
from refusal_parity.statistics.designs.reduced import reduced
from refusal_parity.statistics.designs.regressors import (
    absorb,
    are_told_apart,
    of_one_cluster,
    too_few_clusters,
)
from refusal_parity.vocabulary import Estimand

if TYPE_CHECKING:
    from collections.abc import Callable

    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.designs.reduced import Reduced
    from refusal_parity.statistics.designs.regressors import Absorbed
    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.registry import Method

OTHER_TEMPLATES: Final = (
    "levels are of templates: other sentences are compared, without template effects"
)


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """Fits of many studies, of levels that can be told apart.

    y = sum over levels of b_l [level = l] + sum over templates of c_t [template = t] + e,
    with one constant for all templates where levels are a property of these.

    Attributes:
        studies: what was fitted.
        normal: the normal equations of the contrasts.
        coefficients: contrasts with the first level, shape (studies, q).
        residual: sums of residuals, shape (studies, rows, templates).
        level_residual: sums of them by level, shape (studies, levels, templates).
    """

    studies: Studies
    normal: Reduced
    coefficients: FloatArray
    residual: FloatArray
    level_residual: FloatArray

    @property
    def parameters(self) -> int:
        """Coefficients of the whole fit."""
        n = self.studies.grid.n
        strata = np.count_nonzero(n.sum(axis=0)) if self.studies.template_effects else 1
        return len(self.studies.grid.levels) - 1 + int(strata)

    @cached_property
    def moved(self) -> FloatArray:
        """What a residual moves the contrasts by, shape (levels, templates, q)."""
        influence = self.normal.influence
        shape = (len(influence), self.studies.grid.n.shape[1], influence.shape[-1])
        return np.broadcast_to(influence, shape)

    @cached_property
    def largest(self) -> FloatArray:
        """The covariance that residuals as large as the outcomes could give, (studies, q, q)."""
        n, k = self.studies.grid.n, self.studies.k
        squares = np.einsum("rnt,rnt,nt->r", k, k, 1 / np.where(n > 0, n, 1))
        return np.asarray(squares[:, None, None] * self.normal.inverse)

    @cached_property
    def absorbed(self) -> Absorbed:
        """The contrasts by cell, in the order of `Studies.layout`."""
        return absorb(self.studies.layout, template_effects=self.studies.template_effects)


@lru_cache(maxsize=2)
def least_squares(studies: Studies) -> LeastSquares:
    """Fit the regression; the last fits are kept, for the methods that share them."""
    n, k = studies.level_n, studies.level_k
    if not studies.template_effects:
        n, k = n.sum(axis=1, keepdims=True), k.sum(axis=2, keepdims=True)
    normal = reduced(n)
    coefficients = normal.step(k)
    levels = np.concatenate([np.zeros((len(k), 1)), coefficients], axis=1)
    total = n.sum(axis=0)
    effects = (k.sum(axis=1) - levels @ n) / np.where(total > 0, total, 1)
    fitted = levels[..., None] + effects[:, None]
    level_residual = studies.level_k - studies.level_n * fitted
    residual = np.empty_like(studies.k)
    # Study by study: all at once do not fit the processor's cache.
    for left, seen, expected in zip(residual, studies.k, fitted, strict=True):
        np.subtract(seen, studies.grid.n * expected[studies.grid.level], out=left)
    return LeastSquares(studies, normal, coefficients, residual, level_residual)


def regression(
    studies: Studies, method: Method, tests: Callable[[LeastSquares], list[Answers]]
) -> list[Answers]:
    """A method's tests of the levels that have the names and templates it needs.

    A global test of fewer levels would answer another question: it is given up.

    Args:
        studies: the studies.
        method: whose needs these are.
        tests: gives its answers from a fit, those of pairs first.
    """
    clusters = {"names": method.needs.names > 1, "templates": method.needs.templates > 1}
    lost = too_few_clusters(studies.layout, **clusters)
    kept = _kept(studies, tuple(lost))
    reason = None
    if len(kept.grid.levels) <= 1:
        reason = "there is nothing to compare the reference with"
    elif not are_told_apart(kept.layout, template_effects=studies.template_effects):
        reason = "levels and templates cannot be told apart"
    flat = Remark.missing("the outcome does not vary", ~kept.varies[:, None])
    if reason is None:
        alone = of_one_cluster(kept.layout, **clusters) if studies.template_effects else {}
        found = tests(least_squares(kept))
        every = ", ".join(dict.fromkeys(alone.values()))
        first = [
            (flat, *pairs_missing(kept.pairs, alone)),
            (flat, *([Remark.missing(every)] if alone else [])),
        ]
        rows = [
            _said_first(each, before).spread_out(studies.pairs)
            for each, before in zip(found, first, strict=False)
        ]
    else:
        rows = [
            unanswered(method, estimand, studies, [flat, Remark.missing(reason)])
            for estimand in method.estimands
        ]
    others = (
        [] if studies.template_effects else [Remark(OTHER_TEMPLATES, np.ones(1, bool), always=True)]
    )
    of_levels = (
        lost_pairs(studies.pairs, lost),
        [Remark.missing(", ".join(lost.values()))] if lost else [],
    )
    return [
        _said_first(row, tuple(of_levels[row.estimand is Estimand.GLOBAL])).remarking(*others)
        for row in rows
    ]


def _said_first(answers: Answers, remarks: tuple[Remark, ...]) -> Answers:
    """The first reason for a missing number decides: these come before those of the tests."""
    return replace(answers, remarks=(*remarks, *answers.remarks))


@lru_cache(maxsize=4)
def _kept(studies: Studies, lost: tuple[str, ...]) -> Studies:
    """The same object for all methods that leave the same levels out."""
    return studies.without(lost)
