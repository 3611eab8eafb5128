"""Differences adjusted for covariates of names or of templates, beside the unadjusted ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl

from refusal_parity.counting import counted
from refusal_parity.dimensions import DIMENSIONS, Unit
from refusal_parity.factors import is_listed
from refusal_parity.quantities import Share
from refusal_parity.statistics.designs.counts import build_designs, codes_of
from refusal_parity.statistics.designs.outcome_columns import counts_in_mean
from refusal_parity.statistics.designs.regressors import (
    Absorbed,
    are_told_apart,
    too_few_clusters,
)
from refusal_parity.statistics.registry import Method, Needs
from refusal_parity.statistics.results import not_estimable, pairs_of
from refusal_parity.statistics.rounding import NOTHING, is_noise
from refusal_parity.statistics.variances.contrasts import pair_weights, t_tests
from refusal_parity.statistics.variances.cr2 import bias_reduced
from refusal_parity.statistics.variances.cr2_two_way import OneWay, both_ways, level_of, one_way
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.outcomes import Outcome
    from refusal_parity.statistics.designs.counts import Design, FloatArray
    from refusal_parity.statistics.results import Estimate

_KEYS: Final = {Unit.NAME: "name_id", Unit.TEMPLATE: "template_id", Unit.SET: "template_id"}
"""Whose covariates a difference between levels can be adjusted for."""


def covariates_of(
    observations: pl.DataFrame, dimension: str, analysis: AnalysisConfig
) -> list[str]:
    """The covariates that levels of a dimension can differ in: properties of its own unit.

    None where nothing has a name: a list's prompts are not adjusted.
    """
    key = _KEYS.get(DIMENSIONS[dimension].unit)
    if key is None or not analysis.covariates or is_listed(observations):
        return []
    counts = observations.group_by(key).agg(pl.col(analysis.covariates).drop_nulls().n_unique())
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
    the covariates take up.

    Args:
        observations: of one model; rows whose covariate is not known are left out, and the
            note says of how many names or templates.
        dimension: what the levels are.
        levels: all levels, the reference first.
        outcome: a yes-or-no reading, or a mean.
        analysis: the covariates, and alpha.

    Returns:
        One estimate for each pair of levels; none where no covariate is a property of what
        the levels are one of.
    """
    names = covariates_of(observations, dimension, analysis)
    if not names:
        return []
    known = observations.drop_nulls(names)
    said = f"adjusted for {', '.join(names)}"
    lacking = _lacking(observations, known, dimension)
    if lacking:
        said = f"{said}, without {lacking}"
    design = build_designs(known, dimension, levels, [outcome])[outcome]
    estimand = Estimand.RISK_DIFFERENCE if outcome.is_rate else Estimand.MEAN_DIFFERENCE
    lost = {level: f"{level} has no response" for level in levels if level not in design.levels}
    lost |= too_few_clusters(design)
    kept = np.array([design.levels[at] not in lost for at in design.level], dtype=np.bool_)
    rows: dict[tuple[str, str], Estimate] = {}
    reason = "there is nothing to compare the reference with"
    if len(set(levels) - set(lost)) > 1:
        values = _values(known, dimension, names, outcome)[kept]
        found = _tests(design.keep(kept), values, dimension, analysis.alpha)
        if isinstance(found, str):
            reason = found
        else:
            rows = {
                each.pair: replace(each, estimand=estimand).noting(said)
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
        else not_estimable(OLS_CR2_ADJUSTED, estimand, pair, missing[pair]).noting(said)
        for pair in pairs_of(levels)
    ]


def _lacking(observations: pl.DataFrame, known: pl.DataFrame, dimension: str) -> str:
    """How many names or templates fall away for want of a covariate, in words."""
    key = _KEYS[DIMENSIONS[dimension].unit]
    every = observations.drop_nulls([dimension, "label"])[key].n_unique()
    left = known.drop_nulls([dimension, "label"])[key].n_unique()
    noun = key.removesuffix("_id")
    return f"{counted(every - left, noun)} that it is not known of" if every > left else ""


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


class _Regressors(NamedTuple):
    """Contrasts of levels and covariates within strata, and the outcome's mean of each stratum."""

    absorbed: Absorbed
    mean: FloatArray


def _regressors(design: Design, values: FloatArray, dimension: str) -> _Regressors | None:
    """None where levels and covariates cannot be told apart, or one of these does not vary."""
    within = DIMENSIONS[dimension].unit is not Unit.TEMPLATE
    stratum = codes_of(design.template) if within else np.zeros(len(design.n), dtype=np.intp)
    total = np.bincount(stratum, design.n).astype(np.float64)

    def centred(columns: FloatArray) -> FloatArray:
        sums = [np.bincount(stratum, design.n * column) for column in columns.T]
        return np.asarray(columns - (np.column_stack(sums) / total[:, None])[stratum])

    def length(columns: FloatArray) -> FloatArray:
        return np.asarray(np.sqrt(design.n @ columns**2), dtype=np.float64)

    covariates = centred(values)
    if is_noise(length(covariates) ** 2, design.n @ values**2).any():
        return None
    dummies = np.eye(len(design.levels))[:, 1:][design.level]
    # Of one length, so that the units of covariates decide nothing.
    x = np.column_stack([centred(dummies), covariates / length(covariates)])
    weighted = np.sqrt(design.n)[:, None] * x
    sizes = np.linalg.svd(weighted / length(x), compute_uv=False)
    if sizes[-1] <= NOTHING * sizes[0]:
        return None
    absorbed = Absorbed(
        contrasts=x,
        bread=np.asarray(np.linalg.inv(weighted.T @ weighted), dtype=np.float64),
        n=design.n,
        variance=np.ones(len(design.n)),
        stratum=stratum,
        total=total,
    )
    return _Regressors(absorbed, np.bincount(stratum, design.k) / total)


def _tests(
    design: Design, values: FloatArray, dimension: str, alpha: float
) -> list[Estimate] | str:
    within = DIMENSIONS[dimension].unit is not Unit.TEMPLATE
    if not are_told_apart(design, template_effects=within):
        return "levels and templates cannot be told apart"
    found = _regressors(design, values, dimension)
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
    sides = [
        _side(design, absorbed, residual, cluster, weights, np.array(chosen))
        for cluster in (codes_of(design.name), codes_of(design.template))
    ]
    cells = len(np.unique(design.cell))
    moved = absorbed.influence @ weights
    scores = np.column_stack([np.bincount(design.cell, residual * each) for each in moved.T])
    spare = max(cells - absorbed.parameters, 1)
    both = both_ways(sides[0], sides[1], (scores**2).sum(axis=0) * (cells / spare))
    largest = np.einsum("ip,ij,jp->p", weights, bread, weights) * (design.k**2 / design.n).sum()
    variance = np.where(is_noise(both.variance, largest), 0, both.variance)
    answers = t_tests(
        OLS_CR2_ADJUSTED,
        tuple(pairs_of(design.levels)),
        (coefficients @ weights)[None],
        variance[None],
        both.df[None],
        alpha,
    )
    return answers.of_study(0)


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
    needs=Needs(units=frozenset(_KEYS), names=2, templates=2, covariates=True),
    run=None,
)
