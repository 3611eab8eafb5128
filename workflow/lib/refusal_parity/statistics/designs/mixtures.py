"""Levels that are other mixtures of what no method takes off: of arms, wordings or names.

Templates are taken off a difference between groups, or matched sets of them, but neither arms
nor the wordings within a set: where responses of a level are missing in one of them, a
difference between arms or wordings looks like one between levels. Likewise names are not taken
off a difference between arms, or between kinds of templates. A test of such levels is none of
what sets them apart, so that none is done.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
import polars as pl

from refusal_parity.dimensions import ARM, DIMENSIONS, WITHIN_TEXTS, Unit
from refusal_parity.factors import is_listed
from refusal_parity.quantities import Share
from refusal_parity.statistics.designs.counts import codes_of
from refusal_parity.statistics.designs.moved import Cells, move_of
from refusal_parity.statistics.designs.outcome_columns import count_outcomes, sum_measure
from refusal_parity.statistics.results import Pair, join_notes, not_estimable, pairs_of
from refusal_parity.text import minus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from refusal_parity.outcomes import Outcome
    from refusal_parity.statistics.designs.moved import Move
    from refusal_parity.statistics.results import Estimate

    _Cells: TypeAlias = Callable[[pl.DataFrame, list[str]], pl.DataFrame]

_WORDING: Final = "wording_of_set"


class Mixtures(NamedTuple):
    """What mixtures do to the differences between levels of one dimension, by pair.

    Attributes:
        torn: why levels cannot be compared.
        told: what moves a difference by so little of it that it stands.
    """

    torn: Mapping[Pair, str] = MappingProxyType({})
    told: Mapping[Pair, str] = MappingProxyType({})

    def held(self, row: Estimate) -> Estimate:
        """The row, without a number where its levels are other mixtures.

        A global test has none as soon as that holds for two levels.
        """
        reason = self.torn.get(row.pair) if row.pair else next(iter(self.torn.values()), None)
        if reason is not None:
            # What else a method lacks is not why there is no test of these levels.
            return not_estimable(row.method, row.estimand, row.pair, reason)
        if row.is_missing or row.pair is None:
            return row
        return row.noting(self.told.get(row.pair))

    def noted(self, row: Mapping[str, Any], pair: Pair) -> dict[str, Any]:
        """A row of another table, with what moves its difference a little in its note."""
        return {**row, "note": join_notes(row.get("note"), self.told.get(pair))}

    def or_those(self, others: Mixtures) -> Mixtures:
        """Both, of what is compared at two places."""
        return Mixtures({**others.torn, **self.torn}, {**others.told, **self.told})


class Factor(NamedTuple):
    """What responses of a level are a mixture of.

    Attributes:
        key: column of its levels.
        noun: these in a sentence.
        is_sample: whether they are a sample, whose chance the error of a test holds.
    """

    key: str
    noun: str
    is_sample: bool = False


def mixtures(
    observations: pl.DataFrame, dimension: str, levels: Sequence[str], outcome: Outcome
) -> Mixtures:
    """Which levels are other mixtures than those they are compared with.

    Args:
        observations: rows of `observe`, of one model.
        dimension: column of the levels.
        levels: all of them, the reference first.
        outcome: what is compared.
    """

    def cells(rows: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
        counted = (
            count_outcomes(rows.drop_nulls("label"), keys, [outcome])
            if isinstance(outcome.quantity, Share)
            else sum_measure(rows, keys, outcome)
        )
        return counted.rename({str(outcome): "k"})

    return _mixtures(observations, dimension, levels, cells, "they differ")


def mixtures_of_changes(
    prompts: pl.DataFrame, dimension: str, levels: Sequence[str], column: str = "change"
) -> Mixtures:
    """The same of what differs by prompt between models or arms, each prompt weighing alike.

    Args:
        prompts: one row for each, as from `pairing`.
        dimension: column of the levels.
        levels: all of them, the reference first.
        column: what is compared.
    """

    def cells(rows: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
        return rows.group_by(keys).agg(n=pl.len(), k=pl.col(column).sum()).sort(keys)

    return _mixtures(prompts, dimension, levels, cells, "their changes differ")


def _mixtures(
    rows: pl.DataFrame, dimension: str, levels: Sequence[str], cells: _Cells, differ: str
) -> Mixtures:
    """Those of all factors; the first one that tears two levels says so."""
    unit = "name_id" if DIMENSIONS[dimension].unit is Unit.NAME else "text_id"
    torn: dict[Pair, str] = {}
    told: dict[Pair, str] = {}
    for factor in _factors(rows, dimension):
        mixed = rows.with_columns(_wording(rows, dimension)) if factor.key == _WORDING else rows
        if mixed[factor.key].n_unique() == 1:
            continue
        keys = list(dict.fromkeys([dimension, unit, factor.key, "text_id"]))
        counted = cells(mixed.drop_nulls(keys), keys)
        for pair, move in _moves(counted, (dimension, unit), factor, levels):
            if np.isnan(move.estimate):
                told_or_torn, words = torn, f"have none of the {factor.noun} in common"
            else:
                told_or_torn = told if move.is_minor else torn
                words = (
                    f"have different shares of the {factor.noun}, by which alone {differ} by "
                    f"{minus(f'{move.estimate:+.3f}')}"
                )
            told_or_torn.setdefault(pair, f"{pair.group} and {pair.reference} {words}")
    return Mixtures(torn, told)


def _factors(rows: pl.DataFrame, dimension: str) -> list[Factor]:
    """What levels of a dimension are mixtures of, as far as the study has any of it."""
    found = []
    unit = DIMENSIONS[dimension].unit
    if ARM.key in rows.columns and dimension != ARM.key:
        found.append(Factor(ARM.key, "pooled arms"))
    if unit is not Unit.NAME and not is_listed(rows):
        found.append(Factor("name_id", "names", is_sample=True))
    # Without matched sets each text is one template.
    if not is_listed(rows) and rows["template_id"].n_unique() > rows["text_id"].n_unique():
        meets_all = unit in {Unit.NAME, Unit.PROMPT}
        found.append(Factor(_WORDING, "wordings of matched sets", is_sample=meets_all))
    return found


def _wording(rows: pl.DataFrame, dimension: str) -> pl.Expr:
    """Which of its set's wordings a template is, as a column.

    Templates themselves, where every level has them; else the other factors of sets by which
    those of one level are told apart, and nothing where the study compares no other.
    """
    if DIMENSIONS[dimension].unit in {Unit.NAME, Unit.PROMPT}:
        return pl.col("template_id").alias(_WORDING)
    others = [key for key in rows.columns if key != dimension and _is_of_sets(key)]
    told = pl.concat_str([pl.lit(""), *others], separator="\x1f", ignore_nulls=True)
    return told.alias(_WORDING)


def _is_of_sets(key: str) -> bool:
    try:
        return DIMENSIONS[key].unit is Unit.SET
    except KeyError:
        return False


def _moves(
    cells: pl.DataFrame, keys: tuple[str, str], factor: Factor, levels: Sequence[str]
) -> Iterator[tuple[Pair, Move]]:
    """Pairs whose difference a factor moves by more than a test of it bears."""
    dimension = keys[0]
    level = cells[dimension].to_numpy()
    unit, mixed, text = (
        codes_of(cells[key].to_numpy().astype(np.str_)) for key in (keys[1], factor.key, "text_id")
    )
    n, k = (cells[key].to_numpy().astype(np.float64) for key in ("n", "k"))
    for pair in pairs_of(levels):
        both = np.isin(level, pair)
        if not set(pair) <= set(level[both]):
            continue
        ours = level[both] == pair.group
        counted = Cells(
            row=codes_of(ours * (int(unit.max()) + 1) + unit[both]),
            is_group=ours,
            factor=codes_of(mixed[both]),
            text=codes_of(text[both]) if DIMENSIONS[dimension].unit in WITHIN_TEXTS else None,
            n=n[both],
            k=k[both],
        )
        move = move_of(
            counted,
            of_wordings=factor.key == _WORDING and factor.is_sample,
            is_sample=factor.is_sample,
        )
        if not move.is_tolerated:
            yield pair, move
