"""The smallest difference that a study shows, from studies simulated with one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.planning.deciding import (
    distances,
    farthest,
    is_calibrated,
    own_farthest,
    shown,
)
from refusal_parity.statistics.simulation.drawing import simulate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.designs.grid import Grid
    from refusal_parity.statistics.simulation.latent import Latent
    from refusal_parity.vocabulary import Scope

_STUDIES: Final = 400
"""Simulated for each difference that is tried: 80 % is known to 2 points."""

_OWN: Final = (60, 200)
"""Studies held against their own null models after each search, to learn how much stricter
these are."""

_AT_ONCE: Final = 2_000_000
"""Names x templates x studies held at a time: 16 MB an array."""

_STEP: Final = 1.5
"""Factor by which differences grow until one is found."""

_NEAR: Final = 1.02
"""Factor between a difference that is found and one that is not, at the end."""

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

    Where `calibrated` decides, a first search holds all studies against one null model, at
    the true variances. Each study's own is another, and the stricter the larger a difference
    is that it takes for variance: some studies with the difference found are held against
    theirs (`_strictness`), and a second search is that much stricter.

    Args:
        planned: the study.
        group: code of the group.
        guess: a difference about which the search starts, above 0.

    Returns:
        None where even the largest difference is not shown so often; within 2 %.
    """
    found = _search(planned, group, guess, 1.0)
    if not is_calibrated(planned.grid, planned.scope):
        return found
    for studies in _OWN:
        if found is None:
            return None
        strictness = _strictness(planned, _apart(planned, group, found), group, studies)
        found = _search(planned, group, found, strictness)
    return found


def _apart(planned: Planned, group: int, difference: float) -> Latent:
    """The model with one group's rate apart from all others'."""
    rate = float(planned.latent.rates[0])
    rates = np.full(len(planned.latent.mean), rate)
    rates[group] += difference if rate <= 1 / 2 else -difference
    return planned.latent.with_rates(rates)


def _search(planned: Planned, group: int, guess: float, strictness: float) -> float | None:
    """The smallest difference that is shown with the power, within 2 %."""
    rate = float(planned.latent.rates[0])
    room = max(rate, 1 - rate) - _FAR

    def is_found(difference: float) -> bool:
        latent = _apart(planned, group, difference)
        return _share_shown(planned, latent, group, strictness) >= planned.power

    low = high = min(guess, room)
    while not is_found(high):
        if high >= room:
            return None
        low, high = high, min(_STEP * high, room)
    while low == high or is_found(low):
        low, high = low / _STEP, low
    while high > _NEAR * low:
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if is_found(middle) else (middle, high)
    return high


def _share_shown(planned: Planned, latent: Latent, group: int, strictness: float) -> float:
    """Of studies from a model, the share that shows a group's difference."""
    random = np.random.default_rng([planned.seed, *map(ord, "plan")])
    if is_calibrated(planned.grid, planned.scope):
        critical = strictness * _of_one_model(planned, latent, random)
        found = [distances(each) > critical for each in _drawn(planned, latent, _STUDIES, random)]
    else:
        found = [
            shown(each, planned.scope, planned.alpha)
            for each in _drawn(planned, latent, _STUDIES, random)
        ]
    return float(np.concatenate(found)[:, group - 1].mean())


def _of_one_model(planned: Planned, latent: Latent, random: np.random.Generator) -> FloatArray:
    """The distance that studies without a difference seldom exceed, at the mean rate."""
    sizes = np.bincount(planned.grid.level)
    whole = float(latent.rates @ sizes) / sizes.sum()
    alike = latent.with_rates(np.full(len(latent.mean), whole))
    null = [distances(each) for each in _drawn(planned, alike, _STUDIES, random)]
    return farthest(np.concatenate(null), planned.alpha)


def _strictness(planned: Planned, latent: Latent, group: int, studies: int) -> float:
    """How many times farther than by one null model studies must lie by their own ones.

    The factor with which as many studies are beyond as lie beyond what is their own.
    """
    random = np.random.default_rng([planned.seed, *map(ord, "own"), studies])
    [common] = np.atleast_1d(_of_one_model(planned, latent, random))
    away, own = [], []
    for each in _drawn(planned, latent, studies, random):
        away.append(distances(each)[:, group - 1])
        own.append(own_farthest(each, planned.alpha, random))
    distance, critical = np.concatenate(away), np.concatenate(own)
    missed = float((distance <= critical).mean())
    return float(np.quantile(distance, missed)) / float(common)


def _drawn(
    planned: Planned, latent: Latent, count: int, random: np.random.Generator
) -> Iterator[Studies]:
    """So many studies from a model, a few at a time."""
    grid = planned.grid
    at_once = min(count, max(1, _AT_ONCE // grid.n.size))
    for start in range(0, count, at_once):
        drawn = simulate(grid, latent, min(at_once, count - start), random).k
        yield Studies(grid, drawn)
