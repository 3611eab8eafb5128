"""How far studies lie from no difference, compiled: what `TwoRates.distance` gives, much faster.

One study at a time, by the formulas of `effective`, for benchmarks that measure hundreds of
thousands; `tests/statistics/test_quick_null.py` holds the numbers against the package's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numba
import numpy as np

from refusal_parity.statistics.designs.reduced import reduced

if TYPE_CHECKING:
    import numpy.typing as npt

    from refusal_parity.statistics.designs.studies import Studies

    Array = npt.NDArray[Any]

compiled = numba.njit(error_model="numpy")
"""Numbers as numpy has them: 1 / 0 is infinite."""

_FARTHEST = 64.0
_EXACT = 1e-12
_TIE = 1e-12
_NOISE = 1e-20
_LEAST = 1e-9


class Design(NamedTuple):
    """What studies of one design have in common, for the compiled loops."""

    level: Array
    n: Array
    name_n: Array
    level_n: Array
    inverse: Array
    share: Array
    names: Array
    spare: Array
    units: Array
    cells: Array
    of_cell: Array
    weight: Array
    paired: Array


def design_of(studies: Studies) -> Design:
    """Of studies that are compared with the first level, names in one level each."""
    n, level = studies.grid.n, studies.grid.level
    belongs = (level == np.arange(len(studies.grid.levels))[:, None]).astype(float)
    level_n = studies.level_n
    there = level_n > 0
    names = belongs.sum(axis=1)
    normal = reduced(level_n)
    weight = level_n[1:] * level_n[0] / np.where(there[1:] | there[0], level_n[1:] + level_n[0], 1)
    return Design(
        level=level.astype(np.int64),
        n=n,
        name_n=studies.name_n,
        level_n=level_n,
        inverse=normal.inverse,
        share=normal.share,
        names=names,
        spare=np.maximum(names - 1, 1),
        units=np.minimum(names, there.sum(axis=1)),
        cells=np.maximum(belongs @ (n > 0).sum(axis=1) - names - there.sum(axis=1) + 1, 1),
        of_cell=(belongs @ n**2) / np.where(there, level_n, 1) ** 2,
        weight=weight / weight.sum(axis=1, keepdims=True),
        paired=(weight > 0).sum(axis=1),
    )


@compiled  # type: ignore[untyped-decorator]
def distances(k: Array, design: Design) -> Array:
    """`effective(...).rates.distance()` of one study."""
    groups = len(design.names)
    size = np.array([row.sum() for row in design.level_n])
    level_k = np.zeros(design.level_n.shape)
    for i in range(len(k)):
        level_k[design.level[i]] += k[i]
    rate = np.array([row.sum() for row in level_k]) / size
    levels = _levels(level_k, design)
    fitted, mean = _fitted(level_k, levels, design.level_n)
    own, squares = _residuals(k, fitted, mean, design)

    spread = rate * (1 - rate)
    own *= design.names / design.spare / size**2
    own = np.where(own <= _NOISE, 0.0, own)
    whole = (design.spare * spread).sum()
    effect = (design.spare * size * own).sum() / (whole if whole > 0 else 1.0)
    by_name = (own + effect * spread / size) / 2
    alone = size / max(effect, _LEAST) if whole > 0 else design.units
    found = np.empty(groups - 1)
    for g in range(1, groups):
        both = spread[g] + spread[0]
        part = _by_template(g, mean, squares, design) / (both if both > 0 else 1.0)
        variance = by_name + part * spread
        worth = np.empty(2)
        for at, code in enumerate((g, 0)):
            known = variance[code] > 0 and spread[code] > 0
            worth[at] = min(spread[code] / variance[code] if known else alone[code], size[code])
        away = levels[g] if abs(levels[g]) > _TIE else 0.0
        found[g - 1] = _distance(away, rate[g], rate[0], worth[0], worth[1])
    return found


@compiled  # type: ignore[untyped-decorator]
def _levels(level_k: Array, design: Design) -> Array:
    """Differences of the levels from the first, within templates."""
    groups, templates = level_k.shape
    score, levels = np.zeros(groups), np.zeros(groups)
    for t in range(templates):
        whole = level_k[:, t].sum()
        for g in range(1, groups):
            score[g] += level_k[g, t] - design.share[g, t] * whole
    for g in range(1, groups):
        for h in range(1, groups):
            levels[g] += design.inverse[g - 1, h - 1] * score[h]
    return levels


@compiled  # type: ignore[untyped-decorator]
def _residuals(k: Array, fitted: Array, mean: Array, design: Design) -> tuple[Array, Array]:
    """Of each level the squares of names' sums of residuals, and those that cells leave."""
    names, templates = k.shape
    own, squares = np.zeros(len(mean)), np.zeros(len(mean))
    for i in range(names):
        g = design.level[i]
        residual = 0.0
        for t in range(templates):
            residual += k[i, t] - design.n[i, t] * fitted[g, t]
        own[g] += residual**2
        of_name = residual / design.name_n[i] if design.name_n[i] > 0 else 0.0
        for t in range(templates):
            if design.n[i, t] > 0:
                left = k[i, t] / design.n[i, t] - fitted[g, t] - mean[g, t] - of_name
                squares[g] += left**2
    return own, squares


@compiled  # type: ignore[untyped-decorator]
def _fitted(level_k: Array, levels: Array, level_n: Array) -> tuple[Array, Array]:
    """What levels and templates make of a rate, and the mean residual of each level's template."""
    groups, templates = level_k.shape
    fitted, mean = np.empty((groups, templates)), np.empty((groups, templates))
    for t in range(templates):
        left, whole = 0.0, 0.0
        for g in range(groups):
            left += level_k[g, t] - levels[g] * level_n[g, t]
            whole += level_n[g, t]
        for g in range(groups):
            fitted[g, t] = levels[g] + (left / whole if whole > 0 else 0.0)
            own_n = level_n[g, t] if level_n[g, t] > 0 else 1.0
            mean[g, t] = (level_k[g, t] - level_n[g, t] * fitted[g, t]) / own_n
    return fitted, mean


@compiled  # type: ignore[untyped-decorator]
def _by_template(g: int, mean: Array, squares: Array, design: Design) -> float:
    """What templates add to the variance of a difference."""
    weight = design.weight[g - 1]
    middle, seen, noise = 0.0, 0.0, 0.0
    for t in range(len(weight)):
        middle += weight[t] * (mean[g, t] - mean[0, t])
    for t in range(len(weight)):
        seen += (weight[t] * (mean[g, t] - mean[0, t] - middle)) ** 2
        for code in (g, 0):
            noise += squares[code] / design.cells[code] * weight[t] ** 2 * design.of_cell[code, t]
    paired = design.paired[g - 1]
    seen *= paired / max(paired - 1, 1)
    return max(seen - noise, 0.0) if abs(seen - noise) > _TIE * (seen + noise) else 0.0


@compiled  # type: ignore[untyped-decorator]
def _limit(rate: float, n: float, quantile: float, side: float) -> float:
    """How far Wilson's limit lies from the rate, above it or below."""
    a = quantile**2 / n
    middle = (rate + a / 2) / (1 + a)
    half = np.sqrt(rate * (1 - rate) * a + a**2 / 4) / (1 + a)
    return float(abs(min(max(middle + side * half, 0.0), 1.0) - rate))


@compiled  # type: ignore[untyped-decorator]
def _distance(away: float, rate: float, other: float, n: float, of_other: float) -> float:
    """The quantile at which a limit of the difference reaches 0, by false position (Illinois)."""
    side = -1.0 if away > 0 else 1.0
    size = abs(away)
    if size == 0:
        return 0.0

    low, high, at_low, at_high = 0.0, 2.0, -size, 0.0
    while True:
        at_high = np.hypot(_limit(rate, n, high, side), _limit(other, of_other, high, -side)) - size
        if at_high >= 0 or high >= _FARTHEST:
            break
        low, at_low, high = high, at_high, 2 * high
    if at_high < 0:
        return _FARTHEST
    last = 0
    while high - low > _EXACT * high and at_high > 0:
        middle = (low * at_high - high * at_low) / (at_high - at_low)
        if not low < middle < high:
            break
        there = np.hypot(_limit(rate, n, middle, side), _limit(other, of_other, middle, -side))
        if there >= size:
            high, at_high = middle, there - size
            at_low /= 2 if last == 1 else 1
            last = 1
        else:
            low, at_low = middle, there - size
            at_high /= 2 if last == -1 else 1
            last = -1
    return high
