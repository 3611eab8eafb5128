"""The smallest difference that a study shows, from studies simulated with one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.families.links import Probit
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.tools import add_constant

from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.planning.deciding import (
    distances,
    is_calibrated,
    own_farthest,
    shown,
)
from refusal_parity.statistics.simulation.batches import batches
from refusal_parity.statistics.simulation.drawing import simulate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.statistics.designs.grid import Grid
    from refusal_parity.statistics.simulation.latent import Latent
    from refusal_parity.vocabulary import Scope

_STUDIES: Final = (300, 600)
"""Simulated for each difference that is tried, at least and at most."""

_CELLS: Final = 10_000_000
"""Names x templates x studies that are simulated at most, above the least number of studies."""

_FIRST: Final = 8
"""Studies held against their own null models before the first search."""

_SHARE: Final = 5
"""One of so many studies is held against its own null models before the second: 120 know the mean
distance to 0.8 %, since a study's own varies by a tenth."""

_OWN: Final = (30, 1_000_000)
"""Of large studies at least so many, and names x templates x studies: with 133 names and 250
templates a study's own varies by 4 %, and 30 know the mean to 0.8 % as well."""

_STEPS: Final = (1.5, 1.15)
"""Factors by which differences grow until one is found: from a guess, and once one was found."""

_NEAR: Final = 0.05
"""Share of a difference to which a search finds it."""

_ABOUT: Final = (0.8, 0.9, 1.0, 1.1, 1.25)
"""Multiples of it of which the line is made that gives the difference itself."""

_FAR: Final = 0.005
"""Rates of groups stay so far from 0 and 1."""

ROUGHLY: Final = (
    "known only roughly: in simulated studies larger differences were not shown clearly more often"
)


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


class Detectable(NamedTuple):
    """The smallest difference that a study shows.

    Attributes:
        difference: between two rates.
        remark: how well it is known, where that is less than usual.
    """

    difference: float
    remark: str | None = None


def detectable(planned: Planned, group: int, guess: float) -> Detectable | None:
    """The smallest difference of one group from the reference that is shown with the power.

    All groups have the rate of the reference but for this one, whose rate is higher, or
    lower where the reference's is above one half. A search among studies from the same
    random numbers, of which more show a larger difference, finds it roughly. Others of
    several differences about it then give a line (`_on_a_line`).

    Where `calibrated` decides, each study is held against its own null model, and the
    stricter the larger a difference is that it takes for variance. How far studies must lie
    by theirs is learnt from a few with the guessed difference, and again from some with the
    difference that was found (`_own_distance`).

    Args:
        planned: the study.
        group: code of the group.
        guess: a difference about which the search starts, above 0.

    Returns:
        None where even the largest difference is not shown so often; else known to some 2 %,
        unless a remark says otherwise.
    """
    found: float | None = min(guess, _room(planned))
    critical = None
    rounds: tuple[int, ...] = (0,)
    if is_calibrated(planned.grid, planned.scope):
        rounds = (_FIRST, _held_against_their_own(planned))
    for studies, step in zip(rounds, _STEPS, strict=False):
        if found is None:
            return None
        if studies:
            latent = _apart(planned, group, found)
            critical = _own_distance(planned, latent, group, studies)
        found = _search(planned, group, found, step, critical)
    return None if found is None else _on_a_line(planned, group, found, critical)


def _studies(planned: Planned) -> int:
    """How many are simulated for each difference."""
    return int(np.clip(_CELLS // planned.grid.n.size, *_STUDIES))


def _held_against_their_own(planned: Planned) -> int:
    """How many are held against their own null models before the second search."""
    least, cells = _OWN
    return min(max(cells // planned.grid.n.size, least), _studies(planned) // _SHARE)


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
        share = _share_shown(planned, latent, group, critical, 0)
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


def _on_a_line(planned: Planned, group: int, about: float, critical: float | None) -> Detectable:
    """The difference at which a line of probits of the shares has the power.

    Each share is of other studies, so that their errors even out. By the difference the
    probits lie on a line; by its logarithm they would bend upwards, and a line through them
    promise a difference that is a hundredth too small. Where the line does not
    rise, or not enough to cross the power among the differences tried, that is remarked.

    Args:
        planned: the study.
        group: code of the group.
        about: a difference that is shown with nearly the power.
        critical: the distance beyond which `calibrated` shows a difference; else None.
    """
    tried = np.minimum(about * np.array(_ABOUT), _room(planned))
    shares = np.array(
        [
            _share_shown(planned, _apart(planned, group, each), group, critical, at)
            for at, each in enumerate(tried, start=1)
        ]
    )
    middle = tried.mean()
    line = GLM(shares, add_constant(tried - middle), Binomial(Probit()))
    level, slope = line.fit().params
    if slope <= 0:
        return Detectable(about, ROUGHLY)
    found = middle + (ndtri(planned.power) - level) / slope
    within = float(np.clip(found, tried[0], tried[-1]))
    return Detectable(within, None if within == found else ROUGHLY)


def _share_shown(
    planned: Planned, latent: Latent, group: int, critical: float | None, part: int
) -> float:
    """Of studies from a model, the share that shows a group's difference; other ones each part."""
    random = np.random.default_rng([planned.seed, *map(ord, "plan"), part])
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
    for size in batches(count, grid.n.size):
        yield Studies(grid, simulate(grid, latent, size, random).k)
