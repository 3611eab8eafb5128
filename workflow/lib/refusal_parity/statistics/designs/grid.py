"""The counts of a comparison laid out as names x templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import Design, FloatArray, IntArray


class Noise(NamedTuple):
    """What is known of the errors that prompts' rates are measured with.

    Attributes:
        variance: of the sum over the prompts of each cell, shape as that of `n`.
        step: what one response moves a prompt's rate by, on average over prompts.
    """

    variance: FloatArray
    step: float


class Grid(NamedTuple):
    """A study in full rows and columns: names by templates.

    Attributes:
        levels: levels with labelled responses, the reference first.
        level: level of each row, shape (rows,).
        n: labelled responses, shape (rows, templates); 0 where there is none.
        name: name of each row, shape (rows,); None where each is a name of its own.
        noise: of what is measured with an error; None of what is counted.
    """

    levels: tuple[str, ...]
    level: IntArray
    n: FloatArray
    name: IntArray | None = None
    noise: Noise | None = None


def grid_of(design: Design) -> Grid:
    """The grid of a design.

    Raises:
        ValueError: a name stands at two levels, so levels are no property of names.
    """
    noise = design.noise and Noise(in_grid(design, design.noise.variance), design.noise.step)
    level = design.by_name().level
    return Grid(design.levels, level, in_grid(design, design.n), noise=noise)


def in_grid(design: Design, values: FloatArray) -> FloatArray:
    """Values by cell in the grid of a design, shape (names, templates)."""
    shape = (int(design.name.max(initial=-1)) + 1, int(design.template.max(initial=-1)) + 1)
    cell = design.name * shape[1] + design.template
    return np.bincount(cell, values, shape[0] * shape[1]).reshape(shape).astype(np.float64)


def by_level(grid: Grid, values: FloatArray) -> FloatArray:
    """Sums over the names of each level: (..., names, columns) to (..., levels, columns)."""
    belongs = (grid.level == np.arange(len(grid.levels))[:, None]).astype(np.float64)
    return np.asarray(belongs @ values, dtype=np.float64)
