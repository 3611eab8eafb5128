"""The table of models against each other, paired by prompt."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from refusal_parity.dimensions import GROUP
from refusal_parity.factors import is_listed
from refusal_parity.statistics.adjust import benjamini_hochberg
from refusal_parity.statistics.designs.counts import Design, clusters_of
from refusal_parity.statistics.designs.model_weights import ModelWeights, model_weights
from refusal_parity.statistics.designs.observations import outcome_column
from refusal_parity.statistics.distributions import t_isf, t_sf
from refusal_parity.statistics.failures import Guard, finite, unheard
from refusal_parity.statistics.rounding import settled
from refusal_parity.statistics.variances.level_means import contrast, level_means
from refusal_parity.tables import Comparison, conform
from refusal_parity.vocabulary import ModelEstimand, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.failures import Say
    from refusal_parity.statistics.variances.level_means import LevelMeans

SCOPES: Final = (Scope.NEW_NAMES, Scope.NEW_NAMES_AND_TEMPLATES)
ALL: Final = "all"
_NOTHING: Final = "not estimable: one name or template, or nothing varies"
_THE_SAME: Final = "models differ alike in all prompts of a level: no interval or test can be had"
_ALIKE: Final = "the same rate in every prompt"

Row = dict[str, Any]


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
    `level_means.contrast`, for both scopes; of a prompt list, for new prompts. All rows are
    exploratory and adjusted by Benjamini and Hochberg within estimand and scope.

    Args:
        observations: rows of `observe`, of all models.
        analysis: outcomes, dimensions, alpha, contrasts and series of models.
        models: keys of the models, in the order of the config.
        say: hears what failed numerically.
    """
    schema = unadjusted(Comparison)
    cells = rates_by_prompt(observations, analysis)
    rows = [
        {"contrast": each.key, "model": each.model, "baseline": each.baseline} | row
        for each in model_weights(analysis, models)
        for row in _of_contrast(cells, each, analysis, Guard(say, (each.key,)))
    ]
    table = settled(_adjust(pl.DataFrame(rows, schema=schema)))
    return conform(table, Comparison, where="comparison")


def unadjusted(schema: type[dy.Schema]) -> dict[str, pl.DataType]:
    """Columns of a table of contrasts before its p-values are adjusted."""
    return {
        name: pl.String() if isinstance(column.dtype, pl.Enum) else column.dtype
        for name, column in schema.columns().items()
        if name not in {"family", "p_adjusted"}
    }


def rates_by_prompt(observations: pl.DataFrame, analysis: AnalysisConfig) -> pl.DataFrame:
    """Rate of each outcome by prompt and model, with the prompt's levels."""
    return (
        observations.drop_nulls("label")
        .group_by("prompt_id", "model")
        .agg(
            pl.first("name_id", "template_id", "text_id", *_levels(observations, analysis)),
            *(outcome_column(outcome).mean() for outcome in analysis.readings),
        )
        .sort("prompt_id", "model")
    )


def paired_by_prompt(
    cells: pl.DataFrame, weights: Mapping[str, float], analysis: AnalysisConfig
) -> pl.DataFrame:
    """Weighted sum of the rates of each prompt that all of some models answered.

    Args:
        cells: as from `rates_by_prompt`.
        weights: of each model; they add up to 0.
        analysis: outcomes and dimensions.

    Returns:
        One row for each such prompt: its name, template and levels, and the sums under the
        outcomes' keys.
    """
    weight = pl.col("model").replace_strict(dict(weights), return_dtype=pl.Float64)
    # Weights add up to 0: from the first model's rate, models alike make exactly 0.
    return (
        cells.filter(pl.col("model").is_in(list(weights)))
        .filter(pl.len().over("prompt_id") == len(weights))
        .group_by("prompt_id", maintain_order=True)
        .agg(
            pl.first("name_id", "template_id", "text_id", *_levels(cells, analysis)),
            *(
                ((pl.col(key) - pl.col(key).first()) * weight).sum().alias(key)
                for key in map(str, analysis.readings)
            ),
        )
    )


def _levels(rows: pl.DataFrame, analysis: AnalysisConfig) -> list[str]:
    """The dimensions, and the study's own groups where there are names in them."""
    first = [] if is_listed(rows) else [GROUP.key]
    return list(dict.fromkeys([*first, *analysis.dimensions]))


def scopes_of(paired: pl.DataFrame) -> tuple[Scope, ...]:
    """To what results generalise: of a prompt list, to new prompts."""
    return (Scope.NEW_PROMPTS,) if is_listed(paired) else SCOPES


def _of_contrast(
    cells: pl.DataFrame, wanted: ModelWeights, analysis: AnalysisConfig, guard: Guard
) -> Iterator[Row]:
    paired = paired_by_prompt(cells, wanted.weights, analysis)
    for key in map(str, analysis.readings):
        yield from rate_rows(paired, key, wanted, analysis.alpha, guard.of(key))
        for dimension, config in analysis.dimensions.items():
            yield from disparity_rows(
                paired,
                key,
                wanted,
                dimension,
                config.reference,
                analysis.alpha,
                guard.of(dimension, key),
            )


def paired_means(paired: pl.DataFrame, key: str, dimension: str | None) -> LevelMeans | None:
    """Means of the prompts' quantity at every level, or of all as one level."""
    rows = paired if dimension is None else paired.drop_nulls(dimension)
    if rows.is_empty():
        return None
    shown = np.full(rows.height, ALL) if dimension is None else rows[dimension].to_numpy()
    levels, level = np.unique(shown.astype(np.str_), return_inverse=True)
    name, template = clusters_of(rows)
    names = tuple(str(each) for each in levels)
    return level_means(
        Design(names, level, name, template, np.ones(rows.height), rows[key].to_numpy())
    )


def rate_rows(
    paired: pl.DataFrame, key: str, wanted: ModelWeights, alpha: float, guard: Guard
) -> list[Row]:
    """How rates over all prompts differ, in both scopes; of `paired_by_prompt`."""
    estimand = ModelEstimand.RATE_TREND if wanted.is_trend else ModelEstimand.RATE_DIFFERENCE
    own = None if is_listed(paired) else GROUP.key
    sizes = {} if own is None else dict(paired.group_by(own).len().iter_rows())

    def numbers(scope: Scope) -> Row:
        groups, whole = paired_means(paired, key, own), paired_means(paired, key, None)
        if groups is None or whole is None:
            return {"note": "not estimable: no prompt has labelled responses of every model"}
        shares = np.array([sizes.get(level, paired.height) for level in groups.levels])
        shares = shares / paired.height
        # Groups are the study's own: names vary within them. Where a group has
        # one name, they vary over all.
        return (
            contrast_numbers(groups, shares, scope, alpha)
            or contrast_numbers(whole, np.ones(1), scope, alpha)
            or alike(paired[key])
        )

    compared = sizes_of(paired)
    return [
        _row(key, ALL, None, None, estimand, scope)
        | compared
        | guard.run(f"{estimand}, {scope}", partial(numbers, scope), failed)
        for scope in scopes_of(paired)
    ]


def disparity_rows(  # noqa: PLR0913, PLR0917 - one row's key in full
    paired: pl.DataFrame,
    key: str,
    wanted: ModelWeights,
    dimension: str,
    reference: str,
    alpha: float,
    guard: Guard,
) -> Iterator[Row]:
    """How the difference of each level from the reference differs, in both scopes."""
    trend, difference = ModelEstimand.DISPARITY_TREND, ModelEstimand.DISPARITY_DIFFERENCE
    estimand = trend if wanted.is_trend else difference
    levels = set(paired[dimension].drop_nulls())
    means = guard.run(
        estimand,
        lambda: paired_means(paired, key, dimension),
        lambda reason: failed(reason)["note"],
    )

    def numbers(group: str, scope: Scope) -> Row:
        if isinstance(means, str):
            return {"note": means}
        if means is None or reference not in means.levels:
            return {"note": f"not estimable: no prompt of {reference} has every model"}
        weights = [(level == group) - float(level == reference) for level in means.levels]
        ours, others = (
            paired.filter(pl.col(dimension) == each)[key] for each in (group, reference)
        )
        return contrast_numbers(means, np.array(weights), scope, alpha) or alike(ours, others)

    for group in sorted(levels - {reference}):
        compared = (paired.filter(pl.col(dimension) == level) for level in (group, reference))
        sizes = sizes_of(*compared)
        for scope in scopes_of(paired):
            what = f"{estimand} of {group}, {scope}"
            found = guard.run(what, partial(numbers, group, scope), failed)
            yield _row(key, dimension, group, reference, estimand, scope) | sizes | found


def alike(*levels: pl.Series) -> Row:
    """The difference where all prompts of a level have one, which no error can be estimated of.

    Args:
        levels: the prompts' quantities, of one level or of two that are compared.
    """
    if any(level.n_unique() != 1 for level in levels):
        return {"note": _NOTHING}
    ours, *others = (float(level.item(0)) for level in levels)
    nowhere = not ours and not any(others)
    return {"estimate": ours - sum(others), "note": _ALIKE if nowhere else _THE_SAME}


def failed(reason: str) -> Row:
    """A row without numbers, with the reason."""
    return {"note": f"not estimable: {reason}"}


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


def sizes_of(ours: pl.DataFrame, others: pl.DataFrame | None = None) -> Row:
    """Prompts, names and templates that are compared."""
    return {
        "n_prompts": ours.height + (0 if others is None else others.height),
        "names_group": ours["name_id"].n_unique(),
        "names_reference": None if others is None else others["name_id"].n_unique(),
        "templates_group": ours["template_id"].n_unique(),
        "templates_reference": None if others is None else others["template_id"].n_unique(),
    }


def contrast_numbers(
    means: LevelMeans, weights: FloatArray, scope: Scope, alpha: float
) -> Row | None:
    """Estimate, interval and test of a weighted sum of means; null where nothing varies."""
    # Of a prompt list the unit stands in the name's place, and that is all there is.
    found = contrast(means, weights, Scope.NEW_NAMES if scope is Scope.NEW_PROMPTS else scope)
    if found is None:
        return None
    half_width = float(t_isf(alpha / 2, found.df)) * found.std_error
    statistic = found.estimate / found.std_error
    numbers = {
        "estimate": found.estimate,
        "std_error": found.std_error,
        "df": found.df,
        "ci_low": found.estimate - half_width,
        "ci_high": found.estimate + half_width,
        "statistic": statistic,
        "p_value": float(2 * t_sf(abs(statistic), found.df)),
    }
    return finite(numbers)


def _adjust(rows: pl.DataFrame) -> pl.DataFrame:
    family = pl.format("between models: {}, {}", "estimand", "scope")
    marked = rows.with_columns(
        pl.when(pl.col("p_value").is_not_null()).then(family).alias("family")
    ).with_row_index("row")
    adjusted = np.full(rows.height, np.nan)
    for _, part in marked.drop_nulls("family").group_by("family", maintain_order=True):
        adjusted[part["row"].to_numpy()] = benjamini_hochberg(part["p_value"].to_numpy())
    return marked.drop("row").with_columns(
        pl.Series("p_adjusted", adjusted, dtype=pl.Float64).fill_nan(None)
    )
