"""Distances of studies without a difference, compiled: what `null_distances` gives, much faster.

A benchmark holds each of thousands of studies against hundreds of others. Here these are drawn
and measured one by one in compiled loops, by the tables that `drawing.simulate` draws from and the
formulas of `effective`; `tests/statistics/test_quick_null.py` holds their numbers against the
package's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numba
import numpy as np

from refusal_parity.statistics.designs.reduced import reduced
from refusal_parity.statistics.simulation import drawing
from refusal_parity.statistics.simulation.calibration import HALFWAY
from refusal_parity.statistics.simulation.latent import fit_latent

if TYPE_CHECKING:
    import numpy.typing as npt

    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.simulation.latent import Latent

    Array = npt.NDArray[Any]

STEPS = drawing._STEPS  # noqa: SLF001 - the same tables
compiled = numba.njit(error_model="numpy")
"""Numbers as numpy has them: 1 / 0 is infinite."""

_FARTHEST = 64.0
_EXACT = 1e-12
_TIE = 1e-12
_NOISE = 1e-20
_LEAST = 1e-9


class Design(NamedTuple):
    """What studies of one design have in common, for the compiled loops."""

    level: Array
    n: Array
    name_n: Array
    level_n: Array
    inverse: Array
    share: Array
    names: Array
    spare: Array
    units: Array
    cells: Array
    of_cell: Array
    weight: Array
    paired: Array


def design_of(studies: Studies) -> Design:
    """Of studies that are compared with the first level, names in one level each."""
    n, level = studies.grid.n, studies.grid.level
    belongs = (level == np.arange(len(studies.grid.levels))[:, None]).astype(float)
    level_n = studies.level_n
    there = level_n > 0
    names = belongs.sum(axis=1)
    normal = reduced(level_n)
    weight = level_n[1:] * level_n[0] / np.where(there[1:] | there[0], level_n[1:] + level_n[0], 1)
    return Design(
        level=level.astype(np.int64),
        n=n,
        name_n=studies.name_n,
        level_n=level_n,
        inverse=normal.inverse,
        share=normal.share,
        names=names,
        spare=np.maximum(names - 1, 1),
        units=np.minimum(names, there.sum(axis=1)),
        cells=np.maximum(belongs @ (n > 0).sum(axis=1) - names - there.sum(axis=1) + 1, 1),
        of_cell=(belongs @ n**2) / np.where(there, level_n, 1) ** 2,
        weight=weight / weight.sum(axis=1, keepdims=True),
        paired=(weight > 0).sum(axis=1),
    )


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
            design: of `design_of`.
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


@compiled  # type: ignore[untyped-decorator]
def distances(k: Array, design: Design) -> Array:
    """`effective(...).rates.distance()` of one study."""
    groups = len(design.names)
    size = np.array([row.sum() for row in design.level_n])
    level_k = np.zeros(design.level_n.shape)
    for i in range(len(k)):
        level_k[design.level[i]] += k[i]
    rate = np.array([row.sum() for row in level_k]) / size
    levels = _levels(level_k, design)
    fitted, mean = _fitted(level_k, levels, design.level_n)
    own, squares = _residuals(k, fitted, mean, design)

    spread = rate * (1 - rate)
    own *= design.names / design.spare / size**2
    own = np.where(own <= _NOISE, 0.0, own)
    whole = (design.spare * spread).sum()
    effect = (design.spare * size * own).sum() / (whole if whole > 0 else 1.0)
    by_name = (own + effect * spread / size) / 2
    alone = size / max(effect, _LEAST) if whole > 0 else design.units
    found = np.empty(groups - 1)
    for g in range(1, groups):
        both = spread[g] + spread[0]
        part = _by_template(g, mean, squares, design) / (both if both > 0 else 1.0)
        variance = by_name + part * spread
        worth = np.empty(2)
        for at, code in enumerate((g, 0)):
            known = variance[code] > 0 and spread[code] > 0
            worth[at] = min(spread[code] / variance[code] if known else alone[code], size[code])
        away = levels[g] if abs(levels[g]) > _TIE else 0.0
        found[g - 1] = _distance(away, rate[g], rate[0], worth[0], worth[1])
    return found


@compiled  # type: ignore[untyped-decorator]
def _levels(level_k: Array, design: Design) -> Array:
    """Differences of the levels from the first, within templates."""
    groups, templates = level_k.shape
    score, levels = np.zeros(groups), np.zeros(groups)
    for t in range(templates):
        whole = level_k[:, t].sum()
        for g in range(1, groups):
            score[g] += level_k[g, t] - design.share[g, t] * whole
    for g in range(1, groups):
        for h in range(1, groups):
            levels[g] += design.inverse[g - 1, h - 1] * score[h]
    return levels


@compiled  # type: ignore[untyped-decorator]
def _residuals(k: Array, fitted: Array, mean: Array, design: Design) -> tuple[Array, Array]:
    """Of each level the squares of names' sums of residuals, and those that cells leave."""
    names, templates = k.shape
    own, squares = np.zeros(len(mean)), np.zeros(len(mean))
    for i in range(names):
        g = design.level[i]
        residual = 0.0
        for t in range(templates):
            residual += k[i, t] - design.n[i, t] * fitted[g, t]
        own[g] += residual**2
        of_name = residual / design.name_n[i] if design.name_n[i] > 0 else 0.0
        for t in range(templates):
            if design.n[i, t] > 0:
                left = k[i, t] / design.n[i, t] - fitted[g, t] - mean[g, t] - of_name
                squares[g] += left**2
    return own, squares


@compiled  # type: ignore[untyped-decorator]
def _fitted(level_k: Array, levels: Array, level_n: Array) -> tuple[Array, Array]:
    """What levels and templates make of a rate, and the mean residual of each level's template."""
    groups, templates = level_k.shape
    fitted, mean = np.empty((groups, templates)), np.empty((groups, templates))
    for t in range(templates):
        left, whole = 0.0, 0.0
        for g in range(groups):
            left += level_k[g, t] - levels[g] * level_n[g, t]
            whole += level_n[g, t]
        for g in range(groups):
            fitted[g, t] = levels[g] + (left / whole if whole > 0 else 0.0)
            own_n = level_n[g, t] if level_n[g, t] > 0 else 1.0
            mean[g, t] = (level_k[g, t] - level_n[g, t] * fitted[g, t]) / own_n
    return fitted, mean


@compiled  # type: ignore[untyped-decorator]
def _by_template(g: int, mean: Array, squares: Array, design: Design) -> float:
    """What templates add to the variance of a difference."""
    weight = design.weight[g - 1]
    middle, seen, noise = 0.0, 0.0, 0.0
    for t in range(len(weight)):
        middle += weight[t] * (mean[g, t] - mean[0, t])
    for t in range(len(weight)):
        seen += (weight[t] * (mean[g, t] - mean[0, t] - middle)) ** 2
        for code in (g, 0):
            noise += squares[code] / design.cells[code] * weight[t] ** 2 * design.of_cell[code, t]
    paired = design.paired[g - 1]
    seen *= paired / max(paired - 1, 1)
    return max(seen - noise, 0.0) if abs(seen - noise) > _TIE * (seen + noise) else 0.0


@compiled  # type: ignore[untyped-decorator]
def _limit(rate: float, n: float, quantile: float, side: float) -> float:
    """How far Wilson's limit lies from the rate, above it or below."""
    a = quantile**2 / n
    middle = (rate + a / 2) / (1 + a)
    half = np.sqrt(rate * (1 - rate) * a + a**2 / 4) / (1 + a)
    return float(abs(min(max(middle + side * half, 0.0), 1.0) - rate))


@compiled  # type: ignore[untyped-decorator]
def _distance(away: float, rate: float, other: float, n: float, of_other: float) -> float:
    """The quantile at which a limit of the difference reaches 0, by false position (Illinois)."""
    side = -1.0 if away > 0 else 1.0
    size = abs(away)
    if size == 0:
        return 0.0

    low, high, at_low, at_high = 0.0, 2.0, -size, 0.0
    while True:
        at_high = np.hypot(_limit(rate, n, high, side), _limit(other, of_other, high, -side)) - size
        if at_high >= 0 or high >= _FARTHEST:
            break
        low, at_low, high = high, at_high, 2 * high
    if at_high < 0:
        return _FARTHEST
    last = 0
    while high - low > _EXACT * high and at_high > 0:
        middle = (low * at_high - high * at_low) / (at_high - at_low)
        if not low < middle < high:
            break
        there = np.hypot(_limit(rate, n, middle, side), _limit(other, of_other, middle, -side))
        if there >= size:
            high, at_high = middle, there - size
            at_low /= 2 if last == 1 else 1
            last = 1
        else:
            low, at_low = middle, there - size
            at_high /= 2 if last == -1 else 1
            last = -1
    return high
