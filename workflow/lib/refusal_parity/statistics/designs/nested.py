"""Levels whose units meet nothing else: prompts of a list, conversations of a data set.

A unit is what is drawn anew: the prompt, or a cluster of prompts where these are alike.
Its responses are not independent, so that all errors are those of units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.rounding import is_noise

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import Design, FloatArray, IntArray
    from refusal_parity.statistics.designs.studies import Studies


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelMoments:
    """Rate or mean of each level, and what its units say of its error.

    Attributes:
        mean: sum of the outcome over responses, by responses, shape (studies, levels).
        covariance: of these means, CR2 by unit, shape (studies, levels, levels); 0 between
            levels that no unit meets both.
        df: Satterthwaite's degrees of freedom of each variance, shape (levels,).
        shared: what units that meet two levels take from their joint degrees of freedom,
            shape (levels, levels).
        units: units of each level, shape (levels,).
        effective: Kish's number of units: as many of one size would say as much if all
            responses of a unit were alike, shape (levels,).
        responses: shape (levels,).
        rarer: units with the outcome or units without it, whichever are fewer, shape
            (studies, levels).
    """

    mean: FloatArray
    covariance: FloatArray
    df: FloatArray
    shared: FloatArray
    units: FloatArray
    effective: FloatArray
    responses: FloatArray
    rarer: FloatArray

    @property
    def variance(self) -> FloatArray:
        """Of each level's mean, shape (studies, levels)."""
        return np.asarray(np.einsum("sll->sl", self.covariance), dtype=np.float64)

    def of_difference(self, group: IntArray, reference: IntArray) -> tuple[FloatArray, FloatArray]:
        """Variance and degrees of freedom of differences, each of shape (studies, pairs).

        Those of Welch (1947, Biometrika 34:28-35) where no unit meets both levels; in
        general Satterthwaite's for a working model in which each level has the variance
        that was estimated of it, as Pustejovsky and Tipton (2018) have it for equal ones.

        Args:
            group: code of one level of each pair, shape (pairs,).
            reference: code of the other.
        """
        ours, others = self.variance[:, group], self.variance[:, reference]
        variance = ours + others - 2 * self.covariance[:, group, reference]
        variance = np.where(is_noise(variance, ours + others), 0, variance)
        expected = ours + others
        spread = (
            ours**2 / self.df[group]
            + others**2 / self.df[reference]
            + 2 * ours * others * self.shared[group, reference]
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            return variance, expected**2 / spread


def level_moments(studies: Studies) -> LevelMoments:
    """Means of levels with their CR2 covariance, clustered by unit; see `moments_of`."""
    counted = UnitCounts(studies.grid.level, studies.names, studies.name_n)
    return moments_of(counted, studies.name_k, len(studies.grid.levels))


class UnitCounts(NamedTuple):
    """Responses by unit and level, three arrays of shape (rows,).

    Attributes:
        level: code.
        unit: code; a unit may meet several levels, and has a row for each.
        n: responses.
    """

    level: IntArray
    unit: IntArray
    n: FloatArray


def moments_of(counted: UnitCounts, k: FloatArray, levels: int) -> LevelMoments:
    """Means of levels with their CR2 covariance, clustered by unit.

    With h the share of a level's responses that a unit has there and r the sum of its
    residuals, the unit's term is r / (N sqrt(1 - h)), N the level's responses: CR2 of the
    regression of responses on levels (Bell and McCaffrey 2002, Survey Methodology
    28:169-181). Where units have equally many responses it is the variance of Welch's
    test of their means. Degrees of freedom are those of Pustejovsky and Tipton (2018,
    JBES 36:672-683) for one level: 1 / (sum h^2 + (sum q)^2 - sum q^2), q = h^2 / (1 - h).

    Args:
        counted: of all studies. Of a level with one unit nothing is known.
        k: responses with the outcome, or sums of a quantity, shape (studies, rows).
        levels: how many.
    """
    level, unit, n = counted
    units = int(unit.max(initial=-1)) + 1
    responses = np.bincount(level, n, levels)
    belongs = (level[:, None] == np.arange(levels)).astype(np.float64)
    mean = np.asarray(k @ belongs / responses, dtype=np.float64)
    share = n / responses[level]
    with np.errstate(divide="ignore", invalid="ignore"):
        residual = k - mean[:, level] * n
        residual = np.where(is_noise(residual**2, k**2 + n**2), 0, residual)
        terms = residual / (responses[level] * np.sqrt(1 - share))
        q = share**2 / (1 - share)
    table = np.zeros((len(k), levels, units))
    table[:, level, unit] = terms
    h, t = np.zeros((levels, units)), np.zeros((levels, units))
    h[level, unit], t[level, unit] = share, np.sqrt(q)
    one = np.bincount(level, minlength=levels) < 2  # noqa: PLR2004 - one is no sample
    h[one], t[one] = np.nan, np.nan
    table[:, one] = np.nan
    both = t[:, None] * t[None]
    overlap = (h[:, None] * h[None]).sum(axis=2)
    shared = overlap + both.sum(axis=2) ** 2 - (both**2).sum(axis=2)
    return LevelMoments(
        mean=mean,
        covariance=np.einsum("slu,smu->slm", table, table),
        df=1 / np.diag(shared),
        shared=shared,
        units=np.bincount(level, minlength=levels).astype(np.float64),
        effective=responses**2 / np.bincount(level, n**2, levels),
        responses=responses.astype(np.float64),
        rarer=np.minimum(*((each > 0).astype(np.float64) @ belongs for each in (k, n - k))),
    )


class UnitVariance(NamedTuple):
    """Rate over all responses, and its variance between units of a level and within units."""

    rate: float
    between: float
    within: float


def unit_variance(design: Design) -> UnitVariance:
    """The analysis of variance's estimates, none below 0.

    (Searle, Casella and McCulloch 1992, *Variance Components*, chapter 3.) With one response
    to each unit, all of it is between units.

    Args:
        design: counts of a prompt list whose units are of one level each.
    """
    level, n, k = design.by_name()
    levels = len(design.levels)
    mean = (np.bincount(level, k, levels) / np.bincount(level, n, levels))[level]
    spare, units = float(n.sum() - len(n)), max(len(n) - levels, 1)
    outer = float((n * (k / n - mean) ** 2).sum()) / units
    inner = float((k * (1 - k / n)).sum()) / spare if spare > 0 else 0.0
    # As many responses a unit as count, where units have unlike numbers of them.
    squares = np.bincount(level, n**2, levels) / np.bincount(level, n, levels)
    size = float(n.sum() - squares.sum()) / units
    between = max(outer - inner, 0.0) / size if size > 0 else 0.0
    return UnitVariance(float(k.sum() / n.sum()), between, inner)
