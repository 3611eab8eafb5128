"""The smallest difference that a study shows, from studies simulated with one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.planning.deciding import (
    distances,
    is_calibrated,
    own_farthest,
    shown,
)
from refusal_parity.statistics.simulation.drawing import simulate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.statistics.designs.grid import Grid
    from refusal_parity.statistics.simulation.latent import Latent
    from refusal_parity.vocabulary import Scope

_STUDIES: Final = (400, 1000)
"""Simulated for each difference that is tried, at least and at most: 80 % is known to 1.3 to 2
points."""

_CELLS: Final = 13_000_000
"""Names x templates x studies that are simulated at most, above the least number of studies."""

_FIRST: Final = 8
"""Studies held against their own null models before the first search."""

_SHARE: Final = 15
"""One of so many studies is held against its own null models before the second: 64 know the mean
distance to 1.3 %, since a study's own varies by a tenth."""

_AT_ONCE: Final = 2_000_000
"""Names x templates x studies held at a time: 16 MB an array."""

_STEPS: Final = (1.5, 1.15)
"""Factors by which differences grow until one is found: from a guess, and once one was found."""

_NEAR: Final = 0.01
"""Share of a difference to which the search finds it."""

_FAR: Final = 0.005
"""Rates of groups stay so far from 0 and 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What studies are simulated of, and what is asked of them.

    Attributes:
        grid: names, templates and responses.
        latent: variances, and the rate of the reference.
        scope: to what a result is to generalise.
        alpha: level of the family of tests.
        power: share of studies that are to show the difference.
        seed: of the simulation.
    """

    grid: Grid
    latent: Latent
    scope: Scope
    alpha: float
    power: float
    seed: int


def detectable(planned: Planned, group: int, guess: float) -> float | None:
    """The smallest difference of one group from the reference that is shown with the power.

    All groups have the rate of the reference but for this one, whose rate is higher, or
    lower where the reference's is above one half. Each difference is tried in studies from
    the same random numbers, so that more of it is found more often.

    Where `calibrated` decides, each study is held against its own null model, and the
    stricter the larger a difference is that it takes for variance. How far studies must lie
    by theirs is learnt from a few with the guessed difference, and again from some with the
    difference that was found (`_own_distance`).

    Args:
        planned: the study.
        group: code of the group.
        guess: a difference about which the search starts, above 0.

    Returns:
        None where even the largest difference is not shown so often; known to some 3 %.
    """
    if not is_calibrated(planned.grid, planned.scope):
        return _search(planned, group, guess, _STEPS[0], None)
    found: float | None = min(guess, _room(planned))
    for studies, step in zip((_FIRST, _studies(planned) // _SHARE), _STEPS, strict=True):
        if found is None:
            return None
        critical = _own_distance(planned, _apart(planned, group, found), group, studies)
        found = _search(planned, group, found, step, critical)
    return found


def _studies(planned: Planned) -> int:
    """How many are simulated for each difference."""
    return int(np.clip(_CELLS // planned.grid.n.size, *_STUDIES))


def _room(planned: Planned) -> float:
    """The largest difference that is tried."""
    rate = float(planned.latent.rates[0])
    return max(rate, 1 - rate) - _FAR


def _apart(planned: Planned, group: int, difference: float) -> Latent:
    """The model with one group's rate apart from all others'."""
    rate = float(planned.latent.rates[0])
    rates = np.full(len(planned.latent.mean), rate)
    rates[group] += difference if rate <= 1 / 2 else -difference
    return planned.latent.with_rates(rates)


def _search(
    planned: Planned, group: int, guess: float, step: float, critical: float | None
) -> float | None:
    """The smallest difference that is shown with the power.

    Found where the probit of the share of studies that show it, nearly a straight line,
    crosses that of the power.

    Args:
        planned: the study.
        group: code of the group.
        guess: where the search starts.
        step: factor by which differences grow or shrink until one lies on the other side.
        critical: the distance beyond which `calibrated` shows a difference; else None.
    """
    room, half = _room(planned), 0.5 / _studies(planned)

    @cache
    def lacking(logarithm: float) -> float:
        latent = _apart(planned, group, min(float(np.exp(logarithm)), room))
        share = _share_shown(planned, latent, group, critical)
        kept = np.clip(share, half, 1 - half)
        return float(ndtri(planned.power) - ndtri(kept))

    low = high = float(np.log(min(guess, room)))
    while lacking(high) > 0:
        if high >= np.log(room):
            return None
        low, high = high, min(high + np.log(step), float(np.log(room)))
    while lacking(low) <= 0:
        low, high = low - np.log(step), low
    return float(np.exp(brentq(lacking, low, high, xtol=_NEAR)))


def _share_shown(planned: Planned, latent: Latent, group: int, critical: float | None) -> float:
    """Of studies from a model, the share that shows a group's difference."""
    random = np.random.default_rng([planned.seed, *map(ord, "plan")])
    found = [
        shown(each, planned.scope, planned.alpha)
        if critical is None
        else distances(each) > critical
        for each in _drawn(planned, latent, _studies(planned), random)
    ]
    return float(np.concatenate(found)[:, group - 1].mean())


def _own_distance(planned: Planned, latent: Latent, group: int, studies: int) -> float:
    """The distance beyond which as many studies lie as lie beyond that of their own null models.

    From means and standard deviations, taken as normal: a few studies have no quantiles.
    """
    random = np.random.default_rng([planned.seed, *map(ord, "own"), studies])
    away, own = [], []
    for each in _drawn(planned, latent, studies, random):
        away.append(distances(each)[:, group - 1])
        own.append(own_farthest(each, planned.alpha, random))
    distance, critical = np.concatenate(away), np.concatenate(own)
    varies = np.isfinite(critical)
    if not varies.any():
        return float("inf")
    beyond = distance[varies] - critical[varies]
    if not (spread := float(beyond.std())):
        return float(critical[varies].mean())
    share = float(varies.mean() * ndtr(beyond.mean() / spread))
    return float(distance[varies].mean() - distance[varies].std() * ndtri(share))


def _drawn(
    planned: Planned, latent: Latent, count: int, random: np.random.Generator
) -> Iterator[Studies]:
    """So many studies from a model, a few at a time."""
    grid = planned.grid
    at_once = min(count, max(1, _AT_ONCE // grid.n.size))
    for start in range(0, count, at_once):
        drawn = simulate(grid, latent, min(at_once, count - start), random).k
        yield Studies(grid, drawn)
