"""The table of disparities: every outcome, dimension and method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.errors import InputError
from refusal_parity.statistics.adjust import adjust
from refusal_parity.statistics.design import build_designs
from refusal_parity.statistics.methods import ESTIMANDS, methods_for, run_methods
from refusal_parity.statistics.results import not_estimable, to_row
from refusal_parity.tables import Disparity, conform
from refusal_parity.vocabulary import Estimand

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.design import Design
    from refusal_parity.statistics.results import Estimate
    from refusal_parity.vocabulary import Method

_SCHEMA: Final = {
    name: pl.String() if isinstance(column.dtype, pl.Enum) else column.dtype
    for name, column in Disparity.columns().items()
    if name not in {"family", "p_adjusted"}
}


def disparities(observations: pl.DataFrame, analysis: AnalysisConfig) -> dy.DataFrame[Disparity]:
    """Compare the levels of every configured dimension, by every method fit for it.

    Args:
        observations: rows of `observe`, of one model or several.
        analysis: outcomes, dimensions with their references, level of the
            intervals, permutations, primary family.

    Returns:
        Table of Disparity. A number that cannot be had is null, and its row's
        note says why; what a library warned of stands there too.

    Raises:
        InputError: a reference level does not occur in the observations.
    """
    levels = {
        dimension: levels_of(observations, dimension, config.reference)
        for dimension, config in analysis.dimensions.items()
    }
    rows = [
        {"model": model, "dimension": dimension} | row
        for (model,), part in observations.group_by("model", maintain_order=True)
        for dimension in levels
        for row in _of_dimension(part, dimension, levels[dimension], analysis)
    ]
    frame = pl.DataFrame(rows, schema=_SCHEMA)
    return conform(adjust(frame, analysis.primary_family), Disparity, where="disparities")


def levels_of(observations: pl.DataFrame, dimension: str, reference: str) -> list[str]:
    """All levels of a dimension, the reference first.

    Raises:
        InputError: the reference does not occur in the observations.
    """
    levels = observations[dimension].drop_nulls().unique().sort().to_list()
    if reference not in levels:
        there = ", ".join(repr(level) for level in levels)
        raise InputError(
            f"level {reference!r} does not occur in the data",
            where=f"analysis.dimensions.{dimension}.reference",
            remedy=f"Name one of its levels: {there}."
            if there
            else f"No prompt has a {dimension}: take the dimension out.",
        )
    return [reference, *(level for level in levels if level != reference)]


def _of_dimension(
    observations: pl.DataFrame, dimension: str, levels: Sequence[str], analysis: AnalysisConfig
) -> list[dict[str, Any]]:
    """Rows of one model and dimension."""
    designs = build_designs(observations, dimension, levels, analysis.outcomes)
    present = next(iter(designs.values())).levels
    comparable = len(present) > 1 and present[0] == levels[0]
    found = run_methods(designs, dimension, analysis) if comparable else {}
    methods = methods_for(dimension)
    return [
        {"outcome": str(outcome), **_counts(row, design, levels[0]), **to_row(row)}
        for outcome, design in designs.items()
        for row in _complete(found.get(outcome, []), methods, levels, present)
    ]


def _complete(
    estimates: Sequence[Estimate],
    methods: Sequence[Method],
    levels: Sequence[str],
    present: Sequence[str],
) -> list[Estimate]:
    """One estimate for every method, estimand and group, with reasons for those not computed."""
    absent = [level for level in levels if level not in present]
    unlabelled = ", ".join(f"{level} has no labelled response" for level in absent)
    computed = {(each.method, each.estimand, each.group): each for each in estimates}
    rows = []
    for method in methods:
        for estimand in ESTIMANDS[method]:
            is_global = estimand is Estimand.GLOBAL
            for group in (None,) if is_global else levels[1:]:
                row = computed.get((method, estimand, group))
                if row is None:
                    reason = unlabelled or "there is one level only"
                    row = not_estimable(method, estimand, group, reason)
                elif is_global:
                    row = row.noting(unlabelled)
                rows.append(row)
    return rows


def _counts(row: Estimate, design: Design, reference: str) -> dict[str, Any]:
    """Counts of the group and the reference; null in a global test."""
    if row.group is None:
        return {"reference": None}
    n = dict(zip(design.levels, design.level_n.astype(int).tolist(), strict=True))
    k = dict(zip(design.levels, design.level_k.astype(int).tolist(), strict=True))
    return {
        "reference": reference,
        "n_group": n.get(row.group, 0),
        "n_reference": n.get(reference, 0),
        "k_group": k.get(row.group, 0),
        "k_reference": k.get(reference, 0),
    }
