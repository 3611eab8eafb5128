"""How far differences lie from none in studies like this one that have none."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.fits.least_squares import least_squares
from refusal_parity.statistics.simulation.drawing import simulate
from refusal_parity.statistics.simulation.latent import fit_latent
from refusal_parity.statistics.variances.effective import effective

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray

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
        # p < alpha where r <= alpha (1 + B) - 1, but for equality.
        most = ceil(round(alpha * (1 + len(seen)), 6)) - 2
        if most < 0:
            return np.full(seen.shape[1:], np.inf)
        return np.asarray(np.sort(seen, axis=0)[-1 - most], dtype=np.float64)

    def _seen(self, *, together: bool) -> FloatArray:
        return self.distances.max(axis=1, keepdims=True) if together else self.distances


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
    common, own = (
        fit_latent(studies.grid, studies.k[at], by_group=by_group) for by_group in (False, True)
    )
    if common is None or own is None:
        return None
    latent = replace(common, name=(common.name + own.name) / 2).with_rates(common.rates)
    drawn = simulate(studies.grid, latent, count, random).k
    alike = Studies(studies.grid, drawn, studies.template_effects, studies.every_pair)
    return Null(effective(least_squares(alike)).rates.distance())
