"""Which name or template a difference rests on: each left out in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import polars as pl

from refusal_parity.statistics.design import codes_of
from refusal_parity.statistics.exact import permutation_names_exact
from refusal_parity.statistics.methods import OF_NAMES
from refusal_parity.statistics.observations import count_outcomes
from refusal_parity.statistics.randomisation import Draws
from refusal_parity.tables import Influence, conform
from refusal_parity.vocabulary import LeftOut

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.design import BoolArray, FloatArray, IntArray

_KEYS: Final = {LeftOut.NAME: "name_id", LeftOut.TEMPLATE: "template_id"}
_UNTESTED: Final = "no exact test: levels are not a property of names"


def influences(observations: pl.DataFrame, analysis: AnalysisConfig) -> dy.DataFrame[Influence]:
    """Compute each risk difference without one name, and without one template.

    d(-j) = sum k / sum n of the group less that of the reference, over all
    cells but those of name or template j, with the p-value of
    `exact.permutation_names_exact` where levels are a property of names.

    Args:
        observations: rows of `observe`, of one model or several.
        analysis: outcomes, dimensions with their references, permutations.

    Returns:
        Table of Influence. What is left out belongs to the group or to the
        reference; where nothing of one of them is left, the note says so.
    """
    schema = {
        name: pl.String() if isinstance(column.dtype, pl.Enum) else column.dtype
        for name, column in Influence.columns().items()
    }
    rows = [
        {"model": model, "dimension": dimension} | row
        for (model,), part in observations.group_by("model", maintain_order=True)
        for dimension, config in analysis.dimensions.items()
        for row in _of_dimension(part, dimension, config.reference, analysis)
    ]
    return conform(pl.DataFrame(rows, schema=schema), Influence, where="influence")


class _Cells(NamedTuple):
    """Counts of a group and its reference by name and template, arrays of shape (cells,)."""

    k: FloatArray
    n: FloatArray
    ours: BoolArray
    name: IntArray

    def keep(self, chosen: BoolArray) -> _Cells:
        return _Cells(self.k[chosen], self.n[chosen], self.ours[chosen], self.name[chosen])


def _of_dimension(
    observations: pl.DataFrame, dimension: str, reference: str, analysis: AnalysisConfig
) -> Iterator[dict[str, Any]]:
    counted = count_outcomes(
        observations.drop_nulls([dimension, "label"]),
        [dimension, "name_id", "template_id"],
        analysis.readings,
    )
    draws = Draws(analysis.permutations, analysis.seed) if dimension in OF_NAMES else None
    for group in counted[dimension].unique().sort():
        if group == reference:
            continue
        pair = counted.filter(pl.col(dimension).is_in([group, reference]))
        ours = (pair[dimension] == group).to_numpy()
        n = pair["n"].to_numpy().astype(np.float64)
        codes = {
            kind: codes_of(pair[key].to_numpy().astype(np.str_)) for kind, key in _KEYS.items()
        }
        for outcome in analysis.readings:
            k = pair[str(outcome)].to_numpy().astype(np.float64)
            cells = _Cells(k, n, ours, codes[LeftOut.NAME])
            base = _difference(cells, None)["estimate"]
            for kind, key in _KEYS.items():
                for at, left_out in enumerate(pair[key].unique().sort()):
                    row = _difference(cells.keep(codes[kind] != at), draws)
                    known = base is not None and row["estimate"] is not None
                    yield {
                        "outcome": str(outcome),
                        "group": group,
                        "reference": reference,
                        "left_out_kind": str(kind),
                        "left_out": left_out,
                        "change": row["estimate"] - base if known else None,
                    } | row


def _difference(cells: _Cells, draws: Draws | None) -> dict[str, Any]:
    """Counts, difference and test of what is left of a group and its reference."""
    counts = {
        f"{letter}_{side}": int(values[chosen].sum())
        for letter, values in (("n", cells.n), ("k", cells.k))
        for side, chosen in (("group", cells.ours), ("reference", ~cells.ours))
    }
    row: dict[str, Any] = counts | {"estimate": None}
    for side in ("group", "reference"):
        if not counts[f"n_{side}"]:
            return row | {"note": f"not estimable: nothing left of the {side}"}
    row["estimate"] = (
        counts["k_group"] / counts["n_group"] - counts["k_reference"] / counts["n_reference"]
    )
    if draws is None:
        return row | {"note": _UNTESTED}
    name = codes_of(cells.name)
    n = np.bincount(name, cells.n).astype(np.float64)
    k = np.bincount(name, cells.k).astype(np.float64)
    found = permutation_names_exact(k, n, np.bincount(name, cells.ours) > 0, draws)
    return row | {"p_value": found.p_value, "note": found.note}
