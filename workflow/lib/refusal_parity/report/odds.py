"""Odds ratios and small rates as people read them, and the rows that they are made of."""

from __future__ import annotations

from math import exp, floor, log10
from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.outcomes import Outcome
from refusal_parity.tables import PropensityChecks, PropensityEffects, PropensityLevels
from refusal_parity.text import NOTHING, known, ratio

if TYPE_CHECKING:
    import dataframely as dy

    from refusal_parity.report.inputs import ReportInputs, Row

_DIGITS = 2


def small_rate(rate: float | None) -> str:
    """A rate as a percentage with two digits, however small: `0.34 %`, `12 %`, `0.0021 %`."""
    if rate is None or not known(rate):
        return NOTHING
    if rate <= 0:
        return "0 %"
    decimals = max(_DIGITS - 1 - floor(log10(100 * rate)), 0)
    return f"{100 * rate:.{decimals}f} %"


def small_interval(low: float | None, high: float | None) -> str:
    """Limits of a rate that may be far below a percent; nothing where there are none."""
    return "" if low is None or high is None else f"{small_rate(low)} to {small_rate(high)}"


def odds_ratio(difference: float | None) -> str:
    """The odds ratio of a difference of log-odds, with two decimals."""
    return ratio(None if difference is None else exp(difference))


def odds_interval(low: float | None, high: float | None) -> str:
    """An interval of odds ratios, from ends on the log scale: `1.01 to 5.90`."""
    if low is None or high is None:
        return NOTHING
    return f"{odds_ratio(low)} to {odds_ratio(high)}"


def odds_margins(inputs: ReportInputs) -> str:
    """The equivalence margins: `0.67 and 1.50`."""
    margin = inputs.config.analysis.odds_margin
    return f"{ratio(1 / margin)} and {ratio(margin)}"


def weighed_models(inputs: ReportInputs) -> list[str]:
    """Models with a propensity of any prompt, in the order of the study."""
    found = set(inputs[PropensityLevels].filter(pl.col("n") > 0)["model"])
    return [model for model in inputs.models if model in found]


def by_level(
    inputs: ReportInputs, schema: type[dy.Schema], model: str, dimension: str
) -> dict[str, Row]:
    """Rows of one of the tables of propensities, by level."""
    rows = inputs[schema].filter(pl.col("model") == model, pl.col("dimension") == dimension)
    return {row["group"]: row for row in rows.iter_rows(named=True)}


def levels_of(inputs: ReportInputs, model: str, dimension: str) -> dict[str, Row]:
    """Mean log-odds and rates by level."""
    return by_level(inputs, PropensityLevels, model, dimension)


def effects_of(inputs: ReportInputs, model: str, dimension: str) -> dict[str, Row]:
    """Odds ratios by level, in the order of the study's levels."""
    found = by_level(inputs, PropensityEffects, model, dimension)
    order = {level: at for at, level in enumerate(inputs.levels(dimension))}
    return dict(sorted(found.items(), key=lambda item: order.get(item[0], len(order))))


def checks_of(inputs: ReportInputs, model: str, dimension: str) -> dict[str, Row]:
    """How well propensities stand for refusals, by level."""
    return by_level(inputs, PropensityChecks, model, dimension)


def furthest(inputs: ReportInputs, model: str) -> Row | None:
    """The level whose odds ratio lies furthest from 1; None where there is none."""
    rows = [
        row for row in effects_of(inputs, model, inputs.dimension).values() if row["odds_ratio"]
    ]
    return max(rows, key=lambda row: max(row["odds_ratio"], 1 / row["odds_ratio"]), default=None)


def analyses_propensity(inputs: ReportInputs) -> bool:
    """Whether the study compares propensities."""
    return Outcome.PROPENSITY in inputs.config.analysis.outcomes
