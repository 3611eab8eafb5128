"""Studies drawn from a latent scale."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from scipy.special import comb, ndtr

from refusal_parity.statistics.designs.grid import by_level

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray, IntArray
    from refusal_parity.statistics.designs.grid import Grid
    from refusal_parity.statistics.simulation.latent import Latent

    Singles = npt.NDArray[np.float32]

_STEPS: Final = 4096
"""Steps that the scale is cut into: what a score is rounded by has 1e-6 of the variance."""
_FAR: Final = 8.0
"""Standard deviations of a response about its name and template, beyond which it is certain."""
_CLOSE: Final = 0.5
"""Distance of the nodes over cells, in the narrower of the two standard deviations: the midpoint
rule is exact to some 1e-15 there."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """Studies drawn from a model, and what is true in them.

    Attributes:
        k: responses with the outcome, shape (studies, names, templates).
        rates_here: expected rate of each group for the templates drawn and new
            names, shape (studies, groups).
    """

    k: FloatArray
    rates_here: FloatArray


def simulate(grid: Grid, latent: Latent, studies: int, random: np.random.Generator) -> Simulated:
    """Draw studies with the grid's own names, templates and responses.

    The effects of names and of templates are drawn, and of each cell one uniform
    number: its count is the number of `_tails` that lie above it, over all that the
    cell's own effect and its responses could be.

    Args:
        grid: names, templates and responses of the study.
        latent: the model.
        studies: how many.
        random: where draws come from.
    """
    names, templates = grid.n.shape
    level = grid.level

    def normal(variance: float | FloatArray, *shape: int) -> FloatArray:
        return np.sqrt(variance) * random.standard_normal((studies, *shape))

    shared = latent.mean[:, None] + normal(latent.template, 1, templates)
    shared = shared + normal(latent.template_group, len(grid.levels), templates)
    of_name = normal(latent.name[level], names)
    k = np.zeros((studies, names, templates))
    scale = _STEPS / (2 * _FAR * np.sqrt(latent.cell + latent.sample))
    by_group = (shared * scale + _STEPS / 2).astype(np.float32)
    by_name = (of_name * scale).astype(np.float32)
    counts, which = np.unique(grid.n, return_inverse=True)
    start = which.reshape(grid.n.shape) * _STEPS
    first, *others = _tails(latent.cell, latent.sample, tuple(counts.astype(int)))
    place = np.empty((names, templates), dtype=np.float32)
    at, drawn, chance = np.empty_like(start), np.empty_like(place), np.empty_like(place)
    # Study by study, in arrays that stay: many at once do not fit the processor's cache.
    for study in range(studies):
        np.take(by_group[study], level, axis=0, out=place, mode="clip")
        place += by_name[study, :, None]
        np.clip(place, 0, _STEPS - 1, out=place)
        at[:] = place
        at += start
        np.take(first, at, out=chance, mode="clip")
        random.random(out=drawn, dtype=np.float32)
        hit = np.flatnonzero(drawn < chance)
        cell, one = at.ravel()[hit], drawn.ravel()[hit]
        k[study].reshape(-1)[hit] = 1 + sum((one < more[cell] for more in others), np.zeros(1))
    weights = by_level(grid, grid.n)
    left = np.sqrt(latent.total - latent.template - latent.template_group)
    expected = ndtr(shared / left[:, None])
    return Simulated(k, (expected * weights).sum(axis=2) / weights.sum(axis=1))


@lru_cache(maxsize=4)
def _tails(cell: float, sample: float, counts: tuple[int, ...]) -> Singles:
    """P(at least j of n responses have the outcome) by the score of name and template.

    Args:
        cell: variance of cells.
        sample: variance of responses, above 0.
        counts: the numbers n.

    Returns:
        For j = 1 to the largest n, shape (largest n, numbers x steps).
    """
    most = max(counts)
    step = 2 * _FAR / _STEPS
    deviation, unit = (float(np.sqrt(each / (cell + sample))) for each in (cell, sample))
    moved, shares = _cells(deviation, unit, step)
    # Cells move a score by whole steps, so that one table of what responses do serves all.
    places = np.arange(-moved[-1], _STEPS + moved[-1])
    scores = ((places + 0.5) * step - _FAR) / unit
    hit, miss = (_powers(ndtr(each), most) for each in (scores, -scores))
    tails = np.zeros((most, len(counts), _STEPS))
    for at, n in enumerate(counts):
        shape = comb(n, np.arange(n + 1))[:, None] * hit[: n + 1] * miss[n::-1]
        given = np.cumsum(shape[::-1], axis=0)[::-1][1:]
        for start, share in zip(moved + moved[-1], shares, strict=True):
            tails[:n, at] += share * given[:, start : start + _STEPS]
    return tails.reshape(most, -1).astype(np.float32)


def _powers(base: FloatArray, most: int) -> FloatArray:
    """Powers from 0 on, shape (powers, numbers)."""
    ones = np.ones((1, len(base)))
    return np.cumprod(np.concatenate([ones, np.broadcast_to(base, (most, len(base)))]), axis=0)


def _cells(deviation: float, unit: float, step: float) -> tuple[IntArray, FloatArray]:
    """By how many steps cells move a score, and their shares."""
    apart = max(int(_CLOSE * min(deviation, unit) / step), 1)
    most = int(_FAR * deviation / step / apart)
    moved = apart * np.arange(-most, most + 1)
    away = moved * step / deviation if deviation else 0.0 * moved
    shares = np.exp(-(away**2) / 2)
    return moved, shares / shares.sum()
