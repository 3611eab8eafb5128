"""Rates of names and templates, from what is known of their effects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from refusal_parity.statistics.distributions import norm_isf, norm_pdf

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.designs.grid import Grid
    from refusal_parity.statistics.pooling.crossed_probit import Known

_HALVINGS: Final = 60


class Law(NamedTuple):
    """Rates whose probits are normal, with these means and standard deviations."""

    centre: FloatArray
    deviation: FloatArray


class PooledRates(NamedTuple):
    """Of names or of templates, arrays of one shape.

    Attributes:
        rate: mean of what it may be.
        low: lower end of its interval.
        high: its upper end.
    """

    rate: FloatArray
    low: FloatArray
    high: FloatArray

    def open_ended(self, k: FloatArray, n: FloatArray) -> PooledRates:
        """Intervals that reach 0 where the outcome never occurred, and 1 where it always did.

        How near to 0 such a rate lies hangs on the law of names alone.
        """
        return PooledRates(
            self.rate, np.where(k == 0, 0.0, self.low), np.where(k == n, 1.0, self.high)
        )


def of_names(grid: Grid, known: Known, cell: float) -> Law:
    """Mean over the templates of each name's chance, what single prompts add averaged out.

    Args:
        grid: names, templates and responses of the study.
        known: effects of names and templates.
        cell: variance of single prompts.
    """
    chance, slope = _chances(known, cell)
    slope /= slope.shape[1]
    pull = np.zeros((len(slope), len(slope)))
    for group in range(len(grid.levels)):
        mine = grid.level == group
        pull[mine] = -slope[mine] @ known.moved[:, group]
    pull[np.diag_indices(len(slope))] += slope.sum(axis=1)
    variance = ((pull @ known.covariance) * pull).sum(axis=1)
    own = np.einsum("tgg->gt", known.own)[grid.level]
    return _law(chance.mean(axis=1), variance + (slope**2 * own).sum(axis=1))


def of_templates(grid: Grid, known: Known, cell: float) -> Law:
    """Mean over the names of each template's chance; see `of_names`."""
    chance, slope = _chances(known, cell)
    slope = slope.T / len(slope)
    by_group = slope @ (grid.level[:, None] == np.arange(len(grid.levels))).astype(np.float64)
    pull = slope - np.einsum("tg,tgn->tn", by_group, known.moved)
    variance = ((pull @ known.covariance) * pull).sum(axis=1)
    variance += np.einsum("tg,tgh,th->t", by_group, known.own, by_group)
    return _law(chance.mean(axis=0), variance)


def mixed(parts: list[tuple[float, Law]], alpha: float) -> PooledRates:
    """Rates that have each of several laws with a share.

    Args:
        parts: shares, 1 together, and laws.
        alpha: 1 less the level of the intervals.
    """
    share = np.array([each for each, _ in parts])[:, None]
    centre = np.stack([law.centre for _, law in parts])
    deviation = np.stack([law.deviation for _, law in parts])
    rate = (share * ndtr(centre / np.sqrt(1 + deviation**2))).sum(axis=0)
    low, high = (
        ndtr(_quantile(share, centre, deviation, chance)) for chance in (alpha / 2, 1 - alpha / 2)
    )
    return PooledRates(rate, low, high)


def _chances(known: Known, cell: float) -> tuple[FloatArray, FloatArray]:
    """Expected chance of each cell, and its slope in the mean of the cell's score."""
    width = np.sqrt(1 + cell + known.variance)
    place = known.cell / width
    return np.asarray(ndtr(place)), np.asarray(norm_pdf(place) / width)


def _law(rate: FloatArray, variance: FloatArray) -> Law:
    """The law of rates with these means, and these variances to first order.

    Where a probit is normal with mean m and variance s^2, the mean rate is
    Phi(m / sqrt(1 + s^2)), with the slope phi(.) / sqrt(1 + s^2) in m.
    """
    place = ndtri(rate)
    share = variance / norm_pdf(place) ** 2
    spread = share / (1 - share)
    return Law(place * np.sqrt(1 + spread), np.sqrt(spread))


def _quantile(
    share: FloatArray, centre: FloatArray, deviation: FloatArray, chance: float
) -> FloatArray:
    """Of a mixture of normal laws, by bisection; arrays (laws, rates)."""
    ends = centre - float(norm_isf(chance)) * deviation
    low, high = ends.min(axis=0), ends.max(axis=0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = (share * ndtr((middle - centre) / deviation)).sum(axis=0) < chance
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2, dtype=np.float64)
