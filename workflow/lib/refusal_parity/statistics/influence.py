"""Which name or template a difference rests on: each left out in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

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
    from refusal_parity.vocabulary import Outcome

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


def _of_dimension(
    observations: pl.DataFrame, dimension: str, reference: str, analysis: AnalysisConfig
) -> Iterator[dict[str, Any]]:
    cells = count_outcomes(
        observations.drop_nulls([dimension, "label"]),
        [dimension, "name_id", "template_id"],
        analysis.readings,
    )
    draws = Draws(analysis.permutations, analysis.seed) if dimension in OF_NAMES else None
    for group in cells[dimension].unique().sort():
        if group == reference:
            continue
        pair = cells.filter(pl.col(dimension).is_in([group, reference])).with_columns(
            ours=pl.col(dimension) == group
        )
        for outcome in analysis.readings:
            base = _difference(pair, outcome, None)["estimate"]
            for kind, key in _KEYS.items():
                for left_out in pair[key].unique().sort():
                    row = _difference(pair.filter(pl.col(key) != left_out), outcome, draws)
                    known = base is not None and row["estimate"] is not None
                    yield {
                        "outcome": str(outcome),
                        "group": group,
                        "reference": reference,
                        "left_out_kind": str(kind),
                        "left_out": left_out,
                        "change": row["estimate"] - base if known else None,
                    } | row


def _difference(cells: pl.DataFrame, outcome: Outcome, draws: Draws | None) -> dict[str, Any]:
    """Counts, difference and test of what is left of a group and its reference."""
    n, k = pl.col("n"), pl.col(str(outcome))
    row: dict[str, Any] = cells.select(
        n_group=n.filter("ours").sum(),
        n_reference=n.filter(~pl.col("ours")).sum(),
        k_group=k.filter("ours").sum(),
        k_reference=k.filter(~pl.col("ours")).sum(),
    ).row(0, named=True)
    for side in ("group", "reference"):
        if not row[f"n_{side}"]:
            return row | {"estimate": None, "note": f"not estimable: nothing left of the {side}"}
    row["estimate"] = row["k_group"] / row["n_group"] - row["k_reference"] / row["n_reference"]
    if draws is None:
        return row | {"note": _UNTESTED}
    names = cells.group_by("name_id", "ours").agg(n.sum(), k.sum().alias("k")).sort("name_id")
    found = permutation_names_exact(
        names["k"].to_numpy().astype("float64"),
        names["n"].to_numpy().astype("float64"),
        names["ours"].to_numpy(),
        draws,
    )
    return row | {"p_value": found.p_value, "note": found.note}
