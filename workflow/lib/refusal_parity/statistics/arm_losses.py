"""What was left out of an arm and of its baseline, and what a change would be in either reading.

A response without a label leaves the comparison of arms. Whether an arm leaves out more is
tested as any change is, and each change is told as it would be if all that was left out spoke
for it, and if all of it spoke against it (Manski 1989, Journal of Human Resources 24:343-360).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.statistics.arm_changes import (
    ArmMeans,
    change_of,
    change_of_all,
    difference_of_changes,
)
from refusal_parity.statistics.designs.outcome_columns import outcome_column
from refusal_parity.statistics.pairing import ALL, WITH, WITHOUT, levels_kept, scopes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.outcomes import Outcome
    from refusal_parity.vocabulary import Scope

Row = dict[str, Any]
Key = tuple[str, str, str | None, str]
"""Dimension, level, reference and scope."""

_LEFT: Final = "left out"
_MOST: Final = "read as having it"
_LEAST: Final = "read as not having it"
_READINGS: Final = {
    "left": (_LEFT, _LEFT),
    "highest": (_MOST, _LEAST),
    "lowest": (_LEAST, _MOST),
}
"""What stands for the rate with the arm and without it."""


def left_out_of(
    observations: pl.DataFrame,
    arms: tuple[str, str],
    outcome: Outcome,
    analysis: AnalysisConfig,
    references: Mapping[str, str],
) -> dict[Key, Row]:
    """What the left-out responses may hide, by what a row is about.

    Args:
        observations: of one model and kind of request, arms in the models' place.
        arms: the arm and its baseline.
        outcome: what is compared.
        analysis: dimensions, alpha.
        references: of each dimension that is compared.

    Returns:
        `left_arm`, `left_baseline` (responses), `left_change` and `left_p_value` (of the share
        left out), `lowest`, `lowest_ci_low`, `highest` and `highest_ci_high`; nothing where
        no response of either arm was left out.
    """
    both = _read_both_ways(observations, arms, outcome, analysis)
    if both.filter(pl.col("n_left") + pl.col("n_left_without") > 0).is_empty():
        return {}
    read = {key: _reading(both, *columns) for key, columns in _READINGS.items()}
    found: dict[Key, Row] = {}
    for scope in scopes_of(both):
        numbers: dict[str, Row | None] = {
            key: change_of_all(each, scope, analysis.alpha)
            or {"estimate": float(each["change"].to_numpy().mean())}
            for key, each in read.items()
        }
        found[ALL, ALL, None, str(scope)] = _counts(both) | _told(numbers)
    for dimension, reference in references.items():
        found |= _of_dimension(both, read, dimension, reference, analysis.alpha)
    return found


def _read_both_ways(
    observations: pl.DataFrame, arms: tuple[str, str], outcome: Outcome, analysis: AnalysisConfig
) -> pl.DataFrame:
    """Prompts asked in both arms: shares left out and with the outcome, over all responses."""
    has = outcome_column(outcome).fill_null(value=False)
    left = pl.col("label").is_null()
    cells = (
        observations.group_by("prompt_id", "model")
        .agg(
            pl.first("name_id", "template_id", "text_id", *levels_kept(observations, analysis)),
            n_asked=pl.len(),
            n_left=left.sum(),
            **{_LEFT: left.mean(), _LEAST: has.mean(), _MOST: (has | left).mean()},
        )
        .sort("prompt_id", "model")
    )
    with_arm, without = (cells.filter(model=arm) for arm in arms)
    return with_arm.join(
        without.select("prompt_id", "n_asked", "n_left", _LEFT, _LEAST, _MOST),
        on="prompt_id",
        how="inner",
        suffix="_without",
        maintain_order="left",
    ).rename({"n_asked": "n_with", "n_asked_without": "n_without"})


def _reading(both: pl.DataFrame, ours: str, others: str) -> pl.DataFrame:
    """Prompts with the rates of one reading."""
    return both.with_columns(
        pl.col(ours).alias(WITH),
        pl.col(f"{others}_without").alias(WITHOUT),
        change=pl.col(ours) - pl.col(f"{others}_without"),
    )


def _of_dimension(
    both: pl.DataFrame,
    read: Mapping[str, pl.DataFrame],
    dimension: str,
    reference: str,
    alpha: float,
) -> Iterator[tuple[Key, Row]]:
    levels = sorted(set(both[dimension].drop_nulls()))
    means = {key: ArmMeans.of(each, dimension) for key, each in read.items()}
    # Highest of a difference between levels: highest here, and lowest of the reference.
    is_reference = pl.col(dimension).eq_missing(reference)
    other = {"left": "left", "highest": "lowest", "lowest": "highest"}
    mixed = {
        key: ArmMeans.of(
            pl.concat([read[key].filter(~is_reference), read[other[key]].filter(is_reference)]),
            dimension,
        )
        for key in read
    }

    def told(of: Mapping[str, ArmMeans | None], numbers: Callable[[ArmMeans], Row]) -> Row:
        return _told({key: None if each is None else numbers(each) for key, each in of.items()})

    for scope in scopes_of(both):
        for level in levels:
            ours = both.filter(pl.col(dimension) == level)
            numbers = partial(_at, level=level, scope=scope, alpha=alpha)
            yield (dimension, level, None, str(scope)), _counts(ours) | told(means, numbers)
            if level == reference or reference not in levels:
                continue
            pair = both.filter(pl.col(dimension).is_in([level, reference]))
            numbers = partial(_between, pair=(level, reference), scope=scope, alpha=alpha)
            key = (dimension, level, reference, str(scope))
            yield key, _counts(pair) | told(mixed, numbers)


def _at(means: ArmMeans, *, level: str, scope: Scope, alpha: float) -> Row:
    """The change at a level; without error or test where nothing varies."""
    weights = means.weights(level)
    found = change_of(means, weights, scope, alpha)
    return found or {"estimate": float(weights @ means.change.mean)}


def _between(means: ArmMeans, *, pair: tuple[str, str], scope: Scope, alpha: float) -> Row:
    ours, others = (means.levels.index(level) for level in pair)
    found = difference_of_changes(means, ours, others, scope, alpha)
    return found or {"estimate": float(means.change.mean[ours] - means.change.mean[others])}


def _counts(both: pl.DataFrame) -> Row:
    return {
        "left_arm": int(both["n_left"].sum()),
        "left_baseline": int(both["n_left_without"].sum()),
    }


def _told(numbers: Mapping[str, Row | None]) -> Row:
    left, highest, lowest = (numbers[key] or {} for key in ("left", "highest", "lowest"))
    return {
        "left_change": left.get("estimate"),
        "left_p_value": left.get("p_value"),
        "lowest": lowest.get("estimate"),
        "lowest_ci_low": lowest.get("ci_low"),
        "highest": highest.get("estimate"),
        "highest_ci_high": highest.get("ci_high"),
    }
