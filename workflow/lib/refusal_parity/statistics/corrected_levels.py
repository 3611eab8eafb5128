"""Rates of levels, corrected for the machine's errors, with names and templates as samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from refusal_parity.statistics.correction import Audited, Corrected, correct_around
from refusal_parity.statistics.designs.counts import Design, clusters_of
from refusal_parity.statistics.distributions import t_isf
from refusal_parity.statistics.proportions import TwoRates, wilson_limits
from refusal_parity.statistics.variances.effective import worth_at_most
from refusal_parity.statistics.variances.level_means import LevelMeans, contrast, level_means

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refusal_parity.statistics.designs.counts import FloatArray, IntArray
    from refusal_parity.statistics.results import Pair
    from refusal_parity.vocabulary import Scope


class RateInterval(NamedTuple):
    """A corrected rate between 0 and 1, its standard error, and the ends of its interval."""

    rate: float
    std_error: float
    low: float
    high: float


class CorrectedLevels(NamedTuple):
    """The levels that have enough labels, and what is corrected of them.

    Attributes:
        means: of the pseudo-outcomes.
        corrected: the rates before missing rows of some templates are made up for; of
            weighed responses, those over prompts.
        responses: of each level, shape (L,).
    """

    means: LevelMeans
    corrected: Corrected
    responses: FloatArray

    def places(self, pair: Pair) -> list[int]:
        """Where the group and the reference stand among the levels."""
        return [self.means.levels.index(level) for level in (pair.group, pair.reference)]

    def difference(self, pair: Pair) -> float:
        """The corrected difference, less what missing rows of some templates would add."""
        rate = self.corrected.rate - self.means.raw + self.means.mean
        ours, others = self.places(pair)
        return float(rate[ours] - rate[others])

    def two_rates(self, pair: Pair, scope: Scope, std_error: float) -> TwoRates:
        """Two corrected rates, at the numbers of responses that their own errors are worth.

        Args:
            pair: of levels.
            scope: to what a result is to generalise.
            std_error: of their difference, which tells what errors they have in common.
        """
        rate, variance, _ = self._alone(scope)
        n = self._effective(rate, variance)
        ours, others = self.places(pair)
        both = variance[ours] * variance[others]
        shared = (variance[ours] + variance[others] - std_error**2) / 2
        correlation = np.clip(shared / np.sqrt(both), 0, 1) if both > 0 else 0.0
        return TwoRates(
            difference=np.array([self.difference(pair)]),
            rate=rate[[ours]],
            reference=rate[[others]],
            n=n[[ours]],
            n_reference=n[[others]],
            correlation=np.array([correlation]),
        )

    def intervals(self, scope: Scope, alpha: float) -> list[RateInterval | None]:
        """Each level's corrected rate with Wilson's interval at its effective number.

        Args:
            scope: to what the rates are to generalise.
            alpha: 1 less the level of the intervals.

        Returns:
            By level; null where its error is not known, or no rate lies between 0 and 1.
        """
        rate, variance, df = self._alone(scope)
        n = np.maximum(self._effective(rate, variance), 1)
        ends = wilson_limits(rate, n, np.asarray(t_isf(alpha / 2, df)))
        numbers = zip(rate, np.sqrt(variance), ends.low, ends.high, strict=True)
        return [
            RateInterval(*map(float, each)) if known else None
            for each, known in zip(numbers, (variance > 0) & np.isfinite(n), strict=True)
        ]

    def _alone(self, scope: Scope) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Rate of each level, its variance (0 where it is not known), and degrees of freedom."""
        found = [
            contrast(self.means, each, scope, extra=float(extra))
            for each, extra in zip(
                np.eye(len(self.means.levels)), self.corrected.extra, strict=True
            )
        ]
        variance = np.array([0.0 if each is None else each.std_error**2 for each in found])
        df = np.array([1.0 if each is None else each.df for each in found])
        return np.clip(self.corrected.rate, 0, 1), variance, df

    def _effective(self, rate: FloatArray, variance: FloatArray) -> FloatArray:
        """The number of responses that say as much as a level's do."""
        spread = np.where(variance > 0, rate * (1 - rate), 0)
        number: FloatArray = worth_at_most(spread[None], variance[None], self.responses)[0]
        return number


def corrected_levels(
    rows: pl.DataFrame, dimension: str, levels: Sequence[str]
) -> CorrectedLevels | None:
    """Correct the rates of the levels that have rows; None where none has.

    Args:
        rows: with the readings `machine` and `human` (null where nobody read), `weight` and
            `filtered`; of weighed responses also the columns of `weighed_sample.STANDING`.
        dimension: column of the levels.
        levels: in the order of the result.
    """
    present = [level for level in levels if level in set(rows[dimension])]
    if not present:
        return None
    code = {level: at for at, level in enumerate(present)}
    level = np.array([code[each] for each in rows[dimension]], dtype=np.intp)
    drawn = pl.col("human").is_not_null()
    corrected = correct_around(
        Audited(
            level=level,
            machine=rows["machine"].to_numpy(),
            human=rows["human"].fill_null(0).to_numpy(),
            weight=rows.select(pl.when(drawn).then("weight").fill_null(0)).to_series().to_numpy(),
            worth=rows["worth"].to_numpy() if "worth" in rows.columns else None,
        ),
        known=rows["filtered"].to_numpy(),
    )
    sums, responses = _Sums.of(rows, tuple(present), level), np.bincount(level).astype(np.float64)
    if "worth" not in rows.columns:
        means = level_means(sums.design(corrected.pseudo, np.ones(len(level))))
        return CorrectedLevels(means, corrected, responses)
    # A prompt's rate is what is known of it and the sum of what its responses are worth.
    fixed, prompts, worth = (
        rows[each].to_numpy().astype(np.float64) for each in ("fixed", "prompts", "worth")
    )
    number, known, share = (np.bincount(level, each) for each in (prompts, fixed, worth))
    return CorrectedLevels(
        level_means(sums.design(fixed + worth * corrected.pseudo, prompts)),
        corrected._replace(
            rate=(known + share * corrected.rate) / number,
            extra=corrected.extra * (share / number) ** 2,
        ),
        responses,
    )


class _Sums(NamedTuple):
    """How rows add up to cells of level, name and template."""

    levels: tuple[str, ...]
    keys: tuple[IntArray, IntArray, IntArray]
    cell: IntArray

    @classmethod
    def of(cls, rows: pl.DataFrame, levels: tuple[str, ...], level: IntArray) -> _Sums:
        name, template = clusters_of(rows)
        at = (level * (int(name.max()) + 1) + name) * (int(template.max()) + 1) + template
        _, first, cell = np.unique(at, return_index=True, return_inverse=True)
        return cls(levels, (level[first], name[first], template[first]), cell)

    def design(self, total: FloatArray, number: FloatArray) -> Design:
        """Sums over cells of a quantity, and of what it is a mean over."""
        n, y = (np.bincount(self.cell, each).astype(np.float64) for each in (number, total))
        return Design(self.levels, *self.keys, n, y)
