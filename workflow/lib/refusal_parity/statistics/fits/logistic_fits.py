"""Logistic regressions on levels and templates, for many studies at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from refusal_parity.statistics.designs.counts import Design, codes_of
from refusal_parity.statistics.designs.grid import by_level
from refusal_parity.statistics.designs.reduced import reduced
from refusal_parity.statistics.designs.regressors import (
    are_told_apart,
    is_separated,
    of_one_cluster,
)
from refusal_parity.statistics.fits.logits import fit_logistic
from refusal_parity.statistics.fits.separation import trim
from refusal_parity.statistics.variances.sandwich import counted, sandwich

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import BoolArray, FloatArray, IntArray
    from refusal_parity.statistics.designs.reduced import Reduced
    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.fits.logits import Logistic
    from refusal_parity.statistics.fits.separation import Trimmed
    from refusal_parity.statistics.results import Pair
    from refusal_parity.statistics.variances.sandwich import Counts, Sandwich

_NOT_CONVERGED: Final = "numerical failure (the fit did not converge)"
_TWO: Final = 2
"""Clusters that make a sample."""


@dataclass(frozen=True, eq=False)
class Fits:
    """Fits of those studies that have the same levels left.

    Attributes:
        at: which of all studies they are, shape (studies,).
        studies: of the levels left.
        kept: levels and templates left in each, shape (studies, levels, templates).
        fit: logits.
    """

    at: IntArray
    studies: Studies
    kept: BoolArray
    fit: Logistic

    @cached_property
    def inside(self) -> BoolArray:
        """Cells that were fitted, shape (studies, rows, templates)."""
        grid = self.studies.grid
        return np.asarray(self.kept[:, grid.level] & (grid.n > 0), dtype=np.bool_)

    @cached_property
    def residual(self) -> FloatArray:
        """Sums of residuals, likewise."""
        grid = self.studies.grid
        residual = np.empty_like(self.studies.k)
        # Study by study: all at once do not fit the processor's cache.
        for left, seen, chance, inside in zip(
            residual, self.studies.k, self.fit.chance, self.inside, strict=True
        ):
            np.subtract(seen, grid.n * chance[grid.level], out=left)
            left[~inside] = 0
        return residual

    @cached_property
    def named(self) -> FloatArray:
        """Rows that each level has at each template, shape (studies, levels, templates)."""
        grid = self.studies.grid
        return np.asarray(self.kept * by_level(grid, (grid.n > 0).astype(np.float64)))

    @cached_property
    def counts(self) -> Counts:
        """Clusters, responses and coefficients."""
        templates = self.kept.any(axis=1).sum(axis=1)
        parameters = np.asarray(templates + len(self.studies.grid.levels) - 1, dtype=np.float64)
        return counted(self.inside, self.studies, parameters)

    @cached_property
    def normal(self) -> Reduced:
        """The normal equations of the last step."""
        return reduced(self.fit.weights)

    @cached_property
    def sandwich(self) -> Sandwich:
        """Covariances of the log odds ratios."""
        return sandwich(self.studies, self.residual, self.normal.influence, self.counts)

    @cached_property
    def largest(self) -> FloatArray:
        """The covariance that residuals as large as the outcomes could give, (studies, q, q)."""
        return np.asarray(self.normal.inverse * np.reshape(self.counts.rows, (-1, 1, 1)))

    @cached_property
    def lone_names(self) -> BoolArray:
        """Levels that have one name left, shape (studies, levels)."""
        named = np.asarray(self.inside.any(axis=2), dtype=np.float64)[..., None]
        return np.asarray(by_level(self.studies.grid, named)[..., 0] < _TWO, dtype=np.bool_)

    @cached_property
    def lone_templates(self) -> BoolArray:
        """Levels that have one template left, shape (studies, levels)."""
        return np.asarray(self.kept.sum(axis=2) < _TWO, dtype=np.bool_)

    def design(self, study: int) -> Design:
        """What was fitted to one study."""
        grid, inside = self.studies.grid, self.inside[study]
        row, template = np.nonzero(inside)
        return Design(
            grid.levels,
            grid.level[row],
            codes_of(self.studies.names[row]),
            codes_of(template),
            grid.n[inside],
            self.studies.k[study][inside],
        )

    def why_none(self, study: int) -> str:
        """Why a study has no fit."""
        design = self.design(study)
        if not are_told_apart(design):
            return "levels and templates cannot be told apart"
        if is_separated(design):
            return "separation: levels and templates predict the outcome without error"
        return _NOT_CONVERGED

    def alone(self, *, names: bool, templates: bool) -> dict[int, dict[Pair, str]]:
        """Pairs that are compared by way of one cluster alone, by study, with reasons."""
        # Levels with two templates in common, and one with two names of each, have no such pair.
        shared, twice = (
            np.einsum("slt,smt->slm", each, each).min(axis=(1, 2))
            for each in ((self.named > 0).astype(np.float64), (self.named > 1).astype(np.float64))
        )
        doubtful = np.zeros(len(self.at), dtype=np.bool_)
        if templates:
            doubtful |= shared < _TWO
        if names:
            doubtful |= twice < 1
        return {
            int(study): of_one_cluster(self.design(int(study)), names=names, templates=templates)
            for study in np.flatnonzero(doubtful & ~self.none)
        }

    @cached_property
    def none(self) -> BoolArray:
        """Studies without a fit, or with no response to spare, shape (studies,)."""
        unknown = np.isnan(self.fit.coefficients).any(axis=1)
        return np.asarray(unknown | (self.counts.rows <= self.counts.parameters), dtype=np.bool_)


@lru_cache(maxsize=2)
def trimmed(studies: Studies) -> Trimmed:
    """What is left of studies where templates and levels all have both outcomes."""
    return trim(studies.level_n, studies.level_k)


@lru_cache(maxsize=2)
def fits_of(studies: Studies) -> list[Fits]:
    """Fits of all studies that have two levels left, those with the same levels together."""
    left_over = trimmed(studies)
    levels = np.asarray(left_over.kept.any(axis=2))
    found = []
    for left in np.unique(levels, axis=0):
        if left.sum() < _TWO:
            continue
        at = np.flatnonzero((levels == left).all(axis=1))
        of_these = studies.take(at).keep(np.flatnonzero(left))
        # Columns that none of the levels left has are gone.
        used = studies.level_n[left].any(axis=0) if not left.all() else slice(None)
        kept = left_over.kept[np.ix_(at, np.flatnonzero(left))][..., used]
        n = np.where(kept, of_these.level_n, 0)
        fit = fit_logistic(n, np.where(kept, of_these.level_k, 0))
        found.append(Fits(at, of_these, kept, fit))
    return found
