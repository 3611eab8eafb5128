"""Distances of studies without a difference, compiled: what `null_distances` gives, much faster.

A benchmark holds each of thousands of studies against hundreds of others. Here these are drawn
one by one in compiled loops, by the tables that `drawing.simulate` draws from, and measured by
`quick_distances`; `tests/statistics/test_quick_null.py` holds their numbers against the package's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from quick_distances import compiled, distances

from refusal_parity.statistics.simulation import drawing
from refusal_parity.statistics.simulation.calibration import HALFWAY
from refusal_parity.statistics.simulation.latent import fit_latent

if TYPE_CHECKING:
    import numpy.typing as npt
    from quick_distances import Design

    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.simulation.latent import Latent

    Array = npt.NDArray[Any]

STEPS = drawing._STEPS  # noqa: SLF001 - the same tables


class Tables(NamedTuple):
    """A null model, for the compiled loops.

    Attributes:
        deviations: of templates, and of templates within levels.
        mean: of each level.
        of_name: the deviation of each row's name.
        start: where in a table of tails a cell's own begins, shape (names, templates).
        tails: as `drawing` has them.
        scale: steps of the tables that a unit of the latent scale has.
    """

    deviations: Array
    mean: Array
    of_name: Array
    start: Array
    tails: Array
    scale: float


def tables_of(studies: Studies, latent: Latent) -> Tables:
    """The tables of a null model."""
    grid = studies.grid
    counts, which = np.unique(grid.n, return_inverse=True)
    return Tables(
        np.sqrt(np.array([latent.template, latent.template_group])),
        latent.mean,
        np.sqrt(latent.name[grid.level]),
        which.reshape(grid.n.shape) * STEPS,
        drawing._tails(latent.cell, latent.sample, tuple(counts.astype(int))),  # noqa: SLF001
        STEPS / (2 * drawing._FAR * float(np.sqrt(latent.cell + latent.sample))),  # noqa: SLF001
    )


class QuickNull:
    """The null model of one study, from which more and more studies are drawn."""

    def __init__(
        self, studies: Studies, at: int, design: Design, random: np.random.Generator
    ) -> None:
        """Fit the model.

        Args:
            studies: of one design.
            at: which of them.
            design: of `quick_distances.design_of`.
            random: where draws come from.
        """
        latent = fit_latent(studies.grid, studies.k[at], own=HALFWAY)
        self.known = latent is not None
        self._design, self._random = design, random
        if latent is not None:
            self._tables = tables_of(studies, latent)

    def distances(self, count: int) -> Array:
        """Of so many further studies, shape (count, pairs)."""
        found: Array = null_distances(self._design, self._tables, count, self._random)
        return found


@compiled  # type: ignore[untyped-decorator]
def null_distances(  # noqa: D103
    design: Design, tables: Tables, count: int, random: np.random.Generator
) -> Array:
    found = np.empty((count, len(design.names) - 1))
    k = np.zeros(design.n.shape)
    for at in range(count):
        seed = np.uint64(random.random() * 2.0**53)
        draw(k, design.level, tables, random, seed)
        found[at] = distances(k, design)
    return found


@compiled  # type: ignore[untyped-decorator]
def draw(
    k: Array, level: Array, tables: Tables, random: np.random.Generator, seed: np.uint64
) -> None:
    """One study, its counts written into k; cells by SplitMix64 (Steele, Lea and Flood 2014)."""
    names, templates = k.shape
    most, steps = len(tables.tails), STEPS
    state = seed
    groups = len(tables.mean)
    shared = np.empty((groups, templates))
    for t in range(templates):
        of_template = tables.deviations[0] * random.standard_normal()
        for g in range(groups):
            own = tables.deviations[1] * random.standard_normal()
            shared[g, t] = (tables.mean[g] + of_template + own) * tables.scale + steps / 2
    for i in range(names):
        of_name = tables.of_name[i] * random.standard_normal() * tables.scale
        for t in range(templates):
            place = min(max(shared[level[i], t] + of_name, 0.0), steps - 1.0)
            at = tables.start[i, t] + int(place)
            state += np.uint64(0x9E3779B97F4A7C15)
            mixed = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            mixed ^= mixed >> np.uint64(31)
            luck = (mixed >> np.uint64(11)) * 2.0**-53
            hits = 0
            while hits < most and luck < tables.tails[hits, at]:
                hits += 1
            k[i, t] = hits
