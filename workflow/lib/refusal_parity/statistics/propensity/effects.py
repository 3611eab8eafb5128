"""The table of odds ratios: differences of log-odds, the rates beside them, what they vary with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from refusal_parity.factors import is_listed
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.designs.counts import build_designs
from refusal_parity.statistics.designs.grid import grid_of, in_grid
from refusal_parity.statistics.disparity import levels_of
from refusal_parity.statistics.methods.bias_reduced import OLS_CR2_TWO_WAY
from refusal_parity.statistics.methods.calibrated_linear import CALIBRATED_LINEAR
from refusal_parity.statistics.methods.nested import UNIT_WELCH
from refusal_parity.statistics.results import join_notes
from refusal_parity.statistics.simulation.linear import fit_linear
from refusal_parity.tables import PropensityEffects, conform

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig

Row = dict[str, Any]

_REPORTED: Final = (CALIBRATED_LINEAR, OLS_CR2_TWO_WAY, UNIT_WELCH)
"""Methods whose odds ratio is reported, the first one first."""

_AS_ABOVE: Final = 1e-9


def propensity_effects(
    rows: pl.DataFrame, levels: pl.DataFrame, disparity: pl.DataFrame, analysis: AnalysisConfig
) -> dy.DataFrame[PropensityEffects]:
    """Odds ratios of each level against the reference, with the rates of both.

    The ratio, its interval and p are exp of the row of the disparity table that is reported.
    Standard deviations are those of the linear model that calibrates it (`fit_linear`).

    Args:
        rows: of `measured`.
        levels: table of PropensityLevels.
        disparity: table of Disparity of the same models.
        analysis: dimensions with their references.
    """
    tests = disparity.with_columns(pl.col(pl.Enum).cast(pl.String)).filter(
        pl.col("outcome") == str(Outcome.PROPENSITY),
        pl.col("method").is_in(list(map(str, _REPORTED))),
    )
    found = [
        {"model": str(model), "dimension": str(dimension)} | row
        for (model,), part in rows.group_by("model", maintain_order=True)
        for dimension, config in analysis.dimensions.items()
        for row in _of_dimension(
            part,
            str(dimension),
            config.reference,
            {
                row["group"]: row
                for row in levels.filter(
                    pl.col("model") == model, pl.col("dimension") == dimension
                ).iter_rows(named=True)
            },
            tests.filter(pl.col("model") == model, pl.col("dimension") == dimension).to_dicts(),
        )
    ]
    schema = {
        name: pl.String() if isinstance(column.dtype, pl.Enum) else column.dtype
        for name, column in PropensityEffects.columns().items()
    }
    frame = pl.DataFrame(found, schema=schema)
    return conform(frame, PropensityEffects, where="propensity effects")


def _of_dimension(
    part: pl.DataFrame, dimension: str, reference: str, levels: dict[str, Row], tests: list[Row]
) -> Iterator[Row]:
    varied = _deviations(part, dimension, reference)
    base = levels.get(reference, {})
    for group in sorted(set(levels) - {reference}):
        own = levels[group]
        asked = [
            row
            for method in _REPORTED
            for row in tests
            if (row["method"], row["group"], row["reference"]) == (method, group, reference)
        ]
        test = next((row for row in asked if row["p_adjusted"] is not None), None)
        test = test or next(iter(asked), {})
        yield {
            "group": group,
            "reference": reference,
            **_ratio(test),
            "typical_rate_group": own.get("typical_rate"),
            "typical_rate_reference": base.get("typical_rate"),
            "mean_rate_group": own.get("mean_rate"),
            "mean_rate_reference": base.get("mean_rate"),
            "opposed": _opposed(test.get("estimate"), own, base),
            **varied,
            "note": join_notes(own.get("note"), test.get("note")),
        }


def _ratio(test: Row) -> Row:
    if test.get("estimate") is None:
        return {}
    low, high = (
        test[f"ci_{side}"] if test[f"adjusted_{side}"] is None else test[f"adjusted_{side}"]
        for side in ("low", "high")
    )
    return {
        "method": test["method"],
        "odds_ratio": float(np.exp(test["estimate"])),
        "ci_low": None if low is None else float(np.exp(low)),
        "ci_high": None if high is None else float(np.exp(high)),
        "p_adjusted": test["p_adjusted"],
    }


def _opposed(estimate: float | None, own: Row, base: Row) -> bool | None:
    rates = own.get("mean_rate"), base.get("mean_rate")
    if estimate is None or rates[0] is None or rates[1] is None:
        return None
    more = rates[0] - rates[1]
    return bool(estimate * more < 0 and abs(more) > _AS_ABOVE * rates[1])


def _deviations(part: pl.DataFrame, dimension: str, reference: str) -> Row:
    """Of names, templates and cells; nothing where levels are no property of names."""
    measured = part.drop_nulls([dimension, "log_odds"])
    if is_listed(measured) or reference not in measured[dimension].to_list():
        return {}
    levels = levels_of(measured, dimension, reference)
    design = build_designs(measured, dimension, levels, [Outcome.PROPENSITY])[Outcome.PROPENSITY]
    try:
        grid = grid_of(design)
    except ValueError:
        return {}
    linear = fit_linear(grid, in_grid(design, design.k), own=0.0)
    if linear is None:
        return {}
    return {
        "template_deviation": linear.effect_deviation,
        "name_deviation": float(np.sqrt(linear.name[0])),
        "cell_deviation": float(np.sqrt(linear.cell)),
    }
