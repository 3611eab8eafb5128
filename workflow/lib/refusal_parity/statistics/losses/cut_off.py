"""Each difference with cut-off responses counted by their label, and with them left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.dimensions import DIMENSIONS
from refusal_parity.statistics.adjust import adjust
from refusal_parity.statistics.agreeing import OF_FAMILY, agreeing
from refusal_parity.statistics.designs.counts import build_designs
from refusal_parity.statistics.designs.kinds import DesignKind
from refusal_parity.statistics.designs.mixtures import mixtures
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.disparity import levels_of
from refusal_parity.statistics.enough import sizes_of
from refusal_parity.statistics.failures import Guard, unheard
from refusal_parity.statistics.methods.bias_reduced import OLS_CR2_TWO_WAY
from refusal_parity.statistics.methods.nested import UNIT_SCORE
from refusal_parity.statistics.methods.wilson_two_way import WILSON_TWO_WAY
from refusal_parity.statistics.results import OF_UNITS, join_notes
from refusal_parity.statistics.rounding import settled
from refusal_parity.statistics.running import run_method
from refusal_parity.tables import CutOff, conform
from refusal_parity.vocabulary import CutReading, Estimand

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.outcomes import Outcome
    from refusal_parity.statistics.designs.counts import Design
    from refusal_parity.statistics.designs.mixtures import Mixtures
    from refusal_parity.statistics.failures import Say
    from refusal_parity.statistics.registry import Method

Row = dict[str, Any]

_ESTIMAND: Final = Estimand.RISK_DIFFERENCE
_TAKEN: Final = ("df", "effective_group", "effective_reference", *OF_UNITS)
"""What `agreeing` has intervals from."""


def cut_off(
    prompts: pl.DataFrame, labels: pl.DataFrame, analysis: AnalysisConfig, say: Say = unheard
) -> dy.DataFrame[CutOff]:
    """Compare the levels under both readings of responses that were cut off.

    By the method that decides elsewhere without simulated studies, with its correction for
    several tests within each reading (`adjust`) and the intervals that agree.

    Args:
        prompts: table of Prompts.
        labels: table of Labels, of one model or several.
        analysis: outcomes, dimensions with their references, alpha, primary family.
        say: hears which tests failed numerically.

    Returns:
        Table of CutOff. A model of whose labelled responses none was cut off has no rows.
    """
    cut = labels.filter(pl.col("truncated") & pl.col("label").is_not_null())
    of_models = labels.filter(pl.col("model").is_in(cut["model"].unique().implode()))
    tables = []
    for reading in CutReading:
        rows = [
            row
            for (model,), part in of_models.group_by("model", maintain_order=True)
            for row in _of_model(str(model), reading, prompts, part, analysis, say)
        ]
        found = agreeing(adjust(pl.DataFrame(rows, schema=_SCHEMA), analysis))
        tables.append(
            found.with_columns(
                ci_low=pl.coalesce("adjusted_low", "ci_low"),
                ci_high=pl.coalesce("adjusted_high", "ci_high"),
            )
        )
    return conform(settled(pl.concat(tables)), CutOff, where="cut_off")


_SCHEMA: Final = {
    **{
        name: pl.String() if isinstance(column.dtype, pl.Enum) else column.dtype
        for name, column in CutOff.columns().items()
        if name != "p_adjusted"
    },
    # What `adjust` and `settled` look at besides.
    "method": pl.String(),
    "estimand": pl.String(),
    "valid": pl.Boolean(),
    **dict.fromkeys(("statistic", *_TAKEN, *OF_FAMILY), pl.Float64()),
}


def _of_model(  # noqa: PLR0913, PLR0917 - what is compared in full
    model: str,
    reading: CutReading,
    prompts: pl.DataFrame,
    labels: pl.DataFrame,
    analysis: AnalysisConfig,
    say: Say,
) -> Iterator[Row]:
    read = observe(prompts, labels, analysis.model_copy(update={"truncated": str(reading)}))
    for dimension, config in analysis.dimensions.items():
        levels = levels_of(read, dimension, config.reference)
        guard = Guard(say, (model, dimension)).of(reading)
        for outcome, design in build_designs(read, dimension, levels, analysis.readings).items():
            about = {
                "model": model,
                "outcome": str(outcome),
                "dimension": str(dimension),
                "reading": str(reading),
                "method": str(_method(design, dimension)),
                "estimand": str(_ESTIMAND),
            }
            alike = mixtures(read, dimension, levels, outcome)
            for row in _differences(
                design, dimension, config.reference, outcome, analysis, guard, alike
            ):
                yield about | row


def _method(design: Design, dimension: str) -> Method:
    if design.kind is DesignKind.NESTED:
        return UNIT_SCORE
    of_names = DIMENSIONS[dimension].unit in WILSON_TWO_WAY.needs.units
    return WILSON_TWO_WAY if of_names else OLS_CR2_TWO_WAY


def _differences(  # noqa: PLR0913, PLR0917 - what is compared in full
    design: Design,
    dimension: str,
    reference: str,
    outcome: Outcome,
    analysis: AnalysisConfig,
    guard: Guard,
    alike: Mixtures,
) -> Iterator[Row]:
    """Each level against the reference; where there is no test, the rates' difference."""
    if reference not in design.levels or len(design.levels) == 1:
        return
    made = run_method(_method(design, dimension), design, dimension, outcome, analysis, guard)
    rows = map(alike.held, map(sizes_of(design).held, made))
    counts = {
        level: (int(n), int(k))
        for level, n, k in zip(design.levels, design.level_n, design.level_k, strict=True)
    }
    for row in rows:
        if row.group is None or row.reference != reference:
            continue
        (n, k), (n_reference, k_reference) = counts[row.group], counts[reference]
        raw = k / n - k_reference / n_reference
        yield {
            "group": row.group,
            "reference": reference,
            "n_group": n,
            "n_reference": n_reference,
            "k_group": k,
            "k_reference": k_reference,
            "estimate": raw if row.estimate is None else row.estimate,
            "std_error": row.std_error,
            "ci_low": row.ci_low,
            "ci_high": row.ci_high,
            "p_value": row.p_value,
            "note": join_notes(row.note, row.few),
            "valid": row.few is None,
            **{key: getattr(row, key) for key in _TAKEN},
        }
