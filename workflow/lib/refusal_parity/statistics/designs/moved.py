"""By how much a mixture of what no method takes off moves the difference between two levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from refusal_parity.statistics.designs.within_templates import same_shares, template_deviations
from refusal_parity.statistics.rounding import TIE

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import BoolArray, FloatArray, IntArray

TOLERATED: Final = 0.25
"""Share of its standard error that mixtures may move a difference by: a test at 5 % rejects in
5.7 % of studies then."""

MINOR: Final = 0.1
"""Share of the difference itself that mixtures may make of it: the rest is more than nine tenths,
and none of what they make."""

CHANCE: Final = 3.0
"""Of its own standard errors by unit, up to which the move may be chance: the test's error holds
it."""

OF_SAMPLE: Final = 2.0
"""The same by levels of what is a sample. With fewer of them than four no move is beyond."""


class Move(NamedTuple):
    """What mixtures make of the difference between two levels.

    Attributes:
        estimate: by how much they move it; NaN where they cannot be told from the levels.
        by_chance: how large a move may be where mixtures differ between units by chance.
        difference: the whole difference.
        of_difference: its standard error, by the same units.
    """

    estimate: float
    by_chance: float
    difference: float
    of_difference: float

    @property
    def is_tolerated(self) -> bool:
        """Whether a test of the difference holds all the same."""
        size = abs(self.estimate)
        return size <= TIE or size < max(TOLERATED * self.of_difference, self.by_chance)

    @property
    def is_minor(self) -> bool:
        """Whether nearly all of the difference is something else."""
        return abs(self.estimate) <= MINOR * abs(self.difference)


class Cells(NamedTuple):
    """Counts of two levels.

    Attributes:
        row: codes of units within levels, shape (cells,).
        is_group: whether a cell is of the first level, shape (cells,).
        factor: codes of what levels are mixtures of, shape (cells,).
        text: codes of texts, shape (cells,), where these are taken off a difference.
        n: responses, shape (cells,).
        k: sums of the outcome, shape (cells,).
    """

    row: IntArray
    is_group: BoolArray
    factor: IntArray
    text: IntArray | None
    n: FloatArray
    k: FloatArray

    def effects(self, of: IntArray) -> tuple[FloatArray, FloatArray]:
        """Effects of some codes on the outcome, and their responses at both levels.

        Shapes (codes,) and (2, codes); NaN where codes and levels cannot be told apart.
        """
        n, k = (
            _summed(self.is_group.astype(np.intp), of, each, (2, int(of.max()) + 1))
            for each in (self.n, self.k)
        )
        return template_deviations(n, k[None])[0], n


def move_of(cells: Cells, *, of_wordings: bool, is_sample: bool) -> Move:
    """What shares of a factor's levels make of the difference of two levels.

    Args:
        cells: their counts.
        of_wordings: whether the factor's levels are those of texts, which are taken off.
        is_sample: whether they are a sample.
    """
    shape = (int(cells.row.max()) + 1, int(cells.factor.max()) + 1)
    n, k = (_summed(cells.row, cells.factor, each, shape) for each in (cells.n, cells.k))
    if same_shares(n):
        return Move(0.0, 0.0, 0.0, 0.0)
    first = np.zeros(shape[0], dtype=np.bool_)
    first[cells.row[cells.is_group]] = True
    effects, level_n = cells.effects(cells.factor)
    weights = n.sum(axis=1)
    whole = k.sum(axis=1)
    if cells.text is not None:
        if of_wordings:
            effects = effects - _of_texts(effects, level_n.sum(axis=0), cells.factor, cells.text)
        of_text, _ = cells.effects(cells.text)
        if np.isfinite(of_text).all():
            whole = whole - np.bincount(cells.row, cells.n * of_text[cells.text], shape[0])
    moved, moved_error = _difference(n @ effects / weights, weights, first)
    difference, error = _difference(whole / weights, weights, first)
    by_chance = CHANCE * moved_error
    if is_sample:
        shares = level_n / level_n.sum(axis=1, keepdims=True)
        by_level = float(np.sqrt((((shares[1] - shares[0]) * effects) ** 2).sum()))
        by_chance = max(by_chance, OF_SAMPLE * by_level)
    return Move(moved, by_chance, difference, error)


def _summed(
    row: IntArray, column: IntArray, values: FloatArray, shape: tuple[int, int]
) -> FloatArray:
    at = row * shape[1] + column
    return np.bincount(at, values, shape[0] * shape[1]).reshape(shape).astype(np.float64)


def _of_texts(effects: FloatArray, n: FloatArray, factor: IntArray, text: IntArray) -> FloatArray:
    """The mean effect of each one's text, by responses."""
    text_of = np.zeros(len(effects), dtype=np.intp)
    text_of[factor] = text
    means = np.bincount(text_of, effects * n) / np.bincount(text_of, n)
    return np.asarray(means[text_of], dtype=np.float64)


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
