"""What each arm changes: for all requests, for each group, and between groups.

An arm is compared with its baseline on the same prompts: the first arm of the study, or,
for an arm with a guard, the arm that does the same without it. Harmless and unsafe requests
are set apart, since a refusal is a harm of the ones and right for the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from refusal_parity.config.arms import same_without_guard
from refusal_parity.factors import KIND, UNSAFE
from refusal_parity.statistics.adjust import holm
from refusal_parity.statistics.comparison import disparity_rows, rate_rows, unadjusted
from refusal_parity.statistics.designs.model_weights import ModelWeights
from refusal_parity.statistics.failures import Guard, unheard
from refusal_parity.statistics.pairing import (
    ALL,
    alike,
    contrast_numbers,
    failed,
    paired_by_prompt,
    paired_means,
    rates_by_prompt,
    scopes_of,
    sizes_of,
)
from refusal_parity.statistics.rates import rates
from refusal_parity.statistics.rounding import settled
from refusal_parity.tables import SafeguardRates, Safeguards, conform
from refusal_parity.vocabulary import ModelEstimand

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig, Arm
    from refusal_parity.statistics.failures import Say

HARMLESS: Final = "harmless"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Compared:
    """An arm and the arm that it is compared with."""

    arm: str
    baseline: str


def compared_arms(arms: Mapping[str, Arm]) -> list[Compared]:
    """Each arm with its baseline: its twin without the guard, else the study's first arm.

    Args:
        arms: of the study, in the order of the config.
    """
    twins = dict(same_without_guard(arms))
    first = next(key for key, arm in arms.items() if arm.guard is None)
    baselines = {key: twins.get(key) or first for key in arms}
    return [Compared(arm, base) for arm, base in baselines.items() if arm != base]


def with_kind(observations: pl.DataFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    """Observations with the kind of their request: `unsafe` or, of all others, `harmless`.

    Args:
        observations: rows of `observe`, everything kept.
        prompts: a table of `Prompts`; where it has no column `kind`, all are harmless.
    """
    if KIND not in prompts.columns:
        return observations.with_columns(kind=pl.lit(HARMLESS))
    unsafe = pl.col(KIND).cast(pl.String).eq_missing(UNSAFE)
    kinds = prompts.select(
        "prompt_id",
        kind=pl.when(unsafe).then(pl.lit(UNSAFE)).otherwise(pl.lit(HARMLESS)),
    )
    return observations.drop("kind", strict=False).join(
        kinds, on="prompt_id", how="left", maintain_order="left"
    )


def safeguard_rates(
    observations: pl.DataFrame, analysis: AnalysisConfig, say: Say = unheard
) -> dy.DataFrame[SafeguardRates]:
    """Rates of each model, arm and kind of request, for all and for each level compared.

    Args:
        observations: rows of `observe`, everything kept, with `kind`.
        analysis: outcomes, dimensions, alpha.
        say: hears what failed numerically.
    """
    dimensions = [ALL, *(key for key in analysis.dimensions if key not in {"arm", KIND})]
    parts = []
    for (arm, kind), part in observations.group_by("arm", "kind", maintain_order=True):
        found = rates(part, analysis, say).filter(
            pl.col("within") == ALL, pl.col("dimension").is_in(dimensions)
        )
        lost = pl.concat(_lost(part, dimension) for dimension in dimensions)
        parts.append(
            found.join(lost, on=["model", "dimension", "group"], how="left", maintain_order="left")
            .with_columns(arm=pl.lit(arm), kind=pl.lit(kind))
            .select(SafeguardRates.column_names())
        )
    return conform(pl.concat(parts), SafeguardRates, where="rates of safeguards")


def _lost(part: pl.DataFrame, dimension: str) -> pl.DataFrame:
    level = pl.lit(ALL) if dimension == ALL else pl.col(dimension)
    return (
        part.with_columns(level=level)
        .drop_nulls("level")
        .group_by("model", group="level")
        .agg(
            n_stopped=pl.col("filtered").sum().cast(pl.Int64),
            n_left_out=pl.col("label").is_null().sum().cast(pl.Int64),
        )
        .with_columns(dimension=pl.lit(dimension))
    )


def safeguards(
    observations: pl.DataFrame,
    analysis: AnalysisConfig,
    arms: Mapping[str, Arm],
    say: Say = unheard,
) -> dy.DataFrame[Safeguards]:
    """What each arm changes from its baseline, paired by name and template.

    Holm (1979) corrects within model, kind of request, outcome, estimand and scope, over all
    arms, dimensions and levels.

    Args:
        observations: rows of `observe`, everything kept, with `kind`.
        analysis: outcomes, dimensions, alpha.
        arms: of the study, in the order of the config.
        say: hears what failed numerically.
    """
    rows: list[Row] = []
    cells = _by_arm(observations)
    for (model, kind), part in cells.group_by("of_model", "kind", maintain_order=True):
        by_arm = rates_by_prompt(part, analysis)
        for each in compared_arms(arms):
            key = {"model": model, "arm": each.arm, "baseline": each.baseline, "kind": kind}
            guard = Guard(say, (str(model), each.arm, str(kind)))
            rows += [key | row for row in _changes(by_arm, each, analysis, guard)]
    schema = unadjusted(Safeguards)
    table = settled(_adjusted(pl.DataFrame(rows, schema=schema)))
    return conform(table, Safeguards, where="safeguards")


def _by_arm(observations: pl.DataFrame) -> pl.DataFrame:
    """Arms in the models' place, and prompts that differ in their arm alone as one."""
    return observations.with_columns(
        of_model="model",
        model="arm",
        prompt_id=pl.concat_str("template_id", pl.col("name_id").fill_null(""), separator="\x1f"),
    )


def _changes(
    by_arm: pl.DataFrame, each: Compared, analysis: AnalysisConfig, guard: Guard
) -> Iterator[Row]:
    wanted = ModelWeights(
        key=f"{each.arm} - {each.baseline}",
        model=each.arm,
        baseline=each.baseline,
        weights={each.arm: 1.0, each.baseline: -1.0},
    )
    paired = paired_by_prompt(by_arm, wanted.weights, analysis)
    dimensions = {
        key: each for key, each in analysis.dimensions.items() if key not in {"arm", KIND}
    }
    for key in map(str, analysis.readings):
        for row in rate_rows(paired, key, wanted, analysis.alpha, guard.of(key)):
            yield row | {"group": ALL}
        for dimension, config in dimensions.items():
            heard = guard.of(dimension, key)
            yield from _of_levels(paired, key, dimension, analysis.alpha, heard)
            yield from disparity_rows(
                paired, key, wanted, dimension, config.reference, analysis.alpha, heard
            )


def _of_levels(
    paired: pl.DataFrame, key: str, dimension: str, alpha: float, guard: Guard
) -> Iterator[Row]:
    """What the arm changes at each level of a dimension."""
    levels = sorted(set(paired[dimension].drop_nulls()))
    means = guard.run(
        ModelEstimand.RATE_DIFFERENCE,
        lambda: paired_means(paired, key, dimension),
        lambda reason: str(failed(reason)["note"]),
    )

    def numbers(level: str, scope: Any) -> Row:
        if means is None or isinstance(means, str):
            return {"note": means or "not estimable: no prompt was answered in both arms"}
        weights = np.array([float(each == level) for each in means.levels])
        return contrast_numbers(means, weights, scope, alpha) or alike(
            paired.filter(pl.col(dimension) == level)[key]
        )

    for level in levels:
        sizes = sizes_of(paired.filter(pl.col(dimension) == level))
        for scope in scopes_of(paired):
            row = {
                "outcome": key,
                "dimension": dimension,
                "group": level,
                "reference": None,
                "estimand": str(ModelEstimand.RATE_DIFFERENCE),
                "scope": str(scope),
            }
            found = guard.run(f"change of {level}, {scope}", partial(numbers, level, scope), failed)
            yield row | sizes | found


def _adjusted(rows: pl.DataFrame) -> pl.DataFrame:
    family = pl.format(
        "safeguards of {}: {}, {} requests, {}, {}",
        *("model", "outcome", "kind", "estimand", "scope"),
    )
    marked = rows.with_columns(
        pl.when(pl.col("p_value").is_not_null()).then(family).alias("family")
    ).with_row_index("row")
    adjusted = np.full(rows.height, np.nan)
    for _, part in marked.drop_nulls("family").group_by("family", maintain_order=True):
        adjusted[part["row"].to_numpy()] = holm(part["p_value"].to_numpy())
    return marked.drop("row").with_columns(
        pl.Series("p_adjusted", adjusted, dtype=pl.Float64).fill_nan(None)
    )
