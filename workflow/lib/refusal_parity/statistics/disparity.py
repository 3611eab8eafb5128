"""The table of disparities: every outcome, dimension and method."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.errors import InputError
from refusal_parity.factors import is_listed
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.adjust import adjust
from refusal_parity.statistics.agreeing import OF_NO_TABLE, agreeing
from refusal_parity.statistics.designs.counts import build_designs
from refusal_parity.statistics.designs.mixtures import mixtures
from refusal_parity.statistics.designs.outcome_columns import outcome_column
from refusal_parity.statistics.enough import sizes_observed, sizes_of
from refusal_parity.statistics.failures import Guard, guarded, unheard
from refusal_parity.statistics.human_sample import is_voted_on, with_human_labels
from refusal_parity.statistics.methods.adjusted import adjusted, covariates_of, method_of
from refusal_parity.statistics.methods.design_based import (
    CORRECTED,
    UNIT_CORRECTED,
    design_based,
)
from refusal_parity.statistics.results import not_estimable, pairs_of, to_row
from refusal_parity.statistics.rounding import settled
from refusal_parity.statistics.running import methods_for, run_methods
from refusal_parity.statistics.uncounted import absent_levels
from refusal_parity.statistics.unmeasured import unmeasured
from refusal_parity.tables import Disparity, conform
from refusal_parity.vocabulary import Estimand

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.designs.counts import Design
    from refusal_parity.statistics.failures import Say
    from refusal_parity.statistics.results import Estimate

_SCHEMA: Final = {
    name: pl.String() if isinstance(column.dtype, pl.Enum) else column.dtype
    for name, column in Disparity.columns().items()
    if name not in {"family", "p_adjusted", "adjusted_low", "adjusted_high"}
} | dict.fromkeys(OF_NO_TABLE, pl.Float64())


def disparities(
    observations: pl.DataFrame,
    analysis: AnalysisConfig,
    human: pl.DataFrame | None = None,
    say: Say = unheard,
    *,
    weighed: pl.DataFrame | None = None,
) -> dy.DataFrame[Disparity]:
    """Compare the levels of every configured dimension, by every method fit for it.

    Args:
        observations: rows of `observe`, of one model or several.
        human: table of HumanLabels of these responses, or of more; with it come
            the rows of `design_based`.
        analysis: outcomes, dimensions with their references, level of the
            intervals, permutations, primary family.
        say: hears which methods failed numerically.
        weighed: rows of `weighed_sample` of these models, by which human labels correct
            weighed rates; null where there are none.

    Returns:
        Table of Disparity. A number that cannot be had is null, and its row's
        note says why.

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
        for guard in (Guard(say, (str(model), dimension)),)
        for found in (_of_dimension, _adjusted)
        for row in found(part, dimension, levels[dimension], analysis, guard)
    ]
    audits: list[tuple[pl.DataFrame, dict[Outcome, Outcome]]] = []
    if human is not None:
        readings = {outcome: outcome for outcome in analysis.readings}
        audits.append((with_human_labels(observations, human), readings))
    if weighed is not None:
        rates = [outcome for outcome in analysis.outcomes if outcome.is_weighed]
        audits.append((weighed, dict.fromkeys(rates, Outcome.REFUSAL)))
    rows += [
        {"model": model, "dimension": dimension} | row
        for audited, readings in audits
        for (model,), part in audited.group_by("model", maintain_order=True)
        for dimension in levels
        for guard in (Guard(say, (str(model), dimension)),)
        for whole in (observations.filter(pl.col("model") == model),)
        for row in _corrected(part, whole, dimension, levels[dimension], analysis, guard, readings)
    ]
    frame = pl.DataFrame(rows, schema=_SCHEMA)
    return conform(settled(agreeing(adjust(frame, analysis))), Disparity, where="disparities")


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
    observations: pl.DataFrame,
    dimension: str,
    levels: Sequence[str],
    analysis: AnalysisConfig,
    guard: Guard,
) -> list[dict[str, Any]]:
    """Rows of one model and dimension.

    Readings of the labels share their counts; a mean is over responses of its own.
    """
    batches = [
        analysis.readings,
        *([outcome] for outcome in analysis.outcomes if outcome not in analysis.readings),
    ]
    rows = []
    for outcomes in filter(None, batches):
        designs = build_designs(observations, dimension, levels, outcomes)
        present = next(iter(designs.values())).levels
        found = run_methods(designs, dimension, analysis, guard) if len(present) > 1 else {}
        rows += [
            {"outcome": str(outcome), **_counts(row, design, outcome)}
            | to_row(cut.held(alike.held(row)))
            for outcome, design in designs.items()
            for alike in (mixtures(observations, dimension, levels, outcome),)
            for cut in (unmeasured(observations, dimension, outcome),)
            for row in map(
                sizes_of(design).held,
                _complete(
                    found.get(outcome, []),
                    dimension,
                    outcome,
                    levels,
                    design,
                    absent_levels(observations, dimension, levels, design.levels, outcome),
                    primary=analysis.is_primary(outcome, dimension),
                ),
            )
        ]
    return rows


def _adjusted(
    observations: pl.DataFrame,
    dimension: str,
    levels: Sequence[str],
    analysis: AnalysisConfig,
    guard: Guard,
) -> list[dict[str, Any]]:
    """Rows of one model and dimension with covariates held fixed, where it has any."""
    covariates = covariates_of(observations, dimension, analysis)
    if len(levels) < 2 or not covariates:  # noqa: PLR2004
        return []
    with_all = observations.drop_nulls(covariates)
    rows = []
    for outcome in analysis.outcomes:
        design = build_designs(observations, dimension, levels, [outcome])[outcome]
        fitted = build_designs(with_all, dimension, levels, [outcome])[outcome]
        found = guarded(
            guard.of(str(outcome)),
            [method_of(dimension)],
            levels,
            partial(adjusted, observations, dimension, levels, outcome, analysis),
        )
        rows += [
            {"outcome": str(outcome), **_counts(row, design, outcome)}
            | to_row(cut.held(alike.held(row)))
            for alike in (mixtures(with_all, dimension, levels, outcome),)
            for cut in (unmeasured(with_all, dimension, outcome),)
            for row in map(sizes_of(fitted).held, found)
        ]
    return rows


def _corrected(  # noqa: PLR0913, PLR0917 - what is compared in full
    observations: pl.DataFrame,
    whole: pl.DataFrame,
    dimension: str,
    levels: Sequence[str],
    analysis: AnalysisConfig,
    guard: Guard,
    readings: Mapping[Outcome, Outcome],
) -> list[dict[str, Any]]:
    """Rows of one model and dimension that rest on human labels, with the labels' counts.

    `readings` are outcomes, each with what is read of a label for it; `whole` are the rows of the
    model of which weighed responses are a sample.
    """
    labelled = observations.drop_nulls([dimension, "machine_label"])
    labels = labelled.filter(is_voted_on())
    sizes = sizes_observed(observations, dimension)
    rows = []
    for outcome, reading in readings.items():
        read = labels.select(pl.col(dimension), outcome_column(reading, "human_label").alias("hit"))
        counts = {
            level: (n, k)
            for level, n, k in read.group_by(dimension)
            .agg(n=pl.len(), k=pl.col("hit").sum())
            .iter_rows()
        }
        rows_of_outcome = guarded(
            guard.of(str(outcome)),
            UNIT_CORRECTED if is_listed(observations) else CORRECTED,
            levels,
            partial(design_based, observations, dimension, levels, reading, analysis),
        )
        # Weighed responses stand for others than themselves: prompts are what levels are mixed of.
        mixed = whole if outcome.is_weighed else labelled
        alike = mixtures(mixed, dimension, levels, outcome)
        for row in map(sizes.held, map(alike.held, rows_of_outcome)):
            ours, others = counts.get(row.group, (0, 0)), counts.get(row.reference, (0, 0))
            columns = ("n_group", "k_group", "n_reference", "k_reference")
            numbers = dict(zip(columns, ours + others, strict=True))
            rows.append({"outcome": str(outcome), **numbers, **to_row(row)})
    return rows


def _complete(  # noqa: PLR0913, PLR0917 - what is compared in full
    estimates: Sequence[Estimate],
    dimension: str,
    outcome: Outcome,
    levels: Sequence[str],
    design: Design,
    absent: Mapping[str, str],
    *,
    primary: bool,
) -> list[Estimate]:
    """One estimate for every method, estimand and pair, with reasons for those not computed."""
    uncounted = ", ".join(absent.values())
    computed = {
        (each.method, each.estimand, each.group, each.reference): each for each in estimates
    }
    rows = []
    for method, estimands in methods_for(dimension, outcome, design.kind, primary=primary).items():
        for estimand in estimands:
            is_global = estimand is Estimand.GLOBAL
            for pair in (None,) if is_global else pairs_of(levels):
                row = computed.get((method, estimand, *(pair or (None, None))))
                if row is None:
                    lost = [absent[level] for level in pair or levels if level in absent]
                    reason = ", ".join(lost) or "there is one level only"
                    row = not_estimable(method, estimand, pair, reason)
                elif is_global:
                    row = row.noting(uncounted)
                rows.append(row)
    return rows


def _counts(row: Estimate, design: Design, outcome: Outcome) -> dict[str, Any]:
    """Counts of the two levels; null in a global test."""
    if row.group is None or row.reference is None:
        return {}
    n = dict(zip(design.levels, design.level_n.astype(int).tolist(), strict=True))
    counts = {"n_group": n.get(row.group, 0), "n_reference": n.get(row.reference, 0)}
    if outcome.is_binary:
        k = dict(zip(design.levels, design.level_k.astype(int).tolist(), strict=True))
        counts |= {"k_group": k.get(row.group, 0), "k_reference": k.get(row.reference, 0)}
    return counts
