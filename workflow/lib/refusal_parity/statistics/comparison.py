"""The table of models against each other, paired by prompt."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from refusal_parity.dimensions import GROUP
from refusal_parity.factors import is_listed
from refusal_parity.statistics.adjust import benjamini_hochberg, between_models, holm
from refusal_parity.statistics.arm_changes import (
    ArmMeans,
    change_of_all,
    difference_of_changes,
)
from refusal_parity.statistics.designs.mixtures import mixtures_of_changes
from refusal_parity.statistics.designs.model_weights import ModelWeights, model_weights
from refusal_parity.statistics.failures import Guard, unheard
from refusal_parity.statistics.model_losses import BothReadings, both_readings, with_bounds
from refusal_parity.statistics.pairing import (
    ALL,
    Row,
    contrast_numbers,
    failed,
    if_enough,
    or_alike,
    paired_by_prompt,
    paired_means,
    rates_by_prompt,
    rates_with_and_without,
    scopes_of,
    sizes_of,
)
from refusal_parity.statistics.results import Pair
from refusal_parity.statistics.rounding import settled
from refusal_parity.tables import Comparison, conform
from refusal_parity.vocabulary import Correction, ModelEstimand, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.failures import Say
    from refusal_parity.statistics.variances.level_means import LevelMeans


def compare(
    observations: pl.DataFrame,
    analysis: AnalysisConfig,
    models: Sequence[str],
    say: Say = unheard,
) -> dy.DataFrame[Comparison]:
    """Compare models in their rates and in their disparities, prompt by prompt.

    Each prompt's quantity is q = sum over models of weight times rate, over
    the prompts that every model has a labelled response to. Names and
    templates are the same for all models, so that they are clusters of q as
    they are of a rate: differences of rates are means of q over the groups,
    each weighing as its prompts do; differences of disparities are those of
    two levels' means of q. Errors and degrees of freedom are those of
    `level_means.contrast`, for both scopes; of a prompt list, for new prompts. Limits and
    p-values of two models are put together from those of their rates, as an arm's are
    (`arm_changes`); those of a slope are t's. Levels that are other mixtures of arms, wordings or
    names, since a model lost some, are not compared (`mixtures_of_changes`). Pairs that the
    config declares are adjusted by Holm within outcome, estimand and scope, over all of them and
    their levels; all other rows are exploratory and adjusted by Benjamini and Hochberg within
    estimand and scope.

    Args:
        observations: rows of `observe`, of all models.
        analysis: outcomes, dimensions, alpha, contrasts and series of models.
        models: keys of the models, in the order of the config.
        say: hears what failed numerically.
    """
    schema = unadjusted(Comparison)
    cells = rates_by_prompt(observations, analysis)
    # Of what was asked: a level that a model lost whole has its rows, which say so.
    levels = {key: sorted(set(observations[key].drop_nulls())) for key in analysis.dimensions}
    rows = [
        {"contrast": each.key, "model": each.model, "baseline": each.baseline} | row
        for each in model_weights(analysis, models)
        for row in _of_contrast(
            observations, cells, each, analysis, levels, Guard(say, (each.key,))
        )
    ]
    table = settled(_adjust(pl.DataFrame(rows, schema=schema), analysis))
    return conform(table, Comparison, where="comparison")


def unadjusted(schema: type[dy.Schema]) -> dict[str, pl.DataType]:
    """Columns of a table of contrasts before its p-values are adjusted."""
    return {
        name: pl.String() if isinstance(column.dtype, pl.Enum) else column.dtype
        for name, column in schema.columns().items()
        if name not in {"family", "p_adjusted"}
    }


def _of_contrast(  # noqa: PLR0913, PLR0917 - what is compared in full
    observations: pl.DataFrame,
    cells: pl.DataFrame,
    wanted: ModelWeights,
    analysis: AnalysisConfig,
    levels: Mapping[str, list[str]],
    guard: Guard,
) -> Iterator[Row]:
    alpha = analysis.alpha
    for outcome in analysis.readings:
        key = str(outcome)
        paired = _paired(cells, key, wanted, analysis)
        left = both_readings(observations, outcome, wanted, analysis)
        rows = _rate_rows(paired, key, wanted, alpha, guard.of(key))
        yield from with_bounds(rows, left, partial(_rates_read, key, wanted, alpha))
        for dimension, config in analysis.dimensions.items():
            asked = _Levels(key, dimension, levels[dimension], config.reference, alpha)
            rows = _disparity_rows(paired, asked, wanted, guard.of(dimension, key))
            yield from with_bounds(rows, left, partial(_disparities_read, asked, wanted))


def _rates_read(
    key: str, wanted: ModelWeights, alpha: float, left: BothReadings, reading: str
) -> Iterator[Row]:
    """How rates differ in one reading of what was left out."""
    return _rate_rows(left.of_all(reading), key, wanted, alpha, Guard())


def _disparities_read(
    asked: _Levels, wanted: ModelWeights, left: BothReadings, reading: str
) -> Iterator[Row]:
    read = left.of_levels(reading, asked.dimension, asked.reference)
    return _disparity_rows(read, asked, wanted, Guard())


def _paired(
    cells: pl.DataFrame, key: str, wanted: ModelWeights, analysis: AnalysisConfig
) -> pl.DataFrame:
    """A row for each prompt that all of the models answered, with its `change`."""
    if wanted.model is None or wanted.baseline is None:
        summed = paired_by_prompt(cells, wanted.weights, analysis)
        return summed.rename({key: "change"})
    return rates_with_and_without(cells, key, wanted.model, wanted.baseline)


def _rate_rows(
    paired: pl.DataFrame, key: str, wanted: ModelWeights, alpha: float, guard: Guard
) -> Iterator[Row]:
    """How rates over all prompts differ, for each scope."""
    estimand = ModelEstimand.RATE_TREND if wanted.is_trend else ModelEstimand.RATE_DIFFERENCE
    of_all = partial(_slope_of_all, farthest=wanted.farthest) if wanted.is_trend else change_of_all

    def numbers(scope: Scope) -> Row:
        if paired.is_empty():
            return {"note": "not estimable: no prompt has a response that counts of every model"}
        return or_alike(of_all(paired, scope, alpha), paired["change"])

    compared = sizes_of(paired)
    for scope in scopes_of(paired):
        found = guard.run(f"{estimand}, {scope}", partial(numbers, scope), failed)
        yield _row(key, ALL, None, None, estimand, scope) | compared | found


def _slope_of_all(
    paired: pl.DataFrame, scope: Scope, alpha: float, *, farthest: float
) -> Row | None:
    """The mean `change` within the study's groups; over all prompts where one has one name."""
    own = None if is_listed(paired) else GROUP.key
    groups, whole = paired_means(paired, "change", own), paired_means(paired, "change", None)
    if groups is None or whole is None:
        return None
    sizes = {} if own is None else dict(paired.group_by(own).len().iter_rows())
    shares = np.array([sizes.get(level, paired.height) for level in groups.levels])
    numbers = partial(contrast_numbers, scope=scope, alpha=alpha, farthest=farthest)
    return numbers(groups, shares / paired.height) or numbers(whole, np.ones(1))


class _Levels(NamedTuple):
    """What is asked of the levels of a dimension."""

    key: str
    dimension: str
    levels: list[str]
    reference: str
    alpha: float


def _disparity_rows(
    paired: pl.DataFrame, asked: _Levels, wanted: ModelWeights, guard: Guard
) -> Iterator[Row]:
    """How the difference of each level from the reference differs, for each scope."""
    key, dimension, levels, reference, alpha = asked
    trend, difference = ModelEstimand.DISPARITY_TREND, ModelEstimand.DISPARITY_DIFFERENCE
    estimand = trend if wanted.is_trend else difference

    def of_levels() -> ArmMeans | LevelMeans | None:
        if wanted.is_trend:
            return paired_means(paired, "change", dimension)
        return ArmMeans.of(paired, dimension)

    means: ArmMeans | LevelMeans | str | None = guard.run(
        estimand, of_levels, lambda reason: failed(reason)["note"]
    )
    order = [reference, *(level for level in levels if level != reference)]
    mixed = mixtures_of_changes(paired, dimension, order)
    torn = {pair: failed(reason)["note"] for pair, reason in mixed.torn.items()}

    def numbers(group: str, scope: Scope) -> Row:
        held = torn.get(Pair(group, reference), means)
        if isinstance(held, str):
            return {"note": held}
        there = () if held is None else held.levels
        lost = [level for level in (group, reference) if level not in there]
        if held is None or lost:
            return {"note": f"not estimable: no prompt of {' and '.join(lost)} has every model"}
        at, base = held.levels.index(group), held.levels.index(reference)
        if isinstance(held, ArmMeans):
            found = difference_of_changes(held, at, base, scope, alpha)
        else:
            one = np.eye(len(held.levels))
            # Both levels may lie as far apart as each can be from 0.
            most = 2 * wanted.farthest
            found = contrast_numbers(held, one[at] - one[base], scope, alpha, farthest=most)
        ours, others = (
            paired.filter(pl.col(dimension) == each)["change"] for each in (group, reference)
        )
        return or_alike(found, ours, others)

    for group in levels:
        if group == reference:
            continue
        compared = (paired.filter(pl.col(dimension) == level) for level in (group, reference))
        sizes = sizes_of(*compared)
        for scope in scopes_of(paired):
            what = f"{estimand} of {group}, {scope}"
            found = guard.run(what, partial(numbers, group, scope), failed)
            tested = if_enough(found, sizes, (group, reference), scope)
            tested = mixed.noted(tested, Pair(group, reference))
            yield _row(key, dimension, group, reference, estimand, scope) | sizes | tested


def _row(  # noqa: PLR0913, PLR0917 - one row's key in full
    key: str,
    dimension: str,
    group: str | None,
    reference: str | None,
    estimand: ModelEstimand,
    scope: Scope,
) -> Row:
    return {
        "outcome": key,
        "dimension": dimension,
        "group": group,
        "reference": reference,
        "estimand": str(estimand),
        "scope": str(scope),
    }


def _adjust(rows: pl.DataFrame, analysis: AnalysisConfig) -> pl.DataFrame:
    """p-values corrected: by Holm for declared pairs, else by Benjamini and Hochberg."""
    exploratory = pl.format("between models: {}, {}", "estimand", "scope")
    of_pairs = pl.format("declared contrasts of models: {}, {}, {}", "outcome", "estimand", "scope")
    by_holm = pl.Series(
        [between_models(model, analysis) is Correction.HOLM for model in rows["model"]],
        dtype=pl.Boolean,
    )
    marked = rows.with_columns(
        pl.when(pl.col("p_value").is_null())
        .then(None)
        .when(by_holm)
        .then(of_pairs)
        .otherwise(exploratory)
        .alias("family"),
        by_holm=by_holm,
    ).with_row_index("row")
    adjusted = np.full(rows.height, np.nan)
    for _, part in marked.drop_nulls("family").group_by("family", maintain_order=True):
        correct = holm if part["by_holm"][0] else benjamini_hochberg
        adjusted[part["row"].to_numpy()] = correct(part["p_value"].to_numpy())
    return marked.drop("row", "by_holm").with_columns(
        pl.Series("p_adjusted", adjusted, dtype=pl.Float64).fill_nan(None)
    )
