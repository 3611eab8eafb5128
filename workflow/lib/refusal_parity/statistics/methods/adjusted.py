"""Differences adjusted for covariates of names, templates or listed prompts, beside the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from refusal_parity.counting import counted
from refusal_parity.dimensions import DIMENSIONS, Unit
from refusal_parity.quantities import Share
from refusal_parity.statistics.designs.counts import build_designs, codes_of
from refusal_parity.statistics.designs.kinds import DesignKind
from refusal_parity.statistics.designs.outcome_columns import counts_in_mean
from refusal_parity.statistics.designs.regressors import are_told_apart, too_few_clusters
from refusal_parity.statistics.designs.with_covariates import regressors
from refusal_parity.statistics.registry import Method, Needs
from refusal_parity.statistics.results import join_notes, not_estimable, pairs_of
from refusal_parity.statistics.rounding import is_noise
from refusal_parity.statistics.uncounted import absent_levels
from refusal_parity.statistics.variances.by_unit import by_unit
from refusal_parity.statistics.variances.contrasts import pair_weights, t_tests
from refusal_parity.statistics.variances.cr2 import bias_reduced
from refusal_parity.statistics.variances.cr2_two_way import OneWay, both_ways, level_of, one_way
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.outcomes import Outcome
    from refusal_parity.statistics.designs.counts import Design, FloatArray
    from refusal_parity.statistics.designs.regressors import Absorbed
    from refusal_parity.statistics.results import Estimate

_CROSSED: Final = {Unit.NAME: "name", Unit.TEMPLATE: "template", Unit.SET: "template"}
_NOUNS: Final = _CROSSED | {Unit.LISTED: "prompt"}
"""Whose covariates a difference between levels can be adjusted for."""
_KEYS: Final = {"name": "name_id", "template": "template_id", "prompt": "template_id"}

RARER: Final = 8
"""Units of a list's level with an outcome, and without it, from which its adjusted test holds."""


def method_of(dimension: str) -> Method:
    """The method that adjusts differences between levels of a dimension."""
    return UNIT_ADJUSTED if DIMENSIONS[dimension].unit is Unit.LISTED else OLS_CR2_ADJUSTED


def covariates_of(
    observations: pl.DataFrame, dimension: str, analysis: AnalysisConfig
) -> list[str]:
    """The covariates that levels of a dimension can differ in: properties of its own unit."""
    noun = _NOUNS.get(DIMENSIONS[dimension].unit)
    if noun is None or not analysis.covariates:
        return []
    counts = observations.group_by(_KEYS[noun]).agg(
        pl.col(analysis.covariates).drop_nulls().n_unique()
    )
    return [each for each in analysis.covariates if not (counts[each] > 1).any()]


def adjusted(
    observations: pl.DataFrame,
    dimension: str,
    levels: Sequence[str],
    outcome: Outcome,
    analysis: AnalysisConfig,
) -> list[Estimate]:
    """Differences of levels with covariates held fixed, with the errors of `ols_cr2_two_way`.

    y = sum over levels of b_l [level = l] + sum of g_j x_j + template effects + e, by least
    squares; template effects as in `LeastSquares`. Bias-reduced errors by name and by
    template (`cr2.spread`, of levels and covariates together); degrees of freedom are the
    fewer of Welch's, which let levels vary unequally, and Satterthwaite's, which know what
    the covariates take up. Of a list there is a constant in the templates' place, and errors
    are by unit (`by_unit`).

    Args:
        observations: of one model; rows whose covariate is not known are left out, and the
            note says of how many names, templates or prompts, and of which levels.
        dimension: what the levels are.
        levels: all levels, the reference first.
        outcome: a yes-or-no reading, or a mean.
        analysis: the covariates, and alpha.

    Returns:
        One estimate for each pair of levels; none where no covariate is a property of what
        the levels are one of. Those of weighed rates of a list are not estimable.
    """
    names = covariates_of(observations, dimension, analysis)
    listed = DIMENSIONS[dimension].unit is Unit.LISTED
    if not names:
        return []
    if listed and outcome.is_weighed:
        why = "no count of weighed responses tells how far t can be trusted"
        return [
            not_estimable(UNIT_ADJUSTED, Estimand.RISK_DIFFERENCE, pair, why)
            for pair in pairs_of(levels)
        ]
    known = observations.drop_nulls(names)
    said = f"adjusted for {', '.join(names)}"
    lacking = _lacking(observations, known, dimension, levels)
    if lacking:
        said = f"{said}, without {lacking}"
    design = build_designs(known, dimension, levels, [outcome])[outcome]
    estimand = Estimand.RISK_DIFFERENCE if outcome.is_rate else Estimand.MEAN_DIFFERENCE
    lost = {
        level: f"{level} has nothing that {' and '.join(names)} is known of"
        for level in levels
        if level not in design.levels
    }
    every = build_designs(observations, dimension, levels, [outcome])[outcome]
    lost |= absent_levels(observations, dimension, levels, every.levels, outcome)
    lost |= too_few_clusters(design)
    rare = rare_levels(design) if listed and outcome.is_binary else {}
    kept = np.array([design.levels[at] not in lost for at in design.level], dtype=np.bool_)
    rows: dict[tuple[str, str], Estimate] = {}
    reason = "there is nothing to compare the reference with"
    if len(set(levels) - set(lost)) > 1:
        values = _values(known, dimension, names, outcome)[kept]
        found = differences(design.keep(kept), values, dimension, analysis.alpha)
        if isinstance(found, str):
            reason = found
        else:
            rows = {
                each.pair: replace(
                    each,
                    estimand=estimand,
                    few=join_notes(*(rare.get(level) for level in each.pair)),
                ).noting(said)
                for each in found
                if each.pair is not None
            }
    missing = {
        pair: ", ".join(lost[level] for level in reversed(pair) if level in lost) or reason
        for pair in pairs_of(levels)
        if pair not in rows
    }
    return [
        rows[pair]
        if pair in rows
        else not_estimable(method_of(dimension), estimand, pair, missing[pair]).noting(said)
        for pair in pairs_of(levels)
    ]


def _lacking(
    observations: pl.DataFrame, known: pl.DataFrame, dimension: str, levels: Sequence[str]
) -> str:
    """How many names, templates or prompts fall away for want of a covariate, and of whom."""
    noun = _NOUNS[DIMENSIONS[dimension].unit]
    every, left = (
        dict(
            rows.drop_nulls([dimension, "label"])
            .group_by(dimension)
            .agg(pl.col(_KEYS[noun]).n_unique())
            .iter_rows()
        )
        for rows in (observations, known)
    )
    lost = {level: every.get(level, 0) - left.get(level, 0) for level in levels}
    of_whom = [f"{number:,} of {level}" for level, number in lost.items() if number]
    if not of_whom:
        return ""
    return f"{counted(sum(lost.values()), noun)} that it is not known of ({', '.join(of_whom)})"


def rare_levels(design: Design) -> dict[str, str]:
    """Levels of a list whose rate is too near 0 or 1 for t to hold, each with a clause."""
    sides = [
        np.bincount(design.level[each > 0], minlength=len(design.levels))
        for each in (design.k, design.n - design.k)
    ]
    return {
        level: f"descriptive only: fewer than {RARER} prompts or sets of {level} have the outcome, "
        "or have it not, and with so few the interval is too narrow"
        for level, fewer in zip(design.levels, np.minimum(*sides), strict=True)
        if fewer < RARER
    }


def _values(
    known: pl.DataFrame, dimension: str, names: Sequence[str], outcome: Outcome
) -> FloatArray:
    """Covariates of each cell of the design, means over its responses, shape (cells, j)."""
    keys, quantity = [dimension, "name_id", "text_id"], outcome.quantity
    counted = (
        known.drop_nulls([dimension, "label"])
        if isinstance(quantity, Share)
        else known.drop_nulls(dimension).filter(counts_in_mean(quantity))
    )
    # In an order of their own, so that no mean hangs on that of the rows.
    cells = counted.group_by(keys).agg(pl.col(names).sort().mean())
    return cells.sort(keys).select(names).to_numpy().astype(np.float64)


def differences(
    design: Design, values: FloatArray, dimension: str, alpha: float
) -> list[Estimate] | str:
    """The differences of all pairs of levels, or the reason why there are none.

    Args:
        design: counts; every level has two clusters of each kind.
        values: covariates of each cell, shape (cells, j).
        dimension: what the levels are.
        alpha: 1 less the level of the intervals.
    """
    within = DIMENSIONS[dimension].unit is not Unit.TEMPLATE
    if not are_told_apart(design, template_effects=within):
        return "levels and templates cannot be told apart"
    found = regressors(design, values, dimension)
    if found is None:
        return "levels and covariates cannot be told apart, or a covariate does not vary"
    absorbed = found.absorbed
    x, bread, contrasts = absorbed.contrasts, absorbed.bread, len(design.levels) - 1
    coefficients = bread @ (x.T @ design.k)
    residual = design.k - design.n * (x @ coefficients + found.mean[absorbed.stratum])
    # Pairs of levels among all pairs of coefficients, in the same order.
    every = [(at, base) for base in range(len(bread) + 1) for at in range(base + 1, len(bread) + 1)]
    chosen = [place for place, (at, _) in enumerate(every) if at <= contrasts]
    weights = pair_weights(len(bread) + 1)[chosen].T
    method = method_of(dimension)
    if method is UNIT_ADJUSTED:
        errors = by_unit(absorbed, residual, codes_of(design.name), design.level, weights)
    else:
        errors = _two_way(design, absorbed, residual, weights, np.array(chosen))
    largest = np.einsum("ip,ij,jp->p", weights, bread, weights) * (design.k**2 / design.n).sum()
    variance = np.where(is_noise(errors.variance, largest), 0, errors.variance)
    answers = t_tests(
        method,
        tuple(pairs_of(design.levels)),
        (coefficients @ weights)[None],
        variance[None],
        errors.df[None],
        alpha,
    )
    return answers.of_study(0)


def _two_way(
    design: Design,
    absorbed: Absorbed,
    residual: FloatArray,
    weights: FloatArray,
    chosen: np.typing.NDArray[np.intp],
) -> OneWay:
    sides = [
        _side(design, absorbed, residual, cluster, weights, chosen)
        for cluster in (codes_of(design.name), codes_of(design.template))
    ]
    cells = len(np.unique(design.cell))
    moved = absorbed.influence @ weights
    scores = np.column_stack([np.bincount(design.cell, residual * each) for each in moved.T])
    spare = max(cells - absorbed.parameters, 1)
    return both_ways(sides[0], sides[1], (scores**2).sum(axis=0) * (cells / spare))


def _side(  # noqa: PLR0913, PLR0917 - a fit and how it is clustered
    design: Design,
    absorbed: Absorbed,
    residual: FloatArray,
    cluster: np.typing.NDArray[np.intp],
    weights: FloatArray,
    chosen: np.typing.NDArray[np.intp],
) -> OneWay:
    """Variances by one kind of cluster, with the fewer degrees of freedom of both kinds."""
    found = bias_reduced(absorbed, residual, cluster)
    terms, df = found.root @ weights, found.df[chosen]
    by_level = one_way(terms, df, level_of(design.level, cluster))
    return OneWay(by_level.variance, np.minimum(by_level.df, df))


OLS_CR2_ADJUSTED: Final = Method(
    "ols_cr2_adjusted",
    heading="Linear model with covariates, bias-reduced errors by template and name",
    estimands=(Estimand.RISK_DIFFERENCE,),
    scope=Scope.NEW_NAMES_AND_TEMPLATES,
    needs=Needs(units=frozenset(_CROSSED), names=2, templates=2, covariates=True),
    run=None,
)
UNIT_ADJUSTED: Final = Method(
    "unit_adjusted",
    heading="Linear model with covariates, bias-reduced errors by prompt",
    estimands=(Estimand.RISK_DIFFERENCE,),
    scope=Scope.NEW_PROMPTS,
    needs=Needs(designs=frozenset({DesignKind.NESTED}), prompts=2, covariates=True),
    run=None,
)
