"""The table of rates: how often each outcome occurs, at every level of every dimension."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl

from refusal_parity.dimensions import GROUP, Unit, of_unit, with_factors
from refusal_parity.factors import is_listed
from refusal_parity.statistics.designs.counts import clusters_of, codes_of
from refusal_parity.statistics.designs.outcome_columns import count_outcomes
from refusal_parity.statistics.distributions import t_isf
from refusal_parity.statistics.failures import Guard, unheard
from refusal_parity.statistics.proportions import wilson, wilson_limits
from refusal_parity.statistics.rate_errors import FAILED, RateErrors, failed_columns
from refusal_parity.statistics.rate_intervals import rates_of_units
from refusal_parity.statistics.uncounted import why_nothing
from refusal_parity.statistics.variances.clusters import mean_errors
from refusal_parity.statistics.variances.contrasts import fallback_note
from refusal_parity.statistics.variances.effective import effective_of_rates
from refusal_parity.tables import Rates, conform

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.outcomes import Outcome
    from refusal_parity.statistics.designs.counts import FloatArray, IntArray
    from refusal_parity.statistics.failures import Say

ALL: Final = "all"

_UNITS: Final = {"template": "template_id", "name": "shown_name", "sample": "sample"}
"""What is counted apart besides the levels of dimensions, and its column."""

_KEYS: Final = ["model", "group", "within_group"]


def rates(
    observations: pl.DataFrame, analysis: AnalysisConfig, say: Say = unheard
) -> dy.DataFrame[Rates]:
    """Count each outcome at every level, with two intervals.

    Both are Wilson's: one takes responses for independent; the other has their effective
    number (`effective_of_rates`), from variances clustered by name and template
    (`clusters.mean_errors`), and the quantile of t with Satterthwaite's degrees of freedom.
    It is null with a note where there are not two names and two templates. Of a prompt list
    it is `rate_intervals.rates_of_units`.

    Args:
        observations: rows of `observe`, of one model or several.
        analysis: outcomes, configured dimensions, alpha.
        say: hears which intervals failed numerically.

    Returns:
        Table of Rates. Dimension `all` and every dimension that has more than
        one level or is configured; rows without a level are left out of it. A
        name stands as it is written, or as its key if two names are written
        alike.
    """
    shown = _with_shown_name(observations)
    guard = Guard(say, tuple(observations["model"].unique().sort()))
    counted = [
        dimension
        for dimension, column in _columns(analysis).items()
        if dimension in analysis.dimensions or shown[column].drop_nulls().n_unique() > 1
    ]
    breakdowns = [(ALL, ALL), *((dimension, ALL) for dimension in counted)]
    breakdowns += [pair for pair in _within(analysis) if set(pair) <= set(counted)]
    parts = [
        part
        for dimension, within in breakdowns
        for part in _breakdown(shown, dimension, within, analysis, guard.of(dimension))
    ]
    return conform(pl.concat(parts), Rates, where="rates")


def _columns(analysis: AnalysisConfig) -> dict[str, str]:
    """Each dimension of the table and its column."""
    return {key: key for key in with_factors(analysis.dimensions)} | _UNITS


def _within(analysis: AnalysisConfig) -> list[tuple[str, str]]:
    """Dimensions that are also counted within the levels of a second one."""
    units = (Unit.NAME, Unit.SET, Unit.PROMPT)
    found = (key for unit in units for key in of_unit(unit, analysis.dimensions, own=True))
    # A list's own group is a property of its prompts.
    others = [key for key in found if key != GROUP.key]
    return [*((GROUP.key, key) for key in others), (GROUP.key, "template"), ("name", GROUP.key)]


def _with_shown_name(observations: pl.DataFrame) -> pl.DataFrame:
    names = observations.select("name_id", "name").unique()
    alike = names["name"].n_unique() < names["name_id"].n_unique()
    return observations.with_columns(
        pl.col("name_id" if alike else "name").alias("shown_name"), pl.col("sample").cast(pl.String)
    )


def _level(dimension: str) -> pl.Expr:
    return pl.lit(ALL) if dimension == ALL else pl.col(_UNITS.get(dimension, dimension))


def _breakdown(
    observations: pl.DataFrame,
    dimension: str,
    within: str,
    analysis: AnalysisConfig,
    guard: Guard,
) -> list[pl.DataFrame]:
    """Rows of one dimension within another, one frame for each outcome."""
    rows = observations.select(
        "model",
        _level(dimension).alias("group"),
        _level(within).alias("within_group"),
        "name_id",
        "template_id",
        "text_id",
        "label",
        "filtered",
        "exclusion",
    ).drop_nulls(["group", "within_group"])
    cells = count_outcomes(rows, [*_KEYS, "name_id", "text_id", "template_id"], analysis.readings)
    levels = (
        cells.select(_KEYS)
        .unique(maintain_order=True)
        .with_columns(pl.lit(dimension).alias("dimension"), pl.lit(within).alias("within"))
        .join(why_nothing(rows, _KEYS), on=_KEYS, how="left", maintain_order="left")
    )
    numbered = levels.with_row_index("level").select(*_KEYS, "level")
    cells = cells.join(numbered, on=_KEYS, how="left", maintain_order="left")
    totals = _totals(cells, analysis)
    labelled = _Labelled.of(cells)
    return [
        _of_outcome(levels, totals, labelled, outcome, analysis.alpha, guard.of(str(outcome)))
        for outcome in analysis.readings
    ]


def _totals(cells: pl.DataFrame, analysis: AnalysisConfig) -> pl.DataFrame:
    """Responses, those with each outcome, names and templates of each level."""
    labelled = pl.col("n") > 0
    return (
        cells.group_by("level")
        .agg(
            pl.col("n", *map(str, analysis.readings)).sum(),
            pl.col("name_id")
            .filter(labelled)
            .drop_nulls()
            .n_unique()
            .cast(pl.Int64)
            .alias("n_names"),
            pl.col("template_id").filter(labelled).n_unique().cast(pl.Int64).alias("n_templates"),
        )
        .sort("level")
        .drop("level")
    )


class _Labelled(NamedTuple):
    """Cells with labelled responses, their levels numbered by those that have any.

    Attributes:
        cells: rows of `count_outcomes`.
        present: the numbers of these levels, shape (levels,).
        level: shape (cells,).
        name: codes, shape (cells,).
        template: codes of templates or matched sets, shape (cells,).
    """

    cells: pl.DataFrame
    present: IntArray
    level: IntArray
    name: IntArray
    template: IntArray

    @classmethod
    def of(cls, cells: pl.DataFrame) -> _Labelled:
        cells = cells.filter(pl.col("n") > 0)
        present, level = np.unique(cells["level"].to_numpy().astype(np.intp), return_inverse=True)
        name, template = clusters_of(cells)
        return cls(cells, present, level, name, template)


def _of_outcome(  # noqa: PLR0913, PLR0917 - one part of the table in full
    levels: pl.DataFrame,
    totals: pl.DataFrame,
    labelled: _Labelled,
    outcome: Outcome,
    alpha: float,
    guard: Guard,
) -> pl.DataFrame:
    n, k = (totals[each].to_numpy().astype(np.float64) for each in ("n", str(outcome)))
    interval = wilson(k, n, alpha)
    rate = k / np.where(n > 0, n, np.nan)
    numbers = {"rate": rate, "wilson_low": interval.low, "wilson_high": interval.high}
    return levels.with_columns(
        *totals.select("n", pl.col(str(outcome)).alias("k"), "n_names", "n_templates"),
        pl.lit(str(outcome)).alias("outcome"),
        *(pl.Series(name, values, nan_to_null=True) for name, values in numbers.items()),
        *guard.run(
            "clustered intervals",
            partial(_clustered, labelled, codes_of(levels["model"].to_numpy()), outcome, alpha),
            partial(failed_columns, len(rate)),
        ),
    ).with_columns(pl.coalesce(_reason(), "note").alias("note"))


def _clustered(
    labelled: _Labelled, models: IntArray, outcome: Outcome, alpha: float
) -> Sequence[pl.Series]:
    """Columns std_error, ci_low, ci_high and note, for the levels in order, each of a model."""
    found = RateErrors.none(len(models))
    notes: list[str | None] = [None] * len(models)
    present = labelled.present
    if len(present):
        level = labelled.level
        n, k = (labelled.cells[each].to_numpy().astype(np.float64) for each in ("n", str(outcome)))
        if is_listed(labelled.cells):
            return _by_unit(labelled, n, k, found, alpha)
        errors = mean_errors(level, labelled.name, labelled.template, n, k)
        found.std_error[present] = errors.std_error
        size, hits = (np.bincount(level, each).astype(np.float64) for each in (n, k))
        # One name or template is no sample: `_reason` says so.
        several = errors.df > 0
        among = effective_of_rates(
            size[several],
            hits[several],
            errors.variance[several],
            errors.df[several] + 1,
            models[present[several]],
        )
        ends = wilson_limits(
            hits[several] / size[several],
            among,
            np.asarray(t_isf(alpha / 2, np.maximum(errors.freedom[several], 1))),
        )
        found.low[present[several]], found.high[present[several]] = ends.low, ends.high
        for at in np.flatnonzero(errors.fallback):
            notes[present[at]] = fallback_note("name" if errors.fallback[at] == 1 else "template")
    return found.columns(notes)


def _by_unit(
    labelled: _Labelled,
    n: FloatArray,
    k: FloatArray,
    errors: RateErrors,
    alpha: float,
) -> Sequence[pl.Series]:
    """The same of a prompt list: Wilson's intervals at the effective number of responses."""
    found = rates_of_units(labelled.level, labelled.name, n, k, alpha)
    errors.std_error[labelled.present] = found.std_error
    errors.low[labelled.present], errors.high[labelled.present] = found.low, found.high
    return errors.columns([None] * len(errors.low))


def _reason() -> pl.Expr:
    """Why a level has no clustered interval, or null where it has one."""
    few = pl.col("n_names").eq(1) | pl.col("n_templates").eq(1)
    one = (
        pl.when(pl.col("n_names") == 1)
        .then(pl.lit("name"))
        .when(pl.col("n_names") == 0)
        .then(pl.lit("prompt"))
        .otherwise(pl.lit("template"))
    )
    failed = pl.col("note").str.starts_with(FAILED).fill_null(value=False)
    return (
        pl.when(pl.col("n") == 0)
        .then("nothing")
        .when(few)
        .then(pl.format("one {}: no clustered interval", one))
        .when(pl.col("std_error").is_null() & ~failed)
        .then(pl.lit("names and templates do not differ: no standard error"))
    )
