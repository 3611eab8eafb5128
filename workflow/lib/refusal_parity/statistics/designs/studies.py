"""Counts of many studies of one design; one study is a batch of one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from refusal_parity.statistics.designs.counts import Design, codes_of
from refusal_parity.statistics.designs.grid import Grid, Noise, by_level
from refusal_parity.statistics.results import Pair, pairs_of
from refusal_parity.statistics.rounding import less

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refusal_parity.statistics.designs.counts import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Studies:
    """Counts of many studies with the same levels, names, templates and responses.

    Rows of the grid are names; where a name meets several levels, as it does
    system prompts, it has a row for each. Told from others by being the same
    object, so that what several methods take from them is computed once.

    Attributes:
        grid: what they have in common.
        k: responses with the outcome, shape (studies, rows, templates); or the sum of
            any other quantity over them.
        template_effects: whether levels are compared within templates: not where they
            are a property of these.
        every_pair: whether all pairs of levels are compared, or those with the first.
    """

    grid: Grid
    k: FloatArray
    template_effects: bool = True
    every_pair: bool = False

    @classmethod
    def of(cls, designs: Sequence[Design], *, template_effects: bool = True) -> Studies:
        """The studies of designs that count the same responses, with all pairs of levels."""
        first = designs[0]
        rows, row = np.unique(
            np.column_stack([first.name, first.level]), axis=0, return_inverse=True
        )
        shape = (len(rows), int(first.template.max()) + 1)
        cell = row.ravel() * shape[1] + first.template

        def laid_out(values: FloatArray) -> FloatArray:
            return np.bincount(cell, values, shape[0] * shape[1]).reshape(shape).astype(np.float64)

        noise = first.noise and Noise(laid_out(first.noise.variance), first.noise.step)
        grid = Grid(first.levels, rows[:, 1], laid_out(first.n), rows[:, 0], noise)
        k = np.stack([laid_out(design.k) for design in designs])
        return cls(grid, k, template_effects, every_pair=True)

    def __len__(self) -> int:
        """How many studies."""
        return len(self.k)

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs of levels that are compared."""
        every = pairs_of(self.grid.levels)
        return tuple(every if self.every_pair else every[: len(self.grid.levels) - 1])

    @cached_property
    def codes(self) -> tuple[IntArray, IntArray]:
        """Codes of each pair's level and reference."""
        at = [[self.grid.levels.index(level) for level in pair] for pair in self.pairs]
        group, reference = np.array(at, dtype=np.intp).reshape(-1, 2).T
        return group, reference

    @cached_property
    def names(self) -> IntArray:
        """Code of each row's name, shape (rows,)."""
        named = np.arange(len(self.grid.level)) if self.grid.name is None else self.grid.name
        return codes_of(named)

    @cached_property
    def is_nested(self) -> bool:
        """Whether every name is of one level."""
        return len(self.names) == int(self.names.max(initial=-1)) + 1

    @cached_property
    def level_k(self) -> FloatArray:
        """Shape (studies, levels, templates)."""
        return by_level(self.grid, self.k)

    @cached_property
    def level_n(self) -> FloatArray:
        """Shape (levels, templates)."""
        return by_level(self.grid, self.grid.n)

    @cached_property
    def rates(self) -> FloatArray:
        """Rate of each level, shape (studies, levels)."""
        return np.asarray(self.level_k.sum(axis=2) / self.level_n.sum(axis=1), dtype=np.float64)

    @cached_property
    def name_k(self) -> FloatArray:
        """Responses with the outcome of each row, shape (studies, rows)."""
        return np.asarray(self.k.sum(axis=2), dtype=np.float64)

    @cached_property
    def name_n(self) -> FloatArray:
        """Responses of each row, shape (rows,)."""
        return np.asarray(self.grid.n.sum(axis=1), dtype=np.float64)

    @cached_property
    def varies(self) -> BoolArray:
        """Whether the outcome does, shape (studies,): any cell other than none or all."""
        # Not by sums: changes of rates add up to 0 where they go both ways.
        none, every = self.k == 0, self.k == self.grid.n
        return np.asarray(~none.all(axis=(1, 2)) & ~every.all(axis=(1, 2)), dtype=np.bool_)

    @cached_property
    def layout(self) -> Design:
        """The cells without their outcomes, in the order of the grid's rows."""
        row, template = np.nonzero(self.grid.n)
        n = self.grid.n[row, template]
        level = self.grid.level[row]
        return Design(self.grid.levels, level, self.names[row], codes_of(template), n, 0 * n)

    def by_name(self, values: FloatArray) -> FloatArray:
        """Sums over the rows of each name: (..., rows, columns) to (..., names, columns)."""
        if self.is_nested:
            return values
        belongs = self.names == np.arange(int(self.names.max()) + 1)[:, None]
        return np.asarray(belongs.astype(np.float64) @ values, dtype=np.float64)

    def differences(self, values: FloatArray) -> FloatArray:
        """Of each pair, from values by level on the last axis; 0 where they differ by rounding."""
        group, reference = self.codes
        return less(values[..., group], values[..., reference])

    def keep(self, levels: IntArray) -> Studies:
        """The studies of some levels only, without the templates that have none of them."""
        if len(levels) == len(self.grid.levels):
            return self
        chosen = np.isin(self.grid.level, levels)
        left, level = np.unique(self.grid.level[chosen], return_inverse=True)
        n, noise = self.grid.n[chosen], self.grid.noise
        used = n.any(axis=0)
        grid = Grid(
            tuple(self.grid.levels[at] for at in left),
            level,
            n[:, used],
            None if self.grid.name is None else self.grid.name[chosen],
            noise and Noise(noise.variance[chosen][:, used], noise.step),
        )
        k = self.k[:, chosen][..., used]
        return Studies(grid, k, self.template_effects, self.every_pair)

    def without(self, levels: Sequence[str]) -> Studies:
        """The studies of the other levels only."""
        kept = [at for at, level in enumerate(self.grid.levels) if level not in levels]
        return self.keep(np.array(kept, dtype=np.intp))

    def take(self, studies: IntArray) -> Studies:
        """Some of the studies."""
        if len(studies) == len(self):
            return self
        return Studies(self.grid, self.k[studies], self.template_effects, self.every_pair)
