"""How far differences lie from none in studies like this one that have none."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from refusal_parity.counting import counted
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.fits.least_squares import least_squares
from refusal_parity.statistics.simulation.batches import batches
from refusal_parity.statistics.simulation.drawing import simulate
from refusal_parity.statistics.simulation.latent import fit_latent
from refusal_parity.statistics.variances.effective import effective

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from refusal_parity.statistics.designs.counts import BoolArray, FloatArray
    from refusal_parity.statistics.designs.grid import Grid
    from refusal_parity.statistics.registry import Setting

SIMULATED: Final = 999
DECIDING: Final = 399
"""Simulated studies where it only matters on which side of alpha a p-value lies."""
ACROSS_MODELS: Final = 9_999
"""Simulated studies where a p-value is also held against alpha shared out over models."""

HALFWAY: Final = 0.5
"""How much of the variance of a group's names is its own in the null model."""

_SAME: Final = 1e-9
"""Distances closer than this share of their size are equal but for rounding."""


class Null(NamedTuple):
    """Distances from no difference in simulated studies, shape (simulated, pairs).

    The largest of a family in one study tells how far the furthest of several true
    nulls lies: a test against it corrects for their number (Westfall and Young 1993).
    """

    distances: FloatArray

    def exceeded(self, distance: FloatArray, *, together: bool) -> FloatArray:
        """With r of B studies as far, p = (1 + r) / (1 + B) (Phipson and Smyth 2010).

        Args:
            distance: of each pair, shape (pairs,).
            together: held against the largest of all pairs, else against each pair's own.
        """
        seen = self._seen(together=together)
        r = (seen >= distance * (1 - _SAME)).sum(axis=0)
        return np.asarray((1 + r) / (1 + len(seen)), dtype=np.float64)

    def critical(self, alpha: float, *, together: bool) -> FloatArray:
        """The distance beyond which p < alpha, of each pair or of all together."""
        seen = self._seen(together=together)
        most = _most(alpha, len(seen))
        if most < 0:
            return np.full(seen.shape[1:], np.inf)
        return np.asarray(np.sort(seen, axis=0)[-1 - most], dtype=np.float64)

    def tail(self, alpha: float) -> FloatArray:
        """The largest distances of the family, those that `critical_of` may need up to alpha.

        Returns:
            The largest first.
        """
        seen = np.sort(self.distances.max(axis=1))[::-1]
        return np.asarray(seen[: max(_most(alpha, len(seen)), 0) + 1], dtype=np.float64)

    def _seen(self, *, together: bool) -> FloatArray:
        return self.distances.max(axis=1, keepdims=True) if together else self.distances


def critical_of(tail: Sequence[float], level: float, simulated: int) -> float:
    """The distance beyond which p < level, from the largest distances alone.

    Args:
        tail: of `Null.tail` at this level or a higher one.
        level: of the test.
        simulated: B, how many studies the tail is of.
    """
    most = _most(level, simulated)
    return float("inf") if most < 0 else tail[most]


def _most(alpha: float, simulated: int) -> int:
    """How many distances may reach one's own: p < alpha where r <= alpha (1 + B) - 1.

    But for equality.
    """
    return ceil(round(alpha * (1 + simulated), 6)) - 2


def simulations(setting: Setting) -> int:
    """How many studies without a difference a study is held against."""
    if setting.deciding:
        return DECIDING
    return ACROSS_MODELS if setting.across_models else SIMULATED


def family_tails(null: Null | None, against: BoolArray, setting: Setting) -> FloatArray:
    """Of each pair the largest distances of its family (`Null.tail`), shape (pairs, distances).

    Args:
        null: distances of all pairs; without any, NaN.
        against: which pairs are the one family; the others are the other, shape (pairs,).
        setting: alpha.
    """
    kept = max(_most(setting.alpha, simulations(setting)), 0) + 1
    tails = np.full((len(against), kept), np.nan)
    if null is not None:
        for family in (against, ~against):
            if family.any():
                tails[family] = Null(null.distances[:, family]).tail(setting.alpha)
    return tails


def in_batches(count: int, grid: Grid, distances: Callable[[int], FloatArray]) -> Null:
    """Distances of so many studies, of a few at a time (`batches`).

    Args:
        count: how many studies.
        grid: of each.
        distances: simulates so many and gives theirs.
    """
    sizes = batches(count, grid.n.size)
    return Null(np.concatenate([distances(size) for size in sizes]))


def null_distances(
    studies: Studies, at: int, count: int, random: np.random.Generator
) -> Null | None:
    """Simulate studies without a difference from the null model of one study.

    The model is `fit_latent`'s, with a variance of names of each group that lies halfway
    between its own, which is known badly, and that of all: with the latter alone, groups
    whose names vary more than others' look different too often.

    Args:
        studies: of one design.
        at: which of them.
        count: B, how many are simulated.
        random: where draws come from.

    Returns:
        None where the outcome does not vary.
    """
    latent = fit_latent(studies.grid, studies.k[at], own=HALFWAY)
    if latent is None:
        return None

    def distances(number: int) -> FloatArray:
        drawn = simulate(studies.grid, latent, number, random).k
        alike = Studies(studies.grid, drawn, studies.template_effects, studies.every_pair)
        return effective(least_squares(alike)).rates.distance()

    return in_batches(count, studies.grid, distances)


def too_few(studies: Studies, *, names: int, templates: int) -> str | None:
    """Why studies without a difference cannot be simulated from these; None where they can.

    Args:
        studies: of one design.
        names: that it must have at least.
        templates: likewise.
    """
    has = int(studies.names.max()) + 1, int(studies.level_n.any(axis=0).sum())
    if has[0] >= names and has[1] >= templates:
        return None
    return (
        f"{counted(has[0], 'name')} and {counted(has[1], 'template')} tell too little of how "
        f"studies without a difference vary, which takes {names} names and {templates} templates"
    )
