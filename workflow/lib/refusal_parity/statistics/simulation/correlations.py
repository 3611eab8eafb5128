"""Correlations of the latent scale that give covariances of 0-1 outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from refusal_parity.statistics.variances.components import pooled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refusal_parity.statistics.designs.counts import FloatArray

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)
HIGHEST: Final = 0.9999
"""Largest share of the latent variance that all but single responses may take."""
_EXACT: Final = 1e-15
"""Error of a correlation: with more, it would hang on the last digits of the covariances."""
_ROUNDS: Final = 60
"""Of Newton's method at most, which takes some six."""


def excess(first: FloatArray, second: FloatArray, correlation: FloatArray | float) -> FloatArray:
    """P(X > -first and Y > -second) - P(X > -first) P(Y > -second) of standard normals.

    The integral over r from 0 to the correlation of the bivariate normal
    density (Plackett 1954, Biometrika 41:351-360), by Gauss and Legendre's
    rule in arcsin r.

    Args:
        first: any shape.
        second: same shape.
        correlation: below 1, of a shape that fits.
    """
    whole_angle = np.asarray(np.arcsin(correlation), dtype=np.float64)
    angle = whole_angle[..., None] * (_NODES + 1) / 2
    h, k = first[..., None], second[..., None]
    exponent = -(h**2 + k**2 - 2 * h * k * np.sin(angle)) / (2 * np.cos(angle) ** 2)
    density = np.exp(exponent) / (2 * np.pi)
    # A sum, not a product of matrices, whose last digits hang on the processor: studies
    # simulated from here on are the same everywhere.
    whole = (density * _WEIGHTS).sum(axis=-1)
    return np.asarray(whole * whole_angle / 2, dtype=np.float64)


class Asked(NamedTuple):
    """A mean of covariances of 0-1 outcomes whose correlation is sought; arrays of one shape.

    Attributes:
        covariances: NaN where there is none.
        first: normal quantiles of the one outcome's rate.
        second: of the other's.
        weights: of the mean.
    """

    covariances: FloatArray
    first: FloatArray
    second: FloatArray
    weights: FloatArray


def correlations(asked: Sequence[Asked]) -> list[float]:
    """Correlations between 0 and the highest that give the means of covariances.

    Newton's method for all of them at once, from where a straight line from 0 would have
    them, and halving where it leaves what is known to hold the correlation.
    """
    wanted = np.array([pooled(each.covariances, each.weights) for each in asked])
    # What has no weight costs as much to integrate as what has.
    there = [np.isfinite(each.covariances) & (each.weights > 0) for each in asked]
    owner = np.repeat(np.arange(len(asked)), [np.count_nonzero(each) for each in there])
    first, second, weight = (
        np.concatenate(
            [np.asarray(each[at])[kept] for each, kept in zip(asked, there, strict=True)]
        )
        for at in (1, 2, 3)
    )
    weight = weight / np.bincount(owner, weight)[owner]

    def mean(values: FloatArray) -> FloatArray:
        return np.bincount(owner, values * weight, len(asked)).astype(np.float64)

    def density(correlation: FloatArray) -> FloatArray:
        left = 1 - correlation**2
        square = first**2 + second**2 - 2 * correlation * first * second
        return np.asarray(np.exp(-square / (2 * left)) / (2 * np.pi * np.sqrt(left)))

    low, high = np.zeros(len(asked)), np.full(len(asked), HIGHEST)
    slope = mean(density(0 * first))
    # So far from one half that a rate has no slope: it is as far as it can be.
    found = np.clip(wanted / np.where(slope > 0, slope, np.inf), low, high)
    for _ in range(_ROUNDS):
        over = mean(excess(first, second, found[owner])) - wanted
        low, high = np.where(over < 0, found, low), np.where(over < 0, high, found)
        slope = mean(density(found[owner]))
        # By next to no slope a step has no end, and lies outside.
        with np.errstate(over="ignore"):
            step = found - over / np.where(slope > 0, slope, np.inf)
        inside = (low <= step) & (step <= high)
        moved = np.where(inside, step, (low + high) / 2)
        settled = np.abs(moved - found) <= _EXACT
        found = moved
        if settled.all():
            break
    return [float(each) for each in np.where(wanted > 0, found, 0.0)]
