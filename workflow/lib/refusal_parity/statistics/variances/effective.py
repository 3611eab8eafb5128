"""How many independent responses would say as much of a difference as a study's own do."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from refusal_parity.statistics.designs.within_templates import partly_shared
from refusal_parity.statistics.proportions import TwoRates
from refusal_parity.statistics.rounding import TIE, is_noise, less

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray, IntArray
    from refusal_parity.statistics.fits.least_squares import LeastSquares

_OWN: Final = 0.5
"""How much of a level's variance between names is its own; the rest is what all levels share."""

_LEAST: Final = 1e-9
"""No design effect is smaller, so that one of 0 divides nothing."""


class Effective(NamedTuple):
    """Differences of rates, as if of independent responses; arrays of shape (studies, pairs).

    Attributes:
        rates: both rates, and the effective numbers of responses behind them.
        variance: of the difference.
        df: its degrees of freedom.
    """

    rates: TwoRates
    variance: FloatArray
    df: FloatArray


def halfway(
    own: FloatArray, design_effect: FloatArray, spread: FloatArray, size: FloatArray
) -> FloatArray:
    """A rate's variance, half its own and half what it is by a design effect: D p (1 - p) / N."""
    return np.asarray(_OWN * own + (1 - _OWN) * design_effect * spread / size, dtype=np.float64)


def worth(
    spread: FloatArray, variance: FloatArray, size: FloatArray, alone: FloatArray
) -> FloatArray:
    """Independent responses whose rate would have that variance: p (1 - p) / V, at most N.

    Args:
        spread: p (1 - p).
        variance: V.
        size: N, the responses.
        alone: the number where p is 0 or 1, or V is 0.
    """
    known = (variance > 0) & (spread > 0)
    among = np.where(known, spread / np.where(known, variance, 1), alone)
    return np.asarray(np.minimum(among, size), dtype=np.float64)


def worth_at_most(spread: FloatArray, variance: FloatArray, size: FloatArray) -> FloatArray:
    """`worth`, on the side of saying too little where a level has few events.

    The design effect D = N V / (p (1 - p)) of such a level is hardly known, and small by
    chance where its rate is: half of it is taken from all levels together, where that
    makes it larger, and it is 1 at least.

    Args:
        spread: p (1 - p) of each level, 0 where it does not vary, shape (studies, levels).
        variance: V, likewise.
        size: N, of a shape that fits.

    Returns:
        N / D; NaN where no level varies.
    """
    alone = spread / size
    varies = spread > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = np.where(varies, variance, 0).sum(axis=1, keepdims=True)
        pooled = pooled / alone.sum(axis=1, keepdims=True)
        effect = np.where(varies, variance / alone, pooled)
    return np.asarray(
        size / np.maximum(np.maximum(effect, (effect + pooled) / 2), 1), dtype=np.float64
    )


def effective_of_rates(
    n: FloatArray, k: FloatArray, variance: FloatArray, units: FloatArray, pool: IntArray
) -> FloatArray:
    """Independent responses that would say as much of each level's rate, shape (levels,).

    As in `effective`, for rates by themselves: half of a level's variance is its own, the
    other half what it is by the design effect D of its pool, sum of n V / sum of p (1 - p).

    Args:
        n: responses of each level, at least 1.
        k: of them with the outcome.
        variance: V of each rate, with names and templates as samples.
        units: names, or templates if these are fewer, of each level.
        pool: code of the levels that are pooled, those of one model.
    """
    rate = k / n
    spread = rate * (1 - rate)
    whole = np.bincount(pool, spread)[pool]
    design_effect = np.bincount(pool, n * variance)[pool] / np.where(whole > 0, whole, 1)
    alone = np.where(whole > 0, n / np.maximum(design_effect, _LEAST), units)
    return worth(spread, halfway(variance, design_effect, spread, n), n, alone)


@lru_cache(maxsize=2)
def effective(fit: LeastSquares) -> Effective:
    """The differences of a fit, each with two effective numbers of responses.

    A level's names vary by V = m / (m - 1) sum of r^2 / N^2, r the sum of a name's
    residuals, m the names and N the responses. Of few names, or few outcomes, that
    is known badly: it counts half, and for the other half stands what V is in all levels
    by the design effect D = sum of (m - 1) N V / sum of (m - 1) p (1 - p). To it comes by how
    much templates move one level and not the other: the variance of the mean paired
    difference of templates, less what cells alone give it, and at least 0. That is of
    both levels, and each takes its part by p (1 - p). The effective number is
    p (1 - p) / variance, at most N; N / D where p is 0 or 1; and the number of names, or of
    templates if that is smaller, where it is so in all levels and nothing tells D.

    Templates that one of two levels lacks say little of their difference: where there are any,
    residuals and responses weigh as they move it, w = their influence on the difference:
    V = m / (m - 1) sum of (sum of w r)^2 over names, and N = 1 / sum of w^2.

    Degrees of freedom are Satterthwaite's over the names of both levels and the templates.

    Args:
        fit: of levels that are a property of names, within templates.
    """
    studies = fit.studies
    level = studies.grid.level
    group, reference = studies.codes
    names = np.bincount(level).astype(np.float64)
    belongs = (level == np.arange(len(names))[:, None]).astype(np.float64)
    size = studies.level_n.sum(axis=1)
    units = np.minimum(names, (studies.level_n > 0).sum(axis=1))
    spread = studies.rates * (1 - studies.rates)
    spare = np.maximum(names - 1, 1)

    own = names / spare * ((fit.residual.sum(axis=2) ** 2) @ belongs.T) / size**2
    own = np.where(is_noise(own, 1.0), 0, own)
    ours, others = _of_sides(fit, own, belongs)
    whole = (spare * spread).sum(axis=1)
    design_effect = (spare * size * own).sum(axis=1) / np.where(whole > 0, whole, 1)
    by_name = [
        halfway(each.own, design_effect[:, None], spread[:, each.code], each.size)
        for each in (ours, others)
    ]

    templates, template_df = _by_template(fit, belongs)
    both = spread[:, group] + spread[:, reference]
    part = templates / np.where(both > 0, both, 1)

    def number(side: _Side, named: FloatArray) -> FloatArray:
        variance = named + part * spread[:, side.code]
        alone = np.where(
            whole[:, None] > 0,
            side.size / np.maximum(design_effect, _LEAST)[:, None],
            units[side.code],
        )
        return worth(spread[:, side.code], variance, side.size, alone)

    variance = by_name[0] + by_name[1] + templates
    parts = (
        by_name[0] ** 2 / spare[group]
        + by_name[1] ** 2 / spare[reference]
        + templates**2 / template_df
    )
    levels = np.concatenate([np.zeros((len(studies), 1)), fit.coefficients], axis=1)
    difference = studies.differences(levels)
    return Effective(
        TwoRates(
            # Of rates, which are at most 1: less is rounding.
            difference=np.where(np.abs(difference) > TIE, difference, 0),
            rate=studies.rates[:, group],
            reference=studies.rates[:, reference],
            n=number(ours, by_name[0]),
            n_reference=number(others, by_name[1]),
            correlation=np.zeros_like(difference),
        ),
        variance,
        np.where(
            parts > 0, variance**2 / np.where(parts > 0, parts, 1), spare[group] + spare[reference]
        ),
    )


class _Side(NamedTuple):
    """One of the two levels of each pair, and what their difference rests on of it.

    Attributes:
        code: of the level, shape (pairs,).
        own: its variance between names, shape (studies, pairs).
        size: responses that tell of the difference as much as its own do, shape (pairs,).
    """

    code: IntArray
    own: FloatArray
    size: FloatArray


def _of_sides(fit: LeastSquares, own: FloatArray, belongs: FloatArray) -> tuple[_Side, _Side]:
    """Both levels of each pair; of those that share all templates, a level's own numbers.

    Elsewhere responses weigh as they move the difference: those to templates that one of both
    lacks say little of it, or, where a third level has them, something by way of that, whose
    variance is then shared by both.
    """
    studies = fit.studies
    level = studies.grid.level
    ours, others = studies.codes
    size = studies.level_n.sum(axis=1)
    sides = _Side(ours, own[:, ours], size[ours]), _Side(others, own[:, others], size[others])
    partly = np.flatnonzero(partly_shared(studies))
    if not partly.size:
        return sides
    names = belongs.sum(axis=1)
    moved = np.concatenate([np.zeros_like(fit.moved[..., :1]), fit.moved], axis=2)
    for at in partly:
        weight = moved[..., ours[at]] - moved[..., others[at]]
        sums = np.einsum("rnt,nt->rn", fit.residual, weight[level])
        between = (sums**2) @ belongs.T * names / np.maximum(names - 1, 1)
        telling = (weight**2 * studies.level_n).sum(axis=1)
        pair = [ours[at], others[at]]
        third = between.sum(axis=1) - between[:, pair].sum(axis=1)
        for side, code in zip(sides, pair, strict=True):
            variance = between[:, code] + third / 2
            side.own[:, at] = np.where(is_noise(variance, 1.0), 0, variance)
            side.size[at] = 1 / telling[code] if telling[code] > 0 else np.nan
    return sides


def _by_template(fit: LeastSquares, belongs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """By how much templates move the mean of one level and not the other's, and its df.

    Returns:
        Variances, shape (studies, pairs), and degrees of freedom, shape (pairs,).
    """
    studies = fit.studies
    n, level = studies.grid.n, studies.grid.level
    asked = n > 0
    level_n = studies.level_n
    sums = belongs @ fit.residual
    mean = sums / np.where(level_n > 0, level_n, 1)
    of_name = fit.residual.sum(axis=2) / np.where(studies.name_n > 0, studies.name_n, 1)
    squares = np.empty((len(studies), len(level)))
    inverse = asked / np.where(asked, n, 1)
    # Study by study, in arrays that stay: all at once do not fit the processor's cache.
    left = np.empty(n.shape)
    for at in range(len(studies)):
        np.multiply(fit.residual[at], inverse, out=left)
        left -= mean[at][level]
        left -= of_name[at][:, None]
        left *= asked
        squares[at] = np.einsum("nt,nt->n", left, left)
    cells = belongs @ asked.sum(axis=1)
    spare = cells - belongs.sum(axis=1) - (level_n > 0).sum(axis=1) + 1
    of_cell = (squares @ belongs.T) / np.maximum(spare, 1)
    # What the mean over names of a level's template has of one cell's variance.
    share = (belongs @ n**2) / np.where(level_n > 0, level_n, 1) ** 2

    group, reference = studies.codes
    ours, others = level_n[group], level_n[reference]
    weight = ours * others / np.where(ours + others > 0, ours + others, 1)
    weight = weight / weight.sum(axis=1, keepdims=True)
    paired = (weight > 0).sum(axis=1)
    df = np.maximum(paired - 1, 1).astype(np.float64)
    difference = mean[:, group] - mean[:, reference]
    difference = difference - (weight * difference).sum(axis=2, keepdims=True)
    seen = paired / df * ((weight * difference) ** 2).sum(axis=2)
    noise = of_cell[:, group] * (weight**2 * share[group]).sum(axis=1)
    noise = noise + of_cell[:, reference] * (weight**2 * share[reference]).sum(axis=1)
    return np.maximum(less(seen, noise), 0), df
