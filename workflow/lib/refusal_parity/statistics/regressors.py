"""Design matrices of group contrasts, and which levels can be contrasted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from refusal_parity.statistics.design import Design, FloatArray, IntArray


class Combinations(NamedTuple):
    """The distinct combinations of level and template: all that a fit needs.

    Attributes:
        x: regressors, shape (combinations, p); the contrasts of all levels but
            the first stand first.
        n: labelled responses, shape (combinations,), each at least 1.
        k: of them with the outcome, shape (combinations,).
        of_cell: combination of each cell of the design, shape (cells,).
    """

    x: FloatArray
    n: FloatArray
    k: FloatArray
    of_cell: IntArray

    def scores(self, design: Design, fitted: FloatArray) -> FloatArray:
        """Each cell's regressors times its sum of residuals, shape (cells, p).

        Args:
            design: the design that was combined.
            fitted: expected share of responses with the outcome, shape (combinations,).
        """
        residual = design.k - design.n * fitted[self.of_cell]
        return np.asarray(self.x[self.of_cell] * residual[:, None], dtype=np.float64)

    def is_full_rank(self) -> bool:
        """Whether all coefficients can be told apart, with responses to spare."""
        parameters = self.x.shape[1]
        return bool(self.n.sum() > parameters and np.linalg.matrix_rank(self.x) == parameters)


def combine(design: Design, *, template_effects: bool = True) -> Combinations:
    """Dummies of all levels but the first, then of all templates, or an intercept."""
    levels = len(design.levels)
    at, of_cell = np.unique(design.template * levels + design.level, return_inverse=True)
    template, level = at // levels, at % levels
    contrasts = _dummies(level, levels)[:, 1:]
    rest = (
        _dummies(template, int(template.max()) + 1) if template_effects else np.ones((len(at), 1))
    )
    return Combinations(
        x=np.column_stack([contrasts, rest]),
        n=np.bincount(of_cell, design.n).astype(np.float64),
        k=np.bincount(of_cell, design.k).astype(np.float64),
        of_cell=of_cell,
    )


def _dummies(codes: IntArray, width: int) -> FloatArray:
    """Indicator columns, shape (rows, width)."""
    return np.asarray(codes[:, None] == np.arange(width), dtype=np.float64)


def too_few_clusters(
    design: Design, *, names: bool = True, templates: bool = True
) -> dict[str, str]:
    """Levels that have fewer than two clusters, and the reason as a phrase.

    Such a level's mean takes its only cluster up whole: the sandwich would
    put its error at zero.
    """
    reasons: dict[str, str] = {}
    for wanted, codes, word in (
        (names, design.name, "name"),
        (templates, design.template, "template"),
    ):
        if wanted:
            single = np.flatnonzero(design.members(codes) < 2)  # noqa: PLR2004 - one is no sample
            reasons |= {design.levels[at]: f"{design.levels[at]} has one {word}" for at in single}
    return reasons
