"""What models or arms have on the same prompts: sums over them, and contrasts of their means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from refusal_parity.dimensions import ARM, GROUP
from refusal_parity.factors import is_listed
from refusal_parity.statistics.designs.counts import Design, clusters_of
from refusal_parity.statistics.designs.outcome_columns import outcome_column
from refusal_parity.statistics.distributions import t_isf, t_sf
from refusal_parity.statistics.enough import Sizes
from refusal_parity.statistics.failures import finite
from refusal_parity.statistics.results import ends_within, join_notes
from refusal_parity.statistics.variances.level_means import contrast, level_means
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.variances.level_means import LevelMeans

SCOPES: Final = (Scope.NEW_NAMES, Scope.NEW_NAMES_AND_TEMPLATES)


ALL: Final = "all"

WITH: Final = "rate_with"
WITHOUT: Final = "rate_without"

_NOTHING: Final = "not estimable: one name or template, or nothing varies"


_THE_SAME: Final = "models differ alike in all prompts of a level: no interval or test can be had"


STILL: Final = "levels differ alike at every name and template: no interval or test can be had"


_ALIKE: Final = "the same rate in every prompt"


Row = dict[str, Any]


def rates_by_prompt(observations: pl.DataFrame, analysis: AnalysisConfig) -> pl.DataFrame:
    """Rate of each outcome by prompt and model, with its responses and the prompt's levels."""
    return (
        observations.drop_nulls("label")
        .group_by("prompt_id", "model")
        .agg(
            pl.first("name_id", "template_id", "text_id", *levels_kept(observations, analysis)),
            pl.len().alias("n_labelled"),
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
            pl.first("name_id", "template_id", "text_id", *levels_kept(cells, analysis)),
            *(
                ((pl.col(key) - pl.col(key).first()) * weight).sum().alias(key)
                for key in map(str, analysis.readings)
            ),
        )
    )


def rates_with_and_without(cells: pl.DataFrame, key: str, one: str, other: str) -> pl.DataFrame:
    """Prompts that two models or arms have labelled responses to, with both rates.

    Args:
        cells: as from `rates_by_prompt`.
        key: of the outcome.
        one: whose rate is `WITH`.
        other: whose rate is `WITHOUT`.

    Returns:
        The rows of the one, with `WITH`, `WITHOUT`, `n_with`, `n_without` and `change`.
    """
    ours, others = (cells.filter(model=each) for each in (one, other))
    return (
        ours.join(
            others.select("prompt_id", pl.col(key).alias(WITHOUT), n_without="n_labelled"),
            on="prompt_id",
            how="inner",
            maintain_order="left",
        )
        .rename({key: WITH, "n_labelled": "n_with"})
        .with_columns(change=pl.col(WITH) - pl.col(WITHOUT))
    )


def levels_kept(rows: pl.DataFrame, analysis: AnalysisConfig) -> list[str]:
    """The dimensions, the arm, and the study's own groups where there are names in them."""
    first = [ARM.key] if is_listed(rows) else [GROUP.key, ARM.key]
    return list(dict.fromkeys([*first, *analysis.dimensions]))


def scopes_of(paired: pl.DataFrame) -> tuple[Scope, ...]:
    """To what results generalise: of a prompt list, to new prompts."""
    return (Scope.NEW_PROMPTS,) if is_listed(paired) else SCOPES


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


def or_alike(found: Row | None, *levels: pl.Series) -> Row:
    """Numbers, or what can be said where there are none.

    Args:
        found: numbers, why there are none, or `STILL`; null where nothing varies.
        levels: as of `alike`, which is more exact where all prompts of a level have one quantity.
    """
    if found is not None and found.get("note") != STILL:
        return found
    exact = alike(*levels)
    return found if found is not None and "estimate" not in exact else exact


def failed(reason: str) -> Row:
    """A row without numbers, with the reason."""
    return {"note": f"not estimable: {reason}"}


def sizes_of(ours: pl.DataFrame, others: pl.DataFrame | None = None) -> Row:
    """Prompts, names and templates that are compared."""
    return {
        "n_prompts": ours.height + (0 if others is None else others.height),
        "names_group": ours["name_id"].n_unique(),
        "names_reference": None if others is None else others["name_id"].n_unique(),
        "templates_group": ours["template_id"].n_unique(),
        "templates_reference": None if others is None else others["template_id"].n_unique(),
    }


_OF_TESTS: Final = ("std_error", "df", "ci_low", "ci_high", "statistic", "p_value")


def if_enough(found: Row, sizes: Row, levels: tuple[str, str], scope: Scope) -> Row:
    """How two levels differ; the estimate alone where a test takes more names or templates.

    Args:
        found: the numbers.
        sizes: of the levels, as from `sizes_of`.
        levels: the one and the other.
        scope: to what the result generalises.
    """
    names, templates = (
        dict(zip(levels, (sizes[f"{unit}_group"], sizes[f"{unit}_reference"]), strict=True))
        for unit in ("names", "templates")
    )
    few = Sizes(names, templates).lacking(scope)
    if few is None or found.get("p_value") is None:
        return found
    left = {column: value for column, value in found.items() if column not in _OF_TESTS}
    return left | {"note": join_notes(found.get("note"), few)}


def contrast_numbers(
    means: LevelMeans, weights: FloatArray, scope: Scope, alpha: float, *, farthest: float
) -> Row | None:
    """Estimate, interval and test of a weighted sum of means; null where nothing varies.

    Args:
        means: of all levels.
        weights: of the levels, shape (levels,).
        scope: to what the result generalises.
        alpha: 1 less the level of the interval.
        farthest: how far from 0 the sum can be; no interval goes beyond.
    """
    # Of a prompt list the unit stands in the name's place, and that is all there is.
    found = contrast(means, weights, Scope.NEW_NAMES if scope is Scope.NEW_PROMPTS else scope)
    if found is None:
        return None
    half_width = float(t_isf(alpha / 2, found.df)) * found.std_error
    ends = {"ci_low": found.estimate - half_width, "ci_high": found.estimate + half_width}
    statistic = found.estimate / found.std_error
    numbers = {
        "estimate": found.estimate,
        "std_error": found.std_error,
        "df": found.df,
        **ends_within(ends, farthest),
        "statistic": statistic,
        "p_value": float(2 * t_sf(abs(statistic), found.df)),
    }
    return finite(numbers)
