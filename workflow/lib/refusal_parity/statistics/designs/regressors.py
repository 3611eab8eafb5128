"""Regressors of group contrasts with template effects absorbed, and which can be estimated.

A study of hundreds of templates has as many effects, and a matrix with a column
for each is what fails and takes long. Here they are eliminated before anything
is solved for (Frisch and Waugh 1933; Lovell 1963): what is left has the size of
the levels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from refusal_parity.statistics.designs.kinds import DesignKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.statistics.designs.counts import BoolArray, Design, FloatArray, IntArray
    from refusal_parity.statistics.results import Pair


class Absorbed(NamedTuple):
    """Contrasts of levels within strata: templates, or all responses as one.

    A response of variance v in the working model has v as a factor of its
    regressors, as in a logistic fit, and so the weight v.

    Attributes:
        contrasts: dummies of all levels but the first, less their weighted
            means over the cell's stratum, shape (cells, q).
        bread: inverse of the sum over responses of v times the contrasts'
            products, shape (q, q).
        n: responses, shape (cells,).
        variance: v, shape (cells,).
        stratum: codes, shape (cells,).
        total: sum of v over the responses of each stratum, shape (strata,).
    """

    contrasts: FloatArray
    bread: FloatArray
    n: FloatArray
    variance: FloatArray
    stratum: IntArray
    total: FloatArray

    @property
    def parameters(self) -> int:
        """Coefficients of the whole fit, absorbed ones too."""
        return len(self.bread) + len(self.total)

    @property
    def scale(self) -> FloatArray:
        """The factor sqrt(n) v of the row that stands for a cell's responses, shape (cells,)."""
        return np.asarray(np.sqrt(self.n) * self.variance, dtype=np.float64)

    @property
    def influence(self) -> FloatArray:
        """What a response's residual moves each contrast by, shape (cells, q)."""
        return self.contrasts @ self.bread


def absorb(
    design: Design, *, template_effects: bool = True, variance: FloatArray | None = None
) -> Absorbed:
    """The contrasts of all levels with the first, within templates or over all of them.

    Args:
        design: counts; levels and templates can be told apart.
        template_effects: False for an intercept alone.
        variance: of one response under the working model, shape (cells,); 1 if None.
    """
    cells, levels = len(design.n), len(design.levels)
    stratum = design.template if template_effects else np.zeros(cells, dtype=np.intp)
    variance = np.ones(cells) if variance is None else variance
    strata = int(stratum.max()) + 1
    weights = np.bincount(stratum * levels + design.level, design.n * variance, strata * levels)
    weights = weights.reshape(strata, levels).astype(np.float64)
    total = weights.sum(axis=1)
    share = (weights / total[:, None])[:, 1:]
    information = np.diag(weights[:, 1:].sum(axis=0)) - share.T @ weights[:, 1:]
    units = np.eye(levels)[:, 1:]
    return Absorbed(
        contrasts=units[design.level] - share[stratum],
        bread=np.linalg.inv(information),
        n=design.n,
        variance=variance,
        stratum=stratum,
        total=total,
    )


def are_told_apart(design: Design, *, template_effects: bool = True) -> bool:
    """Whether all coefficients can be told apart, with responses to spare.

    They can be where every level leads to every other over templates that
    both have: dummies of a connected graph's nodes have but one combination
    too many (Weeks and Williams 1964, Technometrics 6:319-324).
    """
    levels, templates = len(design.levels), int(design.template.max()) + 1
    if not template_effects:
        return bool(design.n.sum() > levels)
    if design.n.sum() <= levels - 1 + templates:
        return False
    return len(set(_joined(_present(design))[0])) == 1


def _present(design: Design) -> BoolArray:
    """Whether a template has responses at a level, shape (templates, levels)."""
    n, _ = design.by_template()
    return np.asarray(n > 0, dtype=np.bool_)


def _joined(*present: BoolArray) -> list[IntArray]:
    """For each table (templates, levels), codes of the levels that templates join."""
    found = []
    for each in present:
        shared = csr_array(each.T.astype(np.intp) @ each.astype(np.intp))
        codes = connected_components(shared, directed=False)[1]
        found.append(np.asarray(codes, dtype=np.intp))
    return found


def is_separated(design: Design) -> bool:
    """Whether some combination of levels and templates predicts outcomes without error.

    Then the likelihood grows for ever along it, while fitting routines stop
    anywhere and report huge coefficients with small errors. Such a direction
    adds a_level + b_template >= 0 where all responses have the outcome, <= 0
    where none has, = 0 where both occur, and is not 0 everywhere. With an
    arrow from -b to a for each >=, and back for each <=, it is one that never
    falls along an arrow; there is none but 0 where all arrows of a connected
    design stand in circles (Fischer 1981, Psychometrika 46:59-77).

    Args:
        design: counts; levels and templates can be told apart.
    """
    n, k = design.by_template()
    templates, levels = n.shape
    template, level = np.nonzero(n)
    some, whole = k[template, level] > 0, k[template, level] == n[template, level]
    up, down = some, ~whole
    starts = np.concatenate([template[up], templates + level[down]])
    ends = np.concatenate([templates + level[up], template[down]])
    size = templates + levels
    arrows = coo_array((np.ones(len(starts)), (starts, ends)), shape=(size, size))
    return bool(connected_components(arrows, connection="strong")[0] > 1)


def too_few_clusters(
    design: Design, *, names: bool = True, templates: bool = True
) -> dict[str, str]:
    """Levels that have fewer than two clusters, and the reason as a phrase.

    In a nested design units are the only ones.

    Such a level's mean takes its only cluster up whole: the sandwich would
    put its error at zero.
    """
    reasons: dict[str, str] = {}
    nested = design.kind is DesignKind.NESTED
    for wanted, codes, word in (
        (names, design.name, "prompt or set" if nested else "name"),
        (templates and not nested, design.template, "template"),
    ):
        if wanted:
            single = np.flatnonzero(design.members(codes) < 2)  # noqa: PLR2004 - one is no sample
            reasons |= {design.levels[at]: f"{design.levels[at]} has one {word}" for at in single}
    return reasons


def of_one_cluster(
    design: Design, *, names: bool = True, templates: bool = True
) -> dict[Pair, str]:
    """Pairs of levels that can be compared within templates by way of one cluster alone.

    Without it no chain of shared templates leads from one level to the other.
    It takes the difference up whole, so that the sandwich would put its error
    at zero, as that of a level with one cluster.

    Args:
        design: counts, levels with two clusters or more.
        names: whether names are clusters.
        templates: whether templates are.
    """
    reasons: dict[Pair, str] = {}
    for wanted, tables, word in (
        (templates, _without_each_template, "template"),
        (names, _without_each_name, "name"),
    ):
        if wanted:
            for codes in _joined(*tables(design)):
                for pair, at, base in design.pairs:
                    if codes[at] != codes[base]:
                        both = f"{pair.group} and {pair.reference}"
                        reasons.setdefault(pair, f"{both} are compared by way of one {word} alone")
    return reasons


def _without_each_template(design: Design) -> Iterator[BoolArray]:
    """`_present` without each of the templates that alone have two levels in common."""
    present = _present(design)
    counts = present.astype(np.intp)
    alone = counts.T @ counts == 1
    for at in np.flatnonzero(((counts @ alone) * counts).sum(axis=1)):
        yield np.delete(present, at, axis=0)


def _without_each_name(design: Design) -> Iterator[BoolArray]:
    """`_present` without each of the names that alone bring a level to a template."""
    levels = len(design.levels)
    at = design.template * levels + design.level
    names = np.bincount(at, minlength=(int(design.template.max()) + 1) * levels)
    shape = (-1, levels)
    for name in np.unique(design.name[names[at] == 1]):
        left = names - np.bincount(at[design.name == name], minlength=len(names))
        yield left.reshape(shape) > 0
