"""The tables of what answers are like: the mean of their length, and of each other measure."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from refusal_parity.factors import is_listed
from refusal_parity.outcomes import Outcome
from refusal_parity.quantities import Mean
from refusal_parity.statistics.designs.counts import clusters_of
from refusal_parity.statistics.designs.outcome_columns import sum_measure
from refusal_parity.statistics.distributions import t_isf
from refusal_parity.statistics.failures import Guard, unheard
from refusal_parity.statistics.judged import beside_a_judge
from refusal_parity.statistics.variances.clusters import mean_errors
from refusal_parity.tables import Lengths, Quality, conform, empty

if TYPE_CHECKING:
    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.failures import Say

_KEYS = ["model", "group"]
_OF_JUDGE = ("judged_mean", "measured_mean", "judge_agreement", "judge_kappa")
_SUM = "sum"


def lengths(
    observations: pl.DataFrame, analysis: AnalysisConfig, say: Say = unheard
) -> dy.DataFrame[Lengths]:
    """Mean and median words of full answers, with a two-way clustered interval of the mean.

    mean -+ t(1 - alpha/2; min(G) - 1) se, with se by `clusters.mean_errors`.
    Of an answer that was cut off at `max_tokens` no length is known.

    Args:
        observations: rows of `observe`, with `words`.
        analysis: configured dimensions, alpha.
        say: hears which intervals failed numerically.

    Returns:
        Table of Lengths; dimension `all` and the configured ones. A level
        without an answer has a row that says so.
    """
    found = _of_outcome(observations, Outcome.ANSWER_LENGTH, analysis, say)
    return conform(found, Lengths, where="lengths")


def quality(
    observations: pl.DataFrame,
    analysis: AnalysisConfig,
    say: Say = unheard,
    judgements: pl.DataFrame | None = None,
) -> dy.DataFrame[Quality]:
    """The same of every other mean among a study's outcomes, with the outcome's key.

    Args:
        observations: rows of `observe`, with the columns that these outcomes are means of.
        analysis: outcomes, dimensions, alpha.
        say: hears which intervals failed numerically.
        judgements: rows of `Judgements`, where a judge read the answers for the same.
    """
    parts = [
        _judged(
            _of_outcome(observations, outcome, analysis, say), observations, outcome, judgements
        ).with_columns(outcome=pl.lit(str(outcome)))
        for outcome in analysis.outcomes
        if outcome.is_quality
    ]
    return conform(
        pl.concat(parts) if parts else empty(Quality), Quality, where="quality of answers"
    )


def _judged(
    means: pl.DataFrame,
    observations: pl.DataFrame,
    outcome: Outcome,
    judgements: pl.DataFrame | None,
) -> pl.DataFrame:
    """The means with what a judge says of the same answers, where it was asked."""
    if judgements is None or str(outcome) not in judgements.columns:
        nothing = dict.fromkeys(_OF_JUDGE, pl.Float64) | {"n_judged": pl.Int64}
        return means.with_columns(pl.lit(None, kind).alias(key) for key, kind in nothing.items())
    read = pl.concat(
        beside_a_judge(
            observations,
            judgements,
            outcome,
            pl.lit(dimension) if dimension == "all" else pl.col(dimension),
        ).with_columns(dimension=pl.lit(dimension))
        for dimension in means["dimension"].unique(maintain_order=True)
    )
    return means.join(
        read, on=["model", "dimension", "group"], how="left", maintain_order="left"
    ).with_columns(pl.col("n_judged").fill_null(0))


def _of_outcome(
    observations: pl.DataFrame, outcome: Outcome, analysis: AnalysisConfig, say: Say
) -> pl.DataFrame:
    guard = Guard(say, tuple(observations["model"].unique().sort()))
    levels = {"all": pl.lit("all")} | {each: pl.col(each) for each in analysis.dimensions}
    return pl.concat(
        _of_dimension(observations, outcome, dimension, level, analysis.alpha, guard.of(dimension))
        for dimension, level in levels.items()
    )


def _of_dimension(  # noqa: PLR0913, PLR0917 - one part of the table in full
    observations: pl.DataFrame,
    outcome: Outcome,
    dimension: str,
    level: pl.Expr,
    alpha: float,
    guard: Guard,
) -> pl.DataFrame:
    quantity = outcome.quantity
    assert isinstance(quantity, Mean)  # noqa: S101 - rates are in a table of their own
    rows = observations.with_columns(level.alias("group")).drop_nulls("group")
    unit = "prompt" if is_listed(rows) else "name or template"
    measure = pl.col(quantity.column)
    answered = pl.col("label").is_in(sorted(quantity.labels)) & measure.is_not_null()
    every = (
        rows.group_by(_KEYS)
        .agg(
            measure.filter(answered).median().alias("median"),
            pl.col("name_id")
            .filter(answered)
            .drop_nulls()
            .n_unique()
            .cast(pl.Int64)
            .alias("n_names"),
            pl.col("template_id").filter(answered).n_unique().cast(pl.Int64).alias("n_templates"),
        )
        .sort(_KEYS)
    )
    cells = sum_measure(rows, [*_KEYS, "name_id", "text_id"], outcome).rename({outcome: _SUM})
    means = guard.of(str(outcome)).run(
        "intervals", partial(_means, cells, alpha), partial(_failed, cells)
    )
    return (
        every.join(means, on=_KEYS, how="left", maintain_order="left")
        .with_columns(pl.lit(dimension).alias("dimension"), pl.col("n").fill_null(0))
        .with_columns(
            pl.when(pl.col("n") == 0)
            .then(pl.lit(f"no {quantity.over}"))
            .when(pl.col("failure").is_not_null())
            .then("failure")
            .when(pl.col("std_error").is_null())
            .then(pl.lit(f"one {unit}, or no variation: no interval"))
            .alias("note")
        )
    )


def _totals(cells: pl.DataFrame) -> pl.DataFrame:
    """Answers, their mean, and no reason why there should be no interval."""
    return cells.group_by(_KEYS, maintain_order=True).agg(
        pl.col("n").sum(),
        (pl.col(_SUM).sum() / pl.col("n").sum()).alias("mean"),
        pl.lit(None, dtype=pl.String).alias("failure"),
    )


def _failed(cells: pl.DataFrame, reason: str) -> pl.DataFrame:
    nothing = {key: pl.lit(None, pl.Float64) for key in ("std_error", "ci_low", "ci_high")}
    failure = pl.lit(f"interval not estimable: {reason}")
    return _totals(cells).with_columns(**nothing, failure=failure)


def _means(cells: pl.DataFrame, alpha: float) -> pl.DataFrame:
    if cells.is_empty():
        return _failed(cells, "there is no answer")
    totals = _totals(cells)
    numbered = totals.with_row_index("level").select(*_KEYS, "level")
    level = cells.join(numbered, on=_KEYS, maintain_order="left")["level"].to_numpy()
    name, template = clusters_of(cells)
    errors = mean_errors(
        level.astype(np.intp),
        name,
        # With the unit for both, what is taken off and what is added twice are one.
        name if is_listed(cells) else template,
        cells["n"].to_numpy().astype(np.float64),
        cells[_SUM].to_numpy().astype(np.float64),
    )
    mean = totals["mean"].to_numpy()
    half_width = t_isf(alpha / 2, np.maximum(errors.df, 1)) * errors.std_error
    columns = {
        "std_error": errors.std_error,
        "ci_low": mean - half_width,
        "ci_high": mean + half_width,
    }
    return totals.with_columns(
        pl.Series(key, values).fill_nan(None) for key, values in columns.items()
    )
