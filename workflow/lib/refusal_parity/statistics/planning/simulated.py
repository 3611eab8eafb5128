"""The smallest difference that a study shows, from studies simulated with one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.planning.deciding import distances, farthest, is_calibrated, shown
from refusal_parity.statistics.simulation.drawing import simulate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.statistics.designs.grid import Grid
    from refusal_parity.statistics.simulation.latent import Latent
    from refusal_parity.vocabulary import Scope

_STUDIES: Final = 400
"""Simulated for each difference that is tried: 80 % is known to 2 points."""

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

    Args:
        planned: the study.
        group: code of the group.
        guess: a difference about which the search starts, above 0.

    Returns:
        None where even the largest difference is not shown so often; within 2 %.
    """
    rate = float(planned.latent.rates[0])
    room, sign = max(rate, 1 - rate) - _FAR, 1 if rate <= 1 / 2 else -1

    def is_found(difference: float) -> bool:
        rates = np.full(len(planned.latent.mean), rate)
        rates[group] += sign * difference
        return _share_shown(planned, planned.latent.with_rates(rates), group) >= planned.power

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


def _share_shown(planned: Planned, latent: Latent, group: int) -> float:
    """Of studies from a model, the share that shows a group's difference."""
    grid = planned.grid
    whole = float(latent.rates @ np.bincount(grid.level)) / len(grid.level)
    alike = latent.with_rates(np.full(len(latent.mean), whole))
    random = np.random.default_rng([planned.seed, *map(ord, "plan")])
    at_once = min(_STUDIES, max(1, _AT_ONCE // grid.n.size))

    def drawn(model: Latent) -> Iterator[Studies]:
        for start in range(0, _STUDIES, at_once):
            count = min(at_once, _STUDIES - start)
            yield Studies(grid, simulate(grid, model, count, random).k)

    if is_calibrated(grid, planned.scope):
        critical = farthest(np.concatenate([*map(distances, drawn(alike))]), planned.alpha)
        found = [distances(studies) > critical for studies in drawn(latent)]
    else:
        found = [shown(studies, planned.scope, planned.alpha) for studies in drawn(latent)]
    return float(np.concatenate(found)[:, group - 1].mean())
