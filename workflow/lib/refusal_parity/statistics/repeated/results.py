"""Many studies of one design, and what a method says of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.distributions import t_sf
from refusal_parity.statistics.grid import Grid, by_level

if TYPE_CHECKING:
    from refusal_parity.statistics.design import BoolArray, FloatArray, IntArray
    from refusal_parity.vocabulary import Estimand, Method


@dataclass(frozen=True, eq=False)
class Studies:
    """Counts of many studies with the same names, templates and responses.

    Told from others by being the same object, so that what several methods
    take from them is computed once.

    Attributes:
        grid: what they have in common.
        k: responses with the outcome, shape (studies, names, templates).
    """

    grid: Grid
    k: FloatArray

    @cached_property
    def level_k(self) -> FloatArray:
        """Shape (studies, levels, templates)."""
        return by_level(self.grid, self.k)

    @cached_property
    def level_n(self) -> FloatArray:
        """Shape (levels, templates)."""
        return by_level(self.grid, self.grid.n)

    @cached_property
    def name_rates(self) -> FloatArray:
        """Shape (studies, names)."""
        return np.asarray(self.k.sum(axis=2) / self.grid.n.sum(axis=1), dtype=np.float64)

    def keep(self, levels: IntArray) -> Studies:
        """The studies of some levels only; templates without a response stay as empty columns."""
        if len(levels) == len(self.grid.levels):
            return self
        chosen = np.isin(self.grid.level, levels)
        left, level = np.unique(self.grid.level[chosen], return_inverse=True)
        grid = Grid(tuple(self.grid.levels[at] for at in left), level, self.grid.n[chosen])
        return Studies(grid, self.k[:, chosen])


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """One method's answers; NaN where a study leaves none.

    Attributes:
        method: how they were computed.
        estimand: what is estimated or tested.
        groups: level compared with the reference, or None alone for a global test.
        estimate: shape (studies, groups); None in a global test.
        std_error: same shape, where the method has one.
        df: degrees of freedom, of a shape that fits.
        p_value: shape (studies, groups); None where the method gives an interval alone.
        low: lower end of the interval, same shape, where there is one.
        high: its upper end.
    """

    method: Method
    estimand: Estimand
    groups: tuple[str | None, ...]
    estimate: FloatArray | None = None
    std_error: FloatArray | None = None
    df: FloatArray | None = None
    p_value: FloatArray | None = None
    low: FloatArray | None = None
    high: FloatArray | None = None

    def rejects(self, alpha: float, *, null: float) -> Verdicts:
        """Where p <= alpha, or without a p-value where the interval leaves the null value out."""
        if self.p_value is not None:
            return Verdicts(~np.isnan(self.p_value), self.p_value <= alpha)
        return self.misses(np.array(null))

    def shifted(self, margin: float) -> Repeated:
        """The equivalence test with every estimate moved by its margin.

        p = P(T > (m - |b + m|) / se): what it would be with a true difference
        of the margin more.
        """
        if self.estimate is None or self.std_error is None or self.df is None:
            message = f"{self.method} has no standard error"
            raise ValueError(message)
        distance = margin - np.abs(self.estimate + margin)
        p_value = np.asarray(t_sf(distance / self.std_error, self.df), dtype=np.float64)
        return replace(self, p_value=p_value)

    def misses(self, truth: FloatArray) -> Verdicts:
        """Where the interval leaves the truth out.

        Args:
            truth: broadcast to (studies, groups).

        Raises:
            ValueError: the method has no interval.
        """
        if self.low is None or self.high is None:
            message = f"{self.method} has no interval"
            raise ValueError(message)
        known = ~(np.isnan(self.low) | np.isnan(self.high))
        return Verdicts(known, known & ((truth < self.low) | (truth > self.high)))


class Verdicts(NamedTuple):
    """Arrays of shape (studies, groups): whether there is an answer, and whether it is `wrong`."""

    known: BoolArray
    wrong: BoolArray
