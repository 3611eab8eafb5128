"""Who was left out, cut off or refused by the service, and what that may hide."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from refusal_parity.dimensions import DIMENSIONS, Unit
from refusal_parity.factors import is_listed
from refusal_parity.statistics.adjust import holm
from refusal_parity.statistics.designs.counts import Design, clusters_of
from refusal_parity.statistics.designs.kinds import DesignKind, kind_of
from refusal_parity.statistics.designs.outcome_columns import outcome_column
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.disparity import levels_of
from refusal_parity.statistics.distributions import t_isf, t_sf
from refusal_parity.statistics.failures import Guard, finite, unheard
from refusal_parity.statistics.methods.nested import unit_score
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.exact import permutation_names_exact
from refusal_parity.statistics.resampling.randomisation import Draws
from refusal_parity.statistics.results import ends_within
from refusal_parity.statistics.variances.level_means import contrast, level_means
from refusal_parity.tables import Bounds, Losses, conform
from refusal_parity.vocabulary import Loss, Reading, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.failures import Say
    from refusal_parity.statistics.variances.level_means import LevelMeans

Row = dict[str, Any]

_BEFALLEN: Final = {
    Loss.LEFT_OUT: pl.col("label").is_null(),
    Loss.TRUNCATED: pl.col("truncated"),
    Loss.FILTERED: pl.col("filtered"),
}


def losses(
    observations: pl.DataFrame, analysis: AnalysisConfig, say: Say = unheard
) -> dy.DataFrame[Losses]:
    """Compare how often responses of the levels were left out, cut off or refused by the service.

    Shares of all responses that were asked for, whatever the reason. Their
    differences are those of level means, with names and templates as samples
    (`level_means.contrast`), where that has no error as in none against all,
    by all splits of the names; adjusted by Holm over the levels.

    Args:
        observations: rows of `observe`, of one model or several.
        analysis: dimensions with their references, alpha.
        say: hears which tests failed numerically.

    Returns:
        Table of Losses. What befell no response of a model has no rows.
    """
    rows = []
    for key, cells, levels in _counted(observations, analysis):
        guard = Guard(say, (key["model"], key["dimension"]))
        for loss in Loss:
            if cells[str(loss)].sum():
                rows += [
                    key | {"loss": str(loss)} | row
                    for row in _compare(
                        cells, str(loss), levels, key["dimension"], analysis, guard.of(loss)
                    )
                ]
    return conform(pl.DataFrame(rows, schema=_schema(Losses)), Losses, where="losses")


def bounds(
    observations: pl.DataFrame, analysis: AnalysisConfig, say: Say = unheard
) -> dy.DataFrame[Bounds]:
    """Each difference with what was left out read for and against it.

    What a difference may be without a word on who was left out (Manski 1989,
    Journal of Human Resources 24:343-360; Horowitz and Manski 2000, Journal of
    the American Statistical Association 95:77-84): highest where all that was
    left out of the group has the outcome and nothing of the reference, lowest
    the other way round. Tested as in `losses`, over all responses.

    Args:
        observations: rows of `observe`, of one model or several.
        analysis: outcomes, dimensions with their references, alpha.
        say: hears which tests failed numerically.

    Returns:
        Table of Bounds. A dimension of which nothing was left out has no rows.
    """
    rows = []
    for key, cells, levels in _counted(observations, analysis):
        left = str(Loss.LEFT_OUT)
        if not cells[left].sum():
            continue
        of_reference = pl.col("level") == levels[0]
        guard = Guard(say, (key["model"], key["dimension"]))
        for outcome in analysis.readings:
            for reading in Reading:
                filled = of_reference if reading is Reading.LOWEST else ~of_reference
                read = cells.with_columns(
                    read=pl.col(str(outcome)) + pl.when(filled).then(pl.col(left)).otherwise(0)
                )
                about = key | {"outcome": str(outcome), "reading": str(reading)}
                counts = dict(cells.group_by("level").agg(pl.col(left).sum()).iter_rows())
                rows += [
                    about
                    | {"left_group": counts[row["group"]], "left_reference": counts[levels[0]]}
                    | row
                    for row in _compare(
                        read, "read", levels, key["dimension"], analysis, guard.of(outcome, reading)
                    )
                ]
    frame = pl.DataFrame(rows, schema=_schema(Bounds), strict=False)
    return conform(frame, Bounds, where="bounds")


def _schema(table: type[dy.Schema]) -> dict[str, Any]:
    return {
        name: pl.String() if isinstance(column.dtype, pl.Enum) else column.dtype
        for name, column in table.columns().items()
    }


def _counted(
    observations: pl.DataFrame, analysis: AnalysisConfig
) -> Iterator[tuple[Row, pl.DataFrame, list[str]]]:
    """For each model and dimension: its key, counts by level, name and template, and levels.

    All responses asked for count in `n`; those befallen and those with an outcome
    under its own name.
    """
    read = observations.with_columns(
        *(befallen.alias(str(loss)) for loss, befallen in _BEFALLEN.items()),
        *(outcome_column(outcome) for outcome in analysis.readings),
    )
    columns = [*map(str, Loss), *map(str, analysis.readings)]
    for (model,), part in read.group_by("model", maintain_order=True):
        for dimension, config in analysis.dimensions.items():
            cells = (
                part.drop_nulls(dimension)
                .group_by(pl.col(dimension).alias("level"), "name_id", "text_id")
                .agg(pl.len().cast(pl.Int64).alias("n"), pl.col(columns).sum().cast(pl.Int64))
                .sort("level", "name_id", "text_id")
            )
            levels = levels_of(part, dimension, config.reference)
            if len(levels) > 1:
                yield {"model": model, "dimension": dimension}, cells, levels


def _compare(  # noqa: PLR0913, PLR0917 - what is compared in full
    cells: pl.DataFrame,
    column: str,
    levels: Sequence[str],
    dimension: str,
    analysis: AnalysisConfig,
    guard: Guard,
) -> list[Row]:
    """Each level against the first, adjusted by Holm."""
    code = {level: at for at, level in enumerate(levels)}
    design = Design(
        tuple(levels),
        np.array([code[each] for each in cells["level"]], dtype=np.intp),
        *clusters_of(cells),
        cells["n"].to_numpy().astype(np.float64),
        cells[column].to_numpy().astype(np.float64),
        kind_of(dimension, nested=is_listed(cells)),
    )
    means = cache(partial(level_means, design))
    shares = design.level_k / design.level_n
    n, k = design.level_n.astype(int).tolist(), design.level_k.astype(int).tolist()
    rows = [
        {
            "group": level,
            "reference": levels[0],
            "n_group": n[at],
            "n_reference": n[0],
            "k_group": k[at],
            "k_reference": k[0],
            "estimate": float(shares[at] - shares[0]),
        }
        | guard.run(
            f"difference of {level} and {levels[0]}",
            partial(_tested, design, means, dimension, at, analysis),
            lambda reason: {"note": f"not estimable: {reason}"},
        )
        for at, level in enumerate(levels[1:], start=1)
    ]
    tested = [row for row in rows if row.get("p_value") is not None]
    adjusted = holm(np.array([row["p_value"] for row in tested], dtype=np.float64))
    for row, p_adjusted in zip(tested, adjusted.tolist(), strict=True):
        row["p_adjusted"] = p_adjusted
    return rows


def _tested(
    design: Design,
    means: Callable[[], LevelMeans],
    dimension: str,
    at: int,
    analysis: AnalysisConfig,
) -> Row:
    """Error, interval and p-value of a level's difference to the first."""
    if design.kind is DesignKind.NESTED:
        return _by_unit(design, at, analysis)
    weights = np.zeros(len(design.levels))
    weights[[at, 0]] = 1, -1
    found = contrast(means(), weights, Scope.NEW_NAMES_AND_TEMPLATES)
    if found is None:
        return _without_error(design, dimension, at, analysis)
    half_width = float(t_isf(analysis.alpha / 2, found.df)) * found.std_error
    ends = {"ci_low": found.estimate - half_width, "ci_high": found.estimate + half_width}
    return finite(
        {
            "estimate": found.estimate,
            "std_error": found.std_error,
            "df": found.df,
            **ends_within(ends, 1.0),
            "p_value": float(2 * t_sf(abs(found.estimate) / found.std_error, found.df)),
        }
    )


def _by_unit(design: Design, at: int, analysis: AnalysisConfig) -> Row:
    """The same of a prompt list (`methods.nested.unit_score`)."""
    setting = Setting(
        analysis.alpha,
        analysis.margin,
        Draws(analysis.permutations, analysis.seed),
        Resamples(analysis.bootstraps, analysis.seed),
    )
    [answers] = unit_score(Studies.of([design]).keep(np.array([0, at])), setting)
    [found] = answers.of_study(0)
    return {
        "std_error": found.std_error,
        "ci_low": found.ci_low,
        "ci_high": found.ci_high,
        "p_value": found.p_value,
        "note": found.note,
    }


def _without_error(design: Design, dimension: str, at: int, analysis: AnalysisConfig) -> Row:
    """The test by all splits of the names, where levels are theirs; else the reason for none."""
    if DIMENSIONS[dimension].unit is not Unit.NAME:
        return {"note": "not estimable: one name or template, or nothing varies"}
    names = design.by_name()
    chosen = np.isin(names.level, (at, 0))
    split = permutation_names_exact(
        names.k[chosen],
        names.n[chosen],
        names.level[chosen] == at,
        Draws(analysis.permutations, analysis.seed),
    )
    return {"p_value": split.p_value, "note": "by all splits of the names: nothing varies within"}
