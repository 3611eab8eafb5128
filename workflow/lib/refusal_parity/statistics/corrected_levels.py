"""Rates of levels, corrected for the machine's errors, with names and templates as samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from refusal_parity.statistics.correction import Audited, Corrected, correct_around
from refusal_parity.statistics.designs.counts import Design, clusters_of
from refusal_parity.statistics.proportions import TwoRates
from refusal_parity.statistics.variances.effective import worth_at_most
from refusal_parity.statistics.variances.level_means import LevelMeans, contrast, level_means

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.results import Pair
    from refusal_parity.vocabulary import Scope


class CorrectedLevels(NamedTuple):
    """The levels that have enough labels, and what is corrected of them.

    Attributes:
        means: of the pseudo-outcomes.
        corrected: the rates before missing rows of some templates are made up for.
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
        means, corrected, responses = self
        own = [
            contrast(means, each, scope, extra=float(extra))
            for each, extra in zip(np.eye(len(means.levels)), corrected.extra, strict=True)
        ]
        variance = np.array([0.0 if each is None else each.std_error**2 for each in own])
        rate = np.clip(corrected.rate, 0, 1)
        spread = np.where(variance > 0, rate * (1 - rate), 0)
        n = worth_at_most(spread[None], variance[None], responses)[0]
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


def corrected_levels(
    rows: pl.DataFrame, dimension: str, levels: Sequence[str]
) -> CorrectedLevels | None:
    """Correct the rates of the levels that have rows; None where none has.

    Args:
        rows: with the readings `machine` and `human` (null where nobody read), `weight` and
            `filtered`.
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
        ),
        known=rows["filtered"].to_numpy(),
    )
    return CorrectedLevels(
        level_means(_sums(rows, tuple(present), level, corrected.pseudo)),
        corrected,
        np.bincount(level).astype(np.float64),
    )


def _sums(
    rows: pl.DataFrame, levels: tuple[str, ...], level: np.typing.NDArray[np.intp], y: FloatArray
) -> Design:
    """Sums of a quantity by level, name and template."""
    name, template = clusters_of(rows)
    at = (level * (int(name.max()) + 1) + name) * (int(template.max()) + 1) + template
    _, first, cell = np.unique(at, return_index=True, return_inverse=True)
    n, total = (np.bincount(cell, each).astype(np.float64) for each in (None, y))
    return Design(levels, level[first], name[first], template[first], n, total)
