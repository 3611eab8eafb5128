"""What each arm changes: for all requests, for each group, and between groups.

An arm is compared with its baseline on the same prompts: the first arm of the study, or,
for an arm with a guard, the arm that does the same without it. Harmless and unsafe requests
are set apart, since a refusal is a harm of the ones and right for the others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from refusal_parity.config.arms import same_without_guard
from refusal_parity.factors import KIND, UNSAFE
from refusal_parity.statistics.adjust import holm
from refusal_parity.statistics.arm_changes import (
    ArmMeans,
    change_of,
    change_of_all,
    difference_of_changes,
)
from refusal_parity.statistics.arm_losses import left_out_of
from refusal_parity.statistics.comparison import unadjusted
from refusal_parity.statistics.designs.mixtures import mixtures_of_changes
from refusal_parity.statistics.failures import Guard, unheard
from refusal_parity.statistics.pairing import (
    ALL,
    failed,
    if_enough,
    or_alike,
    rates_by_prompt,
    rates_with_and_without,
    scopes_of,
    sizes_of,
)
from refusal_parity.statistics.results import Pair
from refusal_parity.statistics.rounding import settled
from refusal_parity.tables import Safeguards, conform
from refusal_parity.vocabulary import ModelEstimand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig, Arm
    from refusal_parity.statistics.failures import Say
    from refusal_parity.vocabulary import Scope

HARMLESS: Final = "harmless"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Compared:
    """An arm and the arm that it is compared with.

    Attributes:
        arm: its key.
        baseline: the other's key.
        guards: whether a guard is all that sets both apart.
    """

    arm: str
    baseline: str
    guards: bool


def compared_arms(arms: Mapping[str, Arm]) -> list[Compared]:
    """Each arm with its baseline: its twin without the guard, else the study's first arm.

    Args:
        arms: of the study, in the order of the config.
    """
    twins = dict(same_without_guard(arms))
    first = next(key for key, arm in arms.items() if arm.guard is None)
    baselines = {key: twins.get(key) or first for key in arms}
    return [
        Compared(arm, base, guards=twins.get(arm) is not None)
        for arm, base in baselines.items()
        if arm != base
    ]


def with_kind(observations: pl.DataFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    """Observations with the kind of their request: `unsafe` or, of all others, `harmless`.

    Args:
        observations: rows of `observe`, everything kept.
        prompts: a table of `Prompts`; where it has no column `kind`, all are harmless.
    """
    if KIND not in prompts.columns:
        return observations.with_columns(kind=pl.lit(HARMLESS))
    unsafe = pl.col(KIND).cast(pl.String) == UNSAFE
    kinds = prompts.select(
        "prompt_id",
        kind=pl.when(unsafe).then(pl.lit(UNSAFE)).otherwise(pl.lit(HARMLESS)),
    )
    return observations.drop("kind", strict=False).join(
        kinds, on="prompt_id", how="left", maintain_order="left"
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
        references = {
            dimension: config.reference
            for dimension, config in analysis.dimensions.items()
            if dimension not in {"arm", KIND}
        }
        # Of what was asked: a level that an arm lost whole has its rows, which say so.
        levels = {each: sorted(set(part[each].drop_nulls())) for each in references}
        for each in compared_arms(arms):
            key = {"model": model, "arm": each.arm, "baseline": each.baseline, "kind": kind}
            guard = Guard(say, (str(model), each.arm, str(kind)))
            lost = {
                str(outcome): left_out_of(
                    part, (each.arm, each.baseline), outcome, analysis, references
                )
                for outcome in analysis.readings
            }
            rows += [
                key | _NONE_LEFT | row | lost[row["outcome"]].get(_about(row), {})
                for row in _changes(by_arm, each, analysis, references, levels, guard)
            ]
    schema = unadjusted(Safeguards)
    del schema["left_p_adjusted"]
    table = settled(_adjusted(pl.DataFrame(rows, schema=schema)))
    return conform(table, Safeguards, where="safeguards")


_NONE_LEFT: Final[Row] = {"left_arm": 0, "left_baseline": 0}


def _about(row: Row) -> tuple[str, str, str | None, str]:
    return row["dimension"], row["group"], row["reference"], row["scope"]


def _by_arm(observations: pl.DataFrame) -> pl.DataFrame:
    """Arms in the models' place, and prompts that differ in their arm alone as one."""
    return observations.with_columns(
        of_model="model",
        model="arm",
        prompt_id=pl.concat_str("template_id", pl.col("name_id").fill_null(""), separator="\x1f"),
    )


def _changes(  # noqa: PLR0913, PLR0917 - what is compared in full
    by_arm: pl.DataFrame,
    each: Compared,
    analysis: AnalysisConfig,
    references: Mapping[str, str],
    levels: Mapping[str, list[str]],
    guard: Guard,
) -> Iterator[Row]:
    for outcome in map(str, analysis.readings):
        prompts = rates_with_and_without(by_arm, outcome, each.arm, each.baseline)
        of_all = _Question(prompts, outcome, ALL, ModelEstimand.RATE_DIFFERENCE, analysis.alpha)
        # A guard stops a request or lets it pass, and changes nothing else.
        changed = partial(change_of_all, prompts, one_way=each.guards)
        yield from of_all.rows(ALL, None, changed, guard.of(outcome))
        for dimension, reference in references.items():
            heard = guard.of(dimension, outcome)
            means: ArmMeans | str | None = heard.run(
                "means", partial(ArmMeans.of, prompts, dimension, one_way=each.guards), str
            )
            asked = _Question(
                prompts, outcome, dimension, ModelEstimand.RATE_DIFFERENCE, analysis.alpha
            )
            for level in levels[dimension]:
                yield from asked.rows(level, None, partial(_of_level, means, level), heard)
            between = replace(asked, estimand=ModelEstimand.DISPARITY_DIFFERENCE)
            order = [reference, *(level for level in levels[dimension] if level != reference)]
            mixed = mixtures_of_changes(prompts, dimension, order)
            for level in levels[dimension]:
                if level != reference:
                    pair = Pair(level, reference)
                    found = mixed.torn.get(pair, means)
                    numbers = partial(_between_levels, found, level, reference)
                    for row in between.rows(level, reference, numbers, heard):
                        yield mixed.noted(row, pair)


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked of an arm: the rows of one outcome, dimension and estimand."""

    prompts: pl.DataFrame
    outcome: str
    dimension: str
    estimand: ModelEstimand
    alpha: float

    def rows(
        self,
        group: str,
        reference: str | None,
        numbers: Callable[[Scope, float], Row | None],
        guard: Guard,
    ) -> Iterator[Row]:
        """A row for each scope: the numbers, or why there are none."""
        ours, others = self._of(group), None if reference is None else self._of(reference)

        def found(scope: Scope) -> Row:
            if ours.is_empty():
                return {"note": "not estimable: no prompt was answered in both arms"}
            if others is not None and others.is_empty():
                return {"note": f"not estimable: no prompt of {reference} in both arms"}
            parts = [ours] if others is None else [ours, others]
            return or_alike(numbers(scope, self.alpha), *(part["change"] for part in parts))

        for scope in scopes_of(self.prompts):
            key = {
                "outcome": self.outcome,
                "dimension": self.dimension,
                "group": group,
                "reference": reference,
                "estimand": str(self.estimand),
                "scope": str(scope),
            }
            what = f"{self.estimand} of {group}, {scope}"
            sizes = sizes_of(ours, others)
            numbered = guard.run(what, partial(found, scope), failed)
            if reference is not None:
                numbered = if_enough(numbered, sizes, (group, reference), scope)
            yield key | sizes | numbered

    def _of(self, level: str) -> pl.DataFrame:
        if self.dimension == ALL:
            return self.prompts
        return self.prompts.filter(pl.col(self.dimension) == level)


def _of_level(means: ArmMeans | str | None, level: str, scope: Scope, alpha: float) -> Row | None:
    if not isinstance(means, ArmMeans):
        return {"note": f"not estimable: {means}"}
    return change_of(means, means.weights(level), scope, alpha)


def _between_levels(
    means: ArmMeans | str | None, level: str, reference: str, scope: Scope, alpha: float
) -> Row | None:
    if not isinstance(means, ArmMeans):
        return {"note": f"not estimable: {means}"}
    ours, others = means.levels.index(level), means.levels.index(reference)
    return difference_of_changes(means, ours, others, scope, alpha)


def _adjusted(rows: pl.DataFrame) -> pl.DataFrame:
    family = pl.format(
        "safeguards of {}: {}, {} requests, {}, {}",
        *("model", "outcome", "kind", "estimand", "scope"),
    )
    tested = rows.with_columns(of=family).with_columns(
        pl.when(pl.col("p_value").is_not_null()).then("of").alias("family"),
        p_adjusted=_by_holm("p_value"),
        left_p_adjusted=_by_holm("left_p_value"),
    )
    return tested.drop("of")


def _by_holm(column: str) -> pl.Expr:
    """p-values corrected within the families `of`; null where there is none."""

    def corrected(values: pl.Series) -> pl.Series:
        known = values.is_not_null().to_numpy()
        found = np.full(len(values), np.nan)
        found[known] = holm(values.drop_nulls().to_numpy())
        return pl.Series(found, nan_to_null=True)

    return pl.col(column).map_batches(corrected, return_dtype=pl.Float64).over("of")
