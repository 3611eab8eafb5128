"""Which name or template a difference rests on: each left out in turn."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl

from refusal_parity.dimensions import DIMENSIONS, Unit
from refusal_parity.factors import is_listed
from refusal_parity.statistics.designs.counts import Design, clusters_of, codes_of
from refusal_parity.statistics.designs.outcome_columns import count_outcomes
from refusal_parity.statistics.designs.within_templates import deviations_of
from refusal_parity.statistics.failures import Guard, unheard
from refusal_parity.statistics.resampling.few_names import least_p_value
from refusal_parity.statistics.resampling.leave_one_out import Splits, p_values, split
from refusal_parity.tables import Influence, conform
from refusal_parity.vocabulary import LeftOut

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.outcomes import Outcome
    from refusal_parity.statistics.designs.counts import FloatArray, IntArray
    from refusal_parity.statistics.failures import Say

_SIDES: Final = ("group", "reference")
_KEYS: Final = {LeftOut.NAME: "name_id", LeftOut.TEMPLATE: "text_id"}
_LISTED: Final = {LeftOut.PROMPT: "text_id"}
_RANDOM: Final = "p-value of random splits: there are too many to list"
_UNTESTED: Final = "no permutation test: levels are not a property of names"
"""Which those of prompts in a list are not either."""

_DECIMALS: Final = 10
"""Of differences: the order of sums decides the last digits of adjusted ones."""

_SCHEMA: Final = {
    **dict.fromkeys(
        ("model", "outcome", "dimension", "group", "reference", "left_out_kind", "left_out"),
        pl.String,
    ),
    **dict.fromkeys(("n_group", "n_reference", "k_group", "k_reference"), pl.Float64),
    "estimate": pl.Float64,
    "whole": pl.Float64,
    "p_value": pl.Float64,
    "note": pl.String,
}


def influences(
    observations: pl.DataFrame, analysis: AnalysisConfig, say: Say = unheard
) -> dy.DataFrame[Influence]:
    """Compute each risk difference without one name, and without one template or listed prompt.

    d(-j) = sum k / sum n of the group less that of the reference, over all
    cells but those of name or template j; or, where names have not all the same
    templates, the difference of their means less templates' effects
    (`within_templates`). Where levels are a property of names, with the p-value of
    `leave_one_out.p_values`: that of `exact.permutation_names_exact`, or of random splits
    where there are many.

    Args:
        observations: rows of `observe`, of one model or several.
        analysis: outcomes, dimensions with their references, seed.
        say: hears which p-values failed numerically.

    Returns:
        Table of Influence. What is left out belongs to the group or to the
        reference; where nothing of one of them is left, the note says so.
    """
    parts = [
        part
        for (model,), of_model in observations.group_by("model", maintain_order=True)
        for dimension, config in analysis.dimensions.items()
        for guard in (Guard(say, (str(model), dimension)),)
        for part in _of_dimension(
            of_model, str(model), dimension, config.reference, analysis, guard
        )
    ]
    rows = pl.concat(parts) if parts else pl.DataFrame(schema=_SCHEMA)
    reasons = [
        pl.when(pl.col(f"n_{side}") == 0).then(pl.lit(f"not estimable: nothing left of the {side}"))
        for side in _SIDES
    ]
    table = rows.with_columns(
        estimate=pl.col("estimate").fill_nan(None),
        p_value=pl.col("p_value").fill_nan(None),
        note=pl.coalesce(*reasons, "note"),
    ).with_columns(change=pl.col("estimate") - pl.col("whole"))
    return conform(table, Influence, where="influence")


class _Cells(NamedTuple):
    """Counts of one outcome in a group and its reference, by name and template.

    Attributes:
        k: responses with the outcome, shape (cells,).
        effect: of each cell's template, shape (cells,); None where all names have the
            same ones.
        n: labelled responses, shape (cells,).
        name: code of the name, shape (cells,).
        side: 0 for the group and 1 for the reference, shape (cells,).
        unit: code of what is left out in turn, shape (cells,).
    """

    k: FloatArray
    effect: FloatArray | None
    n: FloatArray
    name: IntArray
    side: IntArray
    unit: IntArray

    def without_each(self) -> tuple[FloatArray, FloatArray, IntArray]:
        """Sums and weights of each name without each unit, (rows, units), and the rows' sides.

        The last column is of all units. Names that meet both sides have two rows.
        """
        rows, row = np.unique(self.name * 2 + self.side, return_inverse=True)
        y = self.k if self.effect is None else self.k - self.n * self.effect
        y, n = (_left(values, row, self.unit, len(rows)) for values in (y, self.n))
        if self.effect is not None:
            y, n = y / np.maximum(n, 1), (n > 0).astype(np.float64)
        return y, n, rows % 2


def _of_dimension(  # noqa: PLR0913, PLR0917 - one part of the table in full
    observations: pl.DataFrame,
    model: str,
    dimension: str,
    reference: str,
    analysis: AnalysisConfig,
    guard: Guard,
) -> Iterator[pl.DataFrame]:
    """Rows of `_SCHEMA`, a frame for each group, outcome and kind of unit."""
    counted = count_outcomes(
        observations.drop_nulls([dimension, "label"]),
        [dimension, "name_id", "text_id"],
        analysis.readings,
    )
    deviations = {
        outcome: None if is_listed(counted) else _deviations(counted, dimension, outcome)
        for outcome in analysis.readings
    }
    for group in counted[dimension].unique().sort():
        if group == reference:
            continue
        of_pair = counted[dimension].is_in([group, reference]).to_numpy()
        pair = counted.filter(of_pair)
        n = pair["n"].to_numpy().astype(np.float64)
        side = (pair[dimension] != group).to_numpy().astype(np.intp)
        name, _ = clusters_of(pair)
        splits = None
        if DIMENSIONS[dimension].unit is Unit.NAME:
            splits = split(np.bincount(name, 1 - side) > 0, analysis.seed)
        for kind, key in (_LISTED if is_listed(pair) else _KEYS).items():
            units = pair[key].unique().sort()
            unit = codes_of(pair[key].to_numpy().astype(np.str_))
            for outcome in analysis.readings:
                k = pair[str(outcome)].to_numpy().astype(np.float64)
                effects = deviations[outcome]
                of_cells = None if effects is None else effects[of_pair]
                cells = _Cells(k, of_cells, n, name, side, unit)
                tested = guard.of(str(outcome)).run(
                    f"p-values of {group} without each {kind}",
                    partial(_tested, cells, splits),
                    partial(_untested, cells),
                )
                differences = _differences(cells)
                of_all = {
                    "model": model,
                    "outcome": str(outcome),
                    "dimension": dimension,
                    "group": group,
                    "reference": reference,
                    "left_out_kind": str(kind),
                    "whole": float(differences[-1]),
                    "note": tested.note,
                }
                of_each = {
                    **_counts(cells),
                    "estimate": differences[:-1],
                    "p_value": tested.p_values,
                }
                # Lists, because polars takes its time to spread a single value.
                spread = {column: [value] * len(units) for column, value in of_all.items()}
                yield pl.DataFrame({**spread, **of_each, "left_out": units}, schema=_SCHEMA)


class _Tested(NamedTuple):
    """p-values without each unit, shape (units,), NaN where there is none, and a note."""

    p_values: FloatArray
    note: str | None


def _tested(cells: _Cells, splits: Splits | None) -> _Tested:
    if splits is None:
        return _Tested(np.full(int(cells.unit.max()) + 1, np.nan), _UNTESTED)
    p_values = _p_values(cells, splits)
    if cells.effect is not None:
        p_values = np.maximum(p_values, _least(cells))
    return _Tested(p_values, None if splits.every else _RANDOM)


def _least(cells: _Cells) -> FloatArray:
    """`few_names.least_p_value` without each unit, shape (units,)."""
    names, name = np.unique(cells.name, return_inverse=True)
    side = np.zeros(len(names), dtype=np.intp)
    side[name] = cells.side
    k, n = (_left(values, name, cells.unit, len(names))[:, :-1].T for values in (cells.k, cells.n))
    least = np.zeros(len(n))
    for at, there in enumerate(n > 0):
        sizes = np.bincount(side[there], minlength=2)
        if sizes.all():
            least[at] = least_p_value(k[at, there][None], n[at, there], sizes)[0]
    return least


def _untested(cells: _Cells, reason: str) -> _Tested:
    unknown = np.full(int(cells.unit.max()) + 1, np.nan)
    return _Tested(unknown, f"p-value not estimable: {reason}")


def _counts(cells: _Cells) -> dict[str, FloatArray]:
    """Responses left of both sides without each unit, all of shape (units,)."""
    return {
        f"{letter}_{side}": sums[:-1]
        for letter, values in (("n", cells.n), ("k", cells.k))
        for side, sums in zip(_SIDES, _left(values, cells.side, cells.unit, 2), strict=True)
    }


def _deviations(counted: pl.DataFrame, dimension: str, outcome: Outcome) -> FloatArray | None:
    """Effect of each row's template; None where all names have the same ones, or nothing is."""
    if counted.is_empty():
        return None
    level, name, template = (
        codes_of(counted[key].to_numpy().astype(np.str_))
        for key in (dimension, "name_id", "text_id")
    )
    n, k = (counted[key].to_numpy().astype(np.float64) for key in ("n", str(outcome)))
    design = Design(tuple(counted[dimension].unique().sort()), level, name, template, n, k)
    effects = deviations_of(design)
    return None if effects is None else effects[design.template]


def _differences(cells: _Cells) -> FloatArray:
    """Without each unit, and with all, shape (units + 1,); NaN where nothing is left of a side."""
    y, n, side = cells.without_each()
    sums = [(y[side == at].sum(axis=0), n[side == at].sum(axis=0)) for at in (0, 1)]
    rates = [of_side / np.where(count > 0, count, np.nan) for of_side, count in sums]
    found = rates[0] - rates[1]
    return np.asarray(found if cells.effect is None else np.round(found, _DECIMALS))


def _p_values(cells: _Cells, splits: Splits) -> FloatArray:
    """Of the permutation test without each unit; NaN where nothing is left of one side."""
    y, n, side = cells.without_each()
    y, n, ours = y[:, :-1], n[:, :-1], side == 0
    testable = (n[ours].sum(axis=0) > 0) & (n[~ours].sum(axis=0) > 0)
    found = np.full(len(testable), np.nan)
    found[testable] = p_values(y[:, testable], n[:, testable], ours, splits)
    return found


def _left(values: FloatArray, row: IntArray, unit: IntArray, rows: int) -> FloatArray:
    """Sum of each row's cells without those of each unit, and of all, shape (rows, units + 1)."""
    units = int(unit.max()) + 1
    sums = np.bincount(row * units + unit, values, rows * units).reshape(rows, units)
    left = sums.sum(axis=1, keepdims=True) - np.pad(sums, ((0, 0), (0, 1)))
    return np.asarray(left, dtype=np.float64)
