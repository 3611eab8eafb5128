"""Which name or template a difference rests on: each left out in turn."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl

from refusal_parity.dimensions import DIMENSIONS, Unit
from refusal_parity.statistics.designs.counts import codes_of
from refusal_parity.statistics.designs.observations import count_outcomes
from refusal_parity.statistics.failures import Guard, unheard
from refusal_parity.statistics.resampling.leave_one_out import Splits, p_values, split
from refusal_parity.tables import Influence, conform
from refusal_parity.vocabulary import LeftOut

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.designs.counts import FloatArray, IntArray
    from refusal_parity.statistics.failures import Say

_SIDES: Final = ("group", "reference")
_KEYS: Final = {LeftOut.NAME: "name_id", LeftOut.TEMPLATE: "text_id"}
_RANDOM: Final = "p-value of random splits: there are too many to list"
_UNTESTED: Final = "no permutation test: levels are not a property of names"

_SCHEMA: Final = {
    **dict.fromkeys(
        ("model", "outcome", "dimension", "group", "reference", "left_out_kind", "left_out"),
        pl.String,
    ),
    **dict.fromkeys(("n_group", "n_reference", "k_group", "k_reference"), pl.Float64),
    "whole": pl.Float64,
    "p_value": pl.Float64,
    "note": pl.String,
}


def influences(
    observations: pl.DataFrame, analysis: AnalysisConfig, say: Say = unheard
) -> dy.DataFrame[Influence]:
    """Compute each risk difference without one name, and without one template.

    d(-j) = sum k / sum n of the group less that of the reference, over all
    cells but those of name or template j. Where levels are a property of
    names, with the p-value of `leave_one_out.p_values`: that of
    `exact.permutation_names_exact`, or of random splits where there are many.

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
    rate_of = {side: pl.col(f"k_{side}") / pl.col(f"n_{side}") for side in _SIDES}
    table = rows.with_columns(
        estimate=(rate_of["group"] - rate_of["reference"]).fill_nan(None),
        p_value=pl.col("p_value").fill_nan(None),
        note=pl.coalesce(*reasons, "note"),
    ).with_columns(change=pl.col("estimate") - pl.col("whole"))
    counts = pl.col(f"{letter}_{side}" for letter in "nk" for side in _SIDES)
    return conform(
        table.with_columns(counts.cast(pl.Int64)).drop("whole"), Influence, where="influence"
    )


class _Cells(NamedTuple):
    """Counts of one outcome in a group and its reference, by name and template.

    Attributes:
        k: responses with the outcome, shape (cells,).
        n: labelled responses, shape (cells,).
        side: 0 for the group and 1 for the reference, shape (cells,).
        unit: code of what is left out in turn, shape (cells,).
    """

    k: FloatArray
    n: FloatArray
    side: IntArray
    unit: IntArray


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
    for group in counted[dimension].unique().sort():
        if group == reference:
            continue
        pair = counted.filter(pl.col(dimension).is_in([group, reference]))
        n = pair["n"].to_numpy().astype(np.float64)
        side = (pair[dimension] != group).to_numpy().astype(np.intp)
        name = codes_of(pair["name_id"].to_numpy().astype(np.str_))
        splits = None
        if DIMENSIONS[dimension].unit is Unit.NAME:
            splits = split(np.bincount(name, 1 - side) > 0, analysis.seed)
        for kind, key in _KEYS.items():
            units = pair[key].unique().sort()
            unit = codes_of(pair[key].to_numpy().astype(np.str_))
            for outcome in analysis.readings:
                k = pair[str(outcome)].to_numpy().astype(np.float64)
                cells = _Cells(k, n, side, unit)
                tested = guard.of(str(outcome)).run(
                    f"p-values of {group} without each {kind}",
                    partial(_tested, cells, name, splits),
                    partial(_untested, cells),
                )
                of_all = {
                    "model": model,
                    "outcome": str(outcome),
                    "dimension": dimension,
                    "group": group,
                    "reference": reference,
                    "left_out_kind": str(kind),
                    "whole": _difference(cells),
                    "note": tested.note,
                }
                of_each = {**_counts(cells), "p_value": tested.p_values}
                # Lists, because polars takes its time to spread a single value.
                spread = {column: [value] * len(units) for column, value in of_all.items()}
                yield pl.DataFrame({**spread, **of_each, "left_out": units}, schema=_SCHEMA)


class _Tested(NamedTuple):
    """p-values without each unit, shape (units,), NaN where there is none, and a note."""

    p_values: FloatArray
    note: str | None


def _tested(cells: _Cells, name: IntArray, splits: Splits | None) -> _Tested:
    if splits is None:
        return _Tested(np.full(int(cells.unit.max()) + 1, np.nan), _UNTESTED)
    return _Tested(_p_values(cells, name, splits), None if splits.every else _RANDOM)


def _untested(cells: _Cells, reason: str) -> _Tested:
    unknown = np.full(int(cells.unit.max()) + 1, np.nan)
    return _Tested(unknown, f"p-value not estimable: {reason}")


def _counts(cells: _Cells) -> dict[str, FloatArray]:
    """Responses left of both sides without each unit, all of shape (units,)."""
    return {
        f"{letter}_{side}": sums
        for letter, values in (("n", cells.n), ("k", cells.k))
        for side, sums in zip(_SIDES, _left(values, cells.side, cells.unit, 2), strict=True)
    }


def _difference(cells: _Cells) -> float:
    """Of the rates with every unit; of no use where a side has no cell."""
    k, n = (np.bincount(cells.side, values, 2) for values in (cells.k, cells.n))
    rates = k / np.maximum(n, 1)
    return float(rates[0] - rates[1])


def _p_values(cells: _Cells, name: IntArray, splits: Splits) -> FloatArray:
    """Of the permutation test without each unit; NaN where nothing is left of one side."""
    ours = np.bincount(name, 1 - cells.side) > 0
    k, n = (_left(values, name, cells.unit, len(ours)) for values in (cells.k, cells.n))
    testable = (n[ours].sum(axis=0) > 0) & (n[~ours].sum(axis=0) > 0)
    found = np.full(len(testable), np.nan)
    found[testable] = p_values(k[:, testable], n[:, testable], ours, splits)
    return found


def _left(values: FloatArray, row: IntArray, unit: IntArray, rows: int) -> FloatArray:
    """Sum of each row's cells without those of each unit, shape (rows, units)."""
    units = int(unit.max()) + 1
    sums = np.bincount(row * units + unit, values, rows * units).reshape(rows, units)
    return np.asarray(sums.sum(axis=1, keepdims=True) - sums, dtype=np.float64)
