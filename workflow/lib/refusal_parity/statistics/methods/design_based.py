"""Differences between levels, corrected for the machine's errors by human labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from refusal_parity.factors import is_listed
from refusal_parity.statistics.corrected_levels import CorrectedLevels, corrected_levels
from refusal_parity.statistics.designs.kinds import DesignKind
from refusal_parity.statistics.designs.outcome_columns import outcome_column, outcome_share
from refusal_parity.statistics.distributions import t_isf, t_sf
from refusal_parity.statistics.equivalence import rates_within
from refusal_parity.statistics.human_sample import unlabelled_part, wanted
from refusal_parity.statistics.registry import Method, Needs
from refusal_parity.statistics.results import Estimate, Pair, not_estimable, pairs_of
from refusal_parity.statistics.split_votes import split_votes
from refusal_parity.statistics.uncounted import absent_levels
from refusal_parity.statistics.variances.level_means import contrast
from refusal_parity.statistics.weighed_sample import unread
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.outcomes import Outcome


def design_based(
    observations: pl.DataFrame,
    dimension: str,
    levels: Sequence[str],
    outcome: Outcome,
    analysis: AnalysisConfig,
) -> list[Estimate]:
    """The corrected difference of each pair of levels, and whether it is shown to be small.

    d = difference of the corrected rates (`correction.correct`) over all rows
    with a machine label and those that the service refused, which are known to be
    refusals (`correction.correct_around`); its error is that of the pseudo-outcomes' means with
    names and templates as samples (`level_means.contrast`), which holds the
    error of the human sample too; t tests with Satterthwaite's degrees of
    freedom. Where people are evenly split, the reading is the share of their votes, and
    the note has the difference with all such rows read one way and the other. A level
    with fewer than `MIN_LABELS` human labels, or fewer than `MIN_EVENTS` with or without
    the outcome, is not estimable, and the note says how many are wanted and from which
    stratum; unless people labelled every row that the machine did.

    Args:
        observations: rows of `with_human_labels`, of one model; or those of `weighed_sample`,
            whose differences are of weighed rates.
        dimension: column whose levels are compared.
        levels: all levels, the reference first.
        outcome: a yes-or-no reading.
        analysis: alpha and margin.

    Returns:
        Rows of both methods for each pair of levels.
    """
    kept, short = read_by_people(observations, dimension, levels, outcome)
    fit = corrected_levels(kept, dimension, levels)
    methods = UNIT_CORRECTED if is_listed(observations) else CORRECTED
    return [
        row if row.is_missing else row.noting(split_votes(kept, dimension, levels, pair))
        for pair in pairs_of(levels)
        for row in _of_pair(fit, pair, short, analysis, methods)
    ]


def read_by_people(
    observations: pl.DataFrame, dimension: str, levels: Sequence[str], outcome: Outcome
) -> tuple[pl.DataFrame, dict[str, str]]:
    """The rows of levels with enough human labels, read by both, and why others have too few.

    Args:
        observations: see `design_based`.
        dimension: column of the levels.
        levels: those asked for.
        outcome: a yes-or-no reading.

    Returns:
        Rows with the readings `machine` and `human`, and a reason by level.
    """
    rows = observations.drop_nulls([dimension, "machine_label"]).with_columns(
        outcome_column(outcome, "machine_label").cast(pl.Float64).alias("machine"),
        pl.when(~pl.col("filtered"))
        .then(outcome_share(outcome, "human_label", "human_split"))
        .alias("human"),
    )
    # A sample of weighed responses holds labelled ones alone.
    short = (
        absent_levels(
            observations,
            dimension,
            levels,
            # Imported labels count, and no machine gave them.
            {*rows[dimension], *observations.drop_nulls([dimension, "label"])[dimension]},
            outcome,
        )
        if "exclusion" in observations.columns
        else {}
    )
    short |= {
        level: reason
        for level in levels
        if level not in short
        for part in (rows.filter(pl.col(dimension) == level),)
        if (reason := unread(part, level) or _wanted(part, level) or unlabelled_part(part, level))
        is not None
    }
    return rows.filter(~pl.col(dimension).is_in(list(short))), short


def _wanted(part: pl.DataFrame, level: str) -> str | None:
    lack = wanted(part, level)
    return None if lack is None else lack.words


def _of_pair(
    fit: CorrectedLevels | None,
    pair: Pair,
    short: Mapping[str, str],
    analysis: AnalysisConfig,
    methods: tuple[Method, Method],
) -> list[Estimate]:
    estimand = Estimand.RISK_DIFFERENCE
    reasons = [short[level] for level in reversed(pair) if level in short]
    if reasons or fit is None:
        reason = ", ".join(dict.fromkeys(reasons))
        return [not_estimable(method, estimand, pair, reason) for method in methods]
    levels = fit.means.levels
    weights = np.zeros(len(levels))
    ours, others = fit.places(pair)
    weights[[ours, others]] = 1, -1
    extra = float(fit.corrected.extra[[ours, others]].sum())
    difference_of, small_of = methods
    # Of a prompt list the unit stands in the name's place, and that is all there is.
    listed = difference_of.scope is Scope.NEW_PROMPTS
    scope = Scope.NEW_NAMES if listed else difference_of.scope
    found = contrast(fit.means, weights, scope, extra=extra)
    if found is None:
        reason = f"one {'prompt' if listed else 'name or template'}, or nothing varies"
        return [not_estimable(method, estimand, pair, reason) for method in methods]
    difference = fit.difference(pair)
    statistic = difference / found.std_error
    half_width = float(t_isf(analysis.alpha / 2, found.df)) * found.std_error
    tested = Estimate(
        method=difference_of,
        estimand=estimand,
        group=pair.group,
        reference=pair.reference,
        estimate=difference,
        std_error=found.std_error,
        df=found.df,
        ci_low=difference - half_width,
        ci_high=difference + half_width,
        statistic=statistic,
        p_value=float(2 * t_sf(abs(statistic), found.df)),
    )
    rates = fit.two_rates(pair, scope, found.std_error)
    small = rates_within(rates, np.array([found.df]), margin=analysis.margin, alpha=analysis.alpha)
    return [
        tested,
        replace(
            tested,
            method=small_of,
            ci_low=float(small.low[0]),
            ci_high=float(small.high[0]),
            statistic=float(small.statistic[0]),
            p_value=float(small.p_value[0]),
        ),
    ]


def _declared(key: str, heading: str, *, listed: bool = False, of_margin: bool = False) -> Method:
    """One of the methods whose rows `design_based` gives."""
    of_list = Needs(designs=frozenset({DesignKind.NESTED}), binary=True, people=True, prompts=2)
    return Method(
        key,
        heading=heading,
        estimands=(Estimand.RISK_DIFFERENCE,),
        scope=Scope.NEW_PROMPTS if listed else Scope.NEW_NAMES_AND_TEMPLATES,
        needs=of_list if listed else Needs(binary=True, people=True),
        run=None,
        of_margin=of_margin,
    )


DESIGN_BASED: Final = _declared("design_based", "Corrected by human labels")
DESIGN_BASED_EQUIVALENCE: Final = _declared(
    "design_based_equivalence", "Equivalence test, corrected by human labels", of_margin=True
)
CORRECTED: Final = (DESIGN_BASED, DESIGN_BASED_EQUIVALENCE)
"""What `design_based` gives rows of."""

UNIT_DESIGN_BASED: Final = _declared(
    "unit_design_based", "Corrected by human labels, errors by prompt", listed=True
)
UNIT_DESIGN_BASED_EQUIVALENCE: Final = _declared(
    "unit_design_based_equivalence",
    "Equivalence test, corrected by human labels, errors by prompt",
    listed=True,
    of_margin=True,
)
UNIT_CORRECTED: Final = (UNIT_DESIGN_BASED, UNIT_DESIGN_BASED_EQUIVALENCE)
"""The same of a prompt list."""
