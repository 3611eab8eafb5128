"""What an arm, or another model, changes, with limits from those of what it adds and takes away.

Where a rare outcome becomes frequent the mean change leans, and an interval of t around it misses
too often. Limits from those of the rates with and without the arm do too: both go together, and
where one has its lower limit beside the other's upper one, their correlation hides it almost
whole. So each prompt's change is told apart into what is added and what is taken away, which
hardly go together. Both are rates and get Wilson's limits at the number of independent
responses that they are worth; those of the change follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
import polars as pl

from refusal_parity.dimensions import GROUP
from refusal_parity.factors import is_listed
from refusal_parity.statistics.designs.counts import Design, clusters_of
from refusal_parity.statistics.distributions import t_isf, t_sf
from refusal_parity.statistics.failures import finite
from refusal_parity.statistics.pairing import ALL, STILL
from refusal_parity.statistics.proportions import wilson_limits
from refusal_parity.statistics.variances.effective import effective_of_rates
from refusal_parity.statistics.variances.level_means import contrast, has_few, level_means

if TYPE_CHECKING:
    from collections.abc import Callable

    from refusal_parity.statistics.designs.counts import BoolArray, FloatArray
    from refusal_parity.statistics.variances.level_means import Contrast, LevelMeans
    from refusal_parity.vocabulary import Scope

Row = dict[str, Any]

_Reach: TypeAlias = "Callable[[float], tuple[float, float]]"
"""How far limits lie below and above, at a quantile."""

CERTAIN: Final = "it can change in this direction alone: that it does needs no test"
"""The note of a change that one response shows for certain."""

_FARTHEST: Final = 64.0
"""Quantile beyond which no test looks."""
_HALVINGS: Final = 48


@dataclass(frozen=True, slots=True)
class ArmMeans:
    """Means over the same prompts at every level: of the change, and of both its parts.

    Attributes:
        parts: of what the arm adds to each prompt's rate, and of what it takes away; both at
            least 0, and one of them 0 at each prompt.
        change: of each prompt's rate: the one less the other.
        responses: with the arm or without it, whichever are fewer, shape (levels,).
        units: names, or templates if these are fewer, shape (levels,).
        one_way: whether the arm can only add, or only take away, as a guard can, which stops
            a request or lets it pass: a part that is 0 is then known to be.
    """

    parts: tuple[LevelMeans, LevelMeans]
    change: LevelMeans
    responses: FloatArray
    units: FloatArray
    one_way: bool = False

    @property
    def levels(self) -> tuple[str, ...]:
        """Names of the levels."""
        return self.change.levels

    def weights(self, level: str) -> FloatArray:
        """1 for a level, 0 for all others."""
        return np.equal(self.levels, level).astype(np.float64)

    @classmethod
    def of(
        cls, prompts: pl.DataFrame, dimension: str | None, *, one_way: bool = False
    ) -> ArmMeans | None:
        """Means at every level of a dimension, or of all as one level; None without a prompt.

        Args:
            prompts: one row for each: `name_id`, `template_id`, `text_id`, the dimension, `change`
                (of its rate), `n_with` and `n_without` (its responses).
            dimension: whose levels are set apart.
            one_way: whether the arm can change rates in one direction alone.
        """
        rows = prompts if dimension is None else prompts.drop_nulls(dimension)
        if rows.is_empty():
            return None
        shown = np.full(rows.height, ALL) if dimension is None else rows[dimension].to_numpy()
        levels, level = np.unique(shown.astype(np.str_), return_inverse=True)
        name, template = clusters_of(rows)
        once = np.ones(rows.height)
        names = tuple(map(str, levels))

        change = rows["change"].to_numpy()

        def means(values: FloatArray) -> LevelMeans:
            return level_means(Design(names, level, name, template, once, values))

        sizes = rows.group_by(pl.Series("level", level)).agg(
            pl.col("n_with", "n_without").sum(),
            units=pl.min_horizontal(pl.col("name_id").n_unique(), pl.col("text_id").n_unique()),
        )
        sizes = sizes.sort("level")
        return cls(
            (means(np.maximum(change, 0)), means(np.maximum(-change, 0))),
            means(change),
            sizes.select("n_with", "n_without").to_numpy().min(axis=1).astype(np.float64),
            sizes["units"].to_numpy().astype(np.float64),
            one_way,
        )


class _Change(NamedTuple):
    """The change of one mean, and what its limits need.

    Attributes:
        variance: of the change.
        rates: of what is added and of what is taken away, shape (2,).
        n: independent responses that would say as much, shape (2,).
        together: correlation of the estimates of both rates.
        known: which of both is known to be 0, shape (2,).
    """

    variance: float
    rates: FloatArray
    n: FloatArray
    together: float
    known: BoolArray

    def reach(self, quantile: float) -> tuple[float, float]:
        """How far the limits lie below and above, at a quantile."""
        ends = wilson_limits(self.rates, self.n, np.asarray(quantile))
        below = np.where(self.known, 0.0, self.rates - ends.low)
        above = np.where(self.known, 0.0, ends.high - self.rates)
        return (
            _put_together(below[0], above[1], self.together),
            _put_together(above[0], below[1], self.together),
        )


def change_of(means: ArmMeans, weights: FloatArray, scope: Scope, alpha: float) -> Row | None:
    """The change of a mean over levels, with limits and test.

    d = p - q, p the mean of what is added to the prompts' rates and q of what is taken away.
    The limits are d - sqrt((p - l)^2 + (u' - q)^2 - 2 r (p - l)(u' - q)), and above likewise,
    with l and u Wilson's limits of p, l' and u' those of q, and r the correlation of both
    estimates (MOVER; Newcombe 1998, Statistics in Medicine 17:2635-2650; Zou and Donner 2008,
    ibid. 27:1693-1702), at effective numbers of responses (`effective_of_rates`, both parts in
    one pool) and t's quantile at the df of the mean change; p is where a limit reaches 0. Where
    an arm changes in one direction alone, a part of 0 adds nothing, and no test is needed.

    Args:
        means: of all levels.
        weights: of the levels, which add up to 1, shape (levels,).
        scope: to what the result generalises.
        alpha: 1 less the level of the interval.

    Returns:
        Null where nothing varies, or a level has one name or template.
    """
    whole = contrast(means.change, weights, scope)
    if whole is None:
        return None
    [change] = _changes(means, weights[None, :], scope, [whole])
    needless = {"statistic": None, "p_value": None, "note": CERTAIN} if any(change.known) else {}
    return _numbers(whole, change.reach, 1.0, alpha) | needless


def change_of_all(
    prompts: pl.DataFrame, scope: Scope, alpha: float, *, one_way: bool = False
) -> Row | None:
    """The change over all prompts, within the study's groups; over all where one has one name."""
    own = None if is_listed(prompts) else GROUP.key
    groups, whole = (ArmMeans.of(prompts, each, one_way=one_way) for each in (own, None))
    if groups is None or whole is None:
        return None
    sizes = {} if own is None else dict(prompts.group_by(own).len().iter_rows())
    shares = np.array([sizes.get(level, prompts.height) for level in groups.levels], dtype=float)
    return change_of(groups, shares / shares.sum(), scope, alpha) or change_of(
        whole, np.ones(1), scope, alpha
    )


def difference_of_changes(
    means: ArmMeans, group: int, reference: int, scope: Scope, alpha: float
) -> Row | None:
    """How much more an arm changes one level than another, with limits and test.

    From the limits of both changes, as in `change_of`, and the correlation of their estimates.

    Args:
        means: of all levels.
        group: code of the one level.
        reference: code of the other.
        scope: to what the result generalises.
        alpha: 1 less the level of the interval.
    """
    one = np.eye(len(means.levels))
    whole = contrast(means.change, one[group] - one[reference], scope)
    if whole is None:
        return _standing_still(means, group, reference, scope)
    found = [contrast(means.change, weights, scope) for weights in one]
    changes = _changes(means, one, scope, found)
    ours, others = changes[group], changes[reference]
    together = _correlation(ours.variance, others.variance, whole.std_error**2)

    def reach(quantile: float) -> tuple[float, float]:
        (below, above), (lower, higher) = ours.reach(quantile), others.reach(quantile)
        return _put_together(below, higher, together), _put_together(above, lower, together)

    return _numbers(whole, reach, 2.0, alpha)


def _standing_still(means: ArmMeans, group: int, reference: int, scope: Scope) -> Row | None:
    """The difference of two levels that differ alike at every name and template."""
    both = np.zeros(len(means.levels))
    both[[group, reference]] = 1.0
    if has_few(means.change, both, scope):
        return None
    estimate = float(means.change.mean[group] - means.change.mean[reference])
    return {"estimate": estimate, "note": STILL}


def _changes(
    means: ArmMeans, weights: FloatArray, scope: Scope, found: list[Contrast | None]
) -> list[_Change]:
    """The change of each of some means, with effective numbers of responses of both parts.

    Args:
        means: of all levels.
        weights: shape (means, levels).
        scope: to what the result generalises.
        found: contrasts of the change, one for each mean.
    """
    rates = np.clip([[each.mean @ weight for weight in weights] for each in means.parts], 0, 1)
    variances = np.array(
        [[_variance(contrast(each, weight, scope)) for weight in weights] for each in means.parts]
    )
    used = (weights > 0).astype(np.float64)
    n, units = np.tile(used @ means.responses, 2), np.tile(used @ means.units, 2)
    pool = np.zeros(n.size, dtype=np.intp)
    among = effective_of_rates(n, n * rates.ravel(), variances.ravel(), units, pool)
    among = among.reshape(rates.shape)
    known = means.one_way & (rates == 0) & (rates.sum(axis=0) > 0)
    return [
        _Change(
            _variance(each),
            rates[:, at],
            among[:, at],
            _correlation(variances[0, at], variances[1, at], _variance(each)),
            known[:, at],
        )
        for at, each in enumerate(found)
    ]


def _variance(found: Contrast | None) -> float:
    return 0.0 if found is None else found.std_error**2


def _correlation(ours: float, others: float, difference: float) -> float:
    """Of two estimates, from their variances and that of their difference."""
    if ours <= 0 or others <= 0:
        return 0.0
    return float(np.clip((ours + others - difference) / (2 * np.sqrt(ours * others)), -1, 1))


def _put_together(ours: float, others: float, together: float) -> float:
    return float(np.sqrt(max(ours**2 + others**2 - 2 * together * ours * others, 0.0)))


def _numbers(whole: Contrast, reach: _Reach, farthest: float, alpha: float) -> Row:
    below, above = reach(float(t_isf(alpha / 2, whole.df)))
    distance = _distance(whole.estimate, reach)
    numbers = whole._asdict() | {
        "ci_low": max(whole.estimate - below, -farthest),
        "ci_high": min(whole.estimate + above, farthest),
        "statistic": float(np.copysign(distance, whole.estimate)),
        "p_value": float(min(2 * t_sf(distance, whole.df), 1.0)),
    }
    return finite(numbers)


def _distance(estimate: float, reach: _Reach) -> float:
    """The quantile at which a limit reaches 0, by halving: both limits move away with it."""
    low, high = 0.0, _FARTHEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        reached = reach(middle)[0 if estimate > 0 else 1] >= abs(estimate)
        low, high = (low, middle) if reached else (middle, high)
    return low
