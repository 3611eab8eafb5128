"""Levels that are other mixtures of what no method takes off: of pooled arms, or of names.

Templates are taken off a difference between groups, arms are not: where responses of a level
are missing in one of them, a difference between arms looks like one between levels. Likewise
names are not taken off a difference between arms, or between kinds of templates. A test of
such levels is none of what sets them apart, so that none is done.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from refusal_parity.dimensions import ARM, DIMENSIONS, Unit
from refusal_parity.factors import is_listed
from refusal_parity.quantities import Share
from refusal_parity.statistics.designs.counts import codes_of
from refusal_parity.statistics.designs.outcome_columns import count_outcomes, sum_measure
from refusal_parity.statistics.designs.within_templates import same_shares, template_deviations
from refusal_parity.statistics.results import Pair, not_estimable, pairs_of
from refusal_parity.statistics.rounding import TIE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from refusal_parity.outcomes import Outcome
    from refusal_parity.statistics.designs.counts import BoolArray, FloatArray, IntArray
    from refusal_parity.statistics.results import Estimate

TOLERATED: Final = 0.25
"""Share of its standard error that mixtures may move a difference by: a test at 5 % rejects in
5.7 % of studies then."""

CHANCE: Final = 3.0
"""Of its own standard errors, up to which the move may be chance: the test's error holds it."""


class Move(NamedTuple):
    """What mixtures make of the difference between two levels.

    Attributes:
        estimate: by how much they move it; NaN where they cannot be told from the levels.
        std_error: how much as large a move is, where mixtures differ between units by chance.
        of_difference: standard error of the whole difference, by the same units.
    """

    estimate: float
    std_error: float
    of_difference: float

    @property
    def is_tolerated(self) -> bool:
        """Whether a test of the difference holds all the same."""
        size = abs(self.estimate)
        return (
            size <= TIE or size < TOLERATED * self.of_difference or size < CHANCE * self.std_error
        )


class Mixtures(NamedTuple):
    """Why levels of one dimension cannot be compared, by pair; empty where all can."""

    torn: Mapping[Pair, str] = MappingProxyType({})

    def held(self, row: Estimate) -> Estimate:
        """The row, without a number where its levels are other mixtures.

        A global test has none as soon as that holds for two levels.
        """
        reason = self.torn.get(row.pair) if row.pair else next(iter(self.torn.values()), None)
        if reason is None or row.is_missing:
            return row
        return not_estimable(row.method, row.estimand, row.pair, reason)


def mixtures(
    observations: pl.DataFrame, dimension: str, levels: Sequence[str], outcome: Outcome
) -> Mixtures:
    """Which levels are other mixtures of arms or names than those they are compared with.

    Args:
        observations: rows of `observe`, of one model.
        dimension: column of the levels.
        levels: all of them, the reference first.
        outcome: what is compared.
    """
    unit = DIMENSIONS[dimension].unit
    units = "name_id" if unit is Unit.NAME else "text_id"
    of_arms = ARM.key in observations.columns and dimension != ARM.key
    factors = {ARM.key: "pooled arms"} if of_arms else {}
    if unit is not Unit.NAME and not is_listed(observations):
        factors |= {"name_id": "names"}
    torn: dict[Pair, str] = {}
    for factor, noun in factors.items():
        if observations[factor].n_unique() > 1:
            torn = _torn(observations, (dimension, units, factor), levels, outcome, noun) | torn
    return Mixtures(torn)


def _torn(
    observations: pl.DataFrame,
    keys: tuple[str, str, str],
    levels: Sequence[str],
    outcome: Outcome,
    noun: str,
) -> dict[Pair, str]:
    """Pairs that a factor moves, each with the reason."""
    levelled = observations.drop_nulls(list(keys))
    cells = (
        count_outcomes(levelled.drop_nulls("label"), keys, [outcome])
        if isinstance(outcome.quantity, Share)
        else sum_measure(levelled, keys, outcome)
    )
    level = cells[keys[0]].to_numpy()
    unit, factor = (codes_of(cells[key].to_numpy().astype(np.str_)) for key in keys[1:])
    n, k = (cells[key].to_numpy().astype(np.float64) for key in ("n", str(outcome)))
    found = {}
    for pair in pairs_of(levels):
        both = np.isin(level, pair)
        if not set(pair) <= set(level[both]):
            continue
        row = (level[both] == pair.group) * (int(unit.max()) + 1) + unit[both]
        move = _move(
            codes_of(row), level[both] == pair.group, codes_of(factor[both]), n[both], k[both]
        )
        if np.isnan(move.estimate):
            found[pair] = f"{pair.group} and {pair.reference} have none of the {noun} in common"
        elif not move.is_tolerated:
            found[pair] = (
                f"{pair.group} and {pair.reference} have different shares of the {noun}, by which "
                f"alone they differ by {move.estimate:+.3f}"
            )
    return found


def _move(
    row: IntArray, is_group: BoolArray, factor: IntArray, n: FloatArray, k: FloatArray
) -> Move:
    """What shares of a factor's levels make of the difference of two levels.

    Args:
        row: codes of units within levels, shape (cells,).
        is_group: whether a cell is of the first level, shape (cells,).
        factor: codes, shape (cells,).
        n: responses, shape (cells,).
        k: sums of the outcome, shape (cells,).
    """
    shape = (int(row.max()) + 1, int(factor.max()) + 1)
    at = row * shape[1] + factor
    n, k = (
        np.bincount(at, each, shape[0] * shape[1]).reshape(shape).astype(np.float64)
        for each in (n, k)
    )
    if same_shares(n):
        return Move(0.0, 0.0, 0.0)
    first = np.zeros(shape[0], dtype=np.bool_)
    first[row[is_group]] = True
    level_n, level_k = (np.stack([each[~first].sum(0), each[first].sum(0)]) for each in (n, k))
    effects = template_deviations(level_n, level_k[None])[0]
    weights = n.sum(axis=1)
    moved, moved_error = _difference(n @ effects / weights, weights, first)
    _, error = _difference(k.sum(axis=1) / weights, weights, first)
    return Move(moved, moved_error, error)


def _difference(values: FloatArray, weights: FloatArray, first: BoolArray) -> tuple[float, float]:
    """Difference of two weighed means and its standard error, by unit."""
    means, variance = [], 0.0
    for chosen in (first, ~first):
        share = weights[chosen] / weights[chosen].sum()
        mean = float(share @ values[chosen])
        units = len(share)
        squares = float(share**2 @ (values[chosen] - mean) ** 2)
        variance += squares * units / (units - 1) if units > 1 else 0.0
        means.append(mean)
    return means[0] - means[1], float(np.sqrt(variance))
