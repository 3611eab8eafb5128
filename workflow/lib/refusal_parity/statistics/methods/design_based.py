"""Differences between levels, corrected for the machine's errors by human labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl

from refusal_parity.factors import is_listed
from refusal_parity.statistics.correction import Audited, Corrected, correct_around
from refusal_parity.statistics.designs.counts import Design, clusters_of
from refusal_parity.statistics.designs.kinds import DesignKind
from refusal_parity.statistics.designs.outcome_columns import outcome_column, outcome_share
from refusal_parity.statistics.distributions import t_isf, t_sf
from refusal_parity.statistics.equivalence import rates_within
from refusal_parity.statistics.human_sample import wanted
from refusal_parity.statistics.proportions import TwoRates
from refusal_parity.statistics.registry import Method, Needs
from refusal_parity.statistics.results import Estimate, Pair, not_estimable, pairs_of
from refusal_parity.statistics.variances.effective import worth_at_most
from refusal_parity.statistics.variances.level_means import contrast, level_means
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.outcomes import Outcome
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.variances.level_means import LevelMeans

SPLIT_NOTE: Final = "people are split on"
"""How a note on votes without a majority begins."""


class _Fit(NamedTuple):
    """The corrected means of the levels that have enough labels, and their responses."""

    means: LevelMeans
    corrected: Corrected
    responses: FloatArray


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
        observations: rows of `with_human_labels`, of one model.
        dimension: column whose levels are compared.
        levels: all levels, the reference first.
        outcome: a yes-or-no reading.
        analysis: alpha and margin.

    Returns:
        Rows of both methods for each pair of levels.
    """
    rows = observations.drop_nulls([dimension, "machine_label"]).with_columns(
        outcome_column(outcome, "machine_label").cast(pl.Float64).alias("machine"),
        pl.when(~pl.col("filtered"))
        .then(outcome_share(outcome, "human_label", "human_split"))
        .alias("human"),
    )
    short = {
        level: reason
        for level in levels
        if (reason := wanted(rows.filter(pl.col(dimension) == level), level)) is not None
    }
    kept = rows.filter(~pl.col(dimension).is_in(list(short)))
    fit = _fit(kept, dimension, levels)
    methods = UNIT_CORRECTED if is_listed(observations) else CORRECTED
    return [
        row if row.is_missing else row.noting(split_votes(kept, dimension, levels, pair))
        for pair in pairs_of(levels)
        for row in _of_pair(fit, pair, short, analysis, methods)
    ]


def split_votes(
    rows: pl.DataFrame, dimension: str, levels: Sequence[str], pair: Pair
) -> str | None:
    """What the rows on which people are split could make of a difference; None without any.

    Args:
        rows: with the readings `machine` and `human`, the latter a share of votes.
        dimension: column of the levels.
        levels: those compared.
        pair: of levels.
    """
    is_split = (pl.col("human") > 0) & (pl.col("human") < 1)
    counts = {level: len(rows.filter(is_split, pl.col(dimension) == level)) for level in pair}
    if not any(counts.values()):
        return None
    ends = []
    for group in (0.0, 1.0):
        read = pl.when(pl.col(dimension) == pair.group).then(group).otherwise(1 - group)
        fit = _fit(
            rows.with_columns(human=pl.when(is_split).then(read).otherwise("human")),
            dimension,
            levels,
        )
        assert fit is not None  # noqa: S101 - rows that are split are there
        ends.append(_difference(fit, pair))
    said = " and ".join(f"{count} of {level}" for level, count in counts.items() if count)
    return (
        f"{SPLIT_NOTE} {said}, which count by the share of their votes (all read one way, the "
        f"difference is {100 * ends[0]:+.1f} points, all the other way {100 * ends[1]:+.1f})"
    )


def _difference(fit: _Fit, pair: Pair) -> float:
    """The corrected difference, less what missing rows of some templates would add."""
    rate = fit.corrected.rate - fit.means.raw + fit.means.mean
    ours, others = (fit.means.levels.index(level) for level in (pair.group, pair.reference))
    return float(rate[ours] - rate[others])


def _fit(rows: pl.DataFrame, dimension: str, levels: Sequence[str]) -> _Fit | None:
    present = [level for level in levels if level in set(rows[dimension])]
    if not present:
        return None
    code = {level: at for at, level in enumerate(present)}
    level = np.array([code[each] for each in rows[dimension]], dtype=np.intp)
    drawn = pl.col("human").is_not_null()
    corrected = correct_around(
        Audited(
            level=level,
            machine=rows["machine"].to_numpy(),
            human=rows["human"].fill_null(0).to_numpy(),
            weight=rows.select(pl.when(drawn).then("weight").fill_null(0)).to_series().to_numpy(),
        ),
        known=rows["filtered"].to_numpy(),
    )
    return _Fit(
        level_means(_sums(rows, tuple(present), level, corrected.pseudo)),
        corrected,
        np.bincount(level).astype(np.float64),
    )


def _sums(
    rows: pl.DataFrame, levels: tuple[str, ...], level: np.typing.NDArray[np.intp], y: FloatArray
) -> Design:
    """Sums of a quantity by level, name and template."""
    name, template = clusters_of(rows)
    at = (level * (int(name.max()) + 1) + name) * (int(template.max()) + 1) + template
    _, first, cell = np.unique(at, return_index=True, return_inverse=True)
    n, total = (np.bincount(cell, each).astype(np.float64) for each in (None, y))
    return Design(levels, level[first], name[first], template[first], n, total)


def _of_pair(
    fit: _Fit | None,
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
    ours, others = levels.index(pair.group), levels.index(pair.reference)
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
    difference = _difference(fit, pair)
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
    rates = _two_rates(fit, (ours, others), scope, found.std_error)._replace(
        difference=np.array([difference])
    )
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


def _two_rates(fit: _Fit, pair: tuple[int, int], scope: Scope, std_error: float) -> TwoRates:
    """Two corrected rates, at the numbers of responses that their own errors are worth.

    Args:
        fit: of all levels.
        pair: codes of both.
        scope: to what a result is to generalise.
        std_error: of their difference, which tells what errors they have in common.
    """
    means, corrected, responses = fit
    own = [
        contrast(means, each, scope, extra=float(extra))
        for each, extra in zip(np.eye(len(means.levels)), corrected.extra, strict=True)
    ]
    variance = np.array([0.0 if each is None else each.std_error**2 for each in own])
    rate = np.clip(corrected.rate, 0, 1)
    spread = np.where(variance > 0, rate * (1 - rate), 0)
    n = worth_at_most(spread[None], variance[None], responses)[0]
    ours, others = pair
    both = variance[ours] * variance[others]
    shared = (variance[ours] + variance[others] - std_error**2) / 2
    correlation = np.clip(shared / np.sqrt(both), 0, 1) if both > 0 else 0.0
    return TwoRates(
        difference=rate[[ours]] - rate[[others]],
        rate=rate[[ours]],
        reference=rate[[others]],
        n=n[[ours]],
        n_reference=n[[others]],
        correlation=np.array([correlation]),
    )


_PEOPLE: Final = Needs(binary=True, people=True)
DESIGN_BASED: Final = Method(
    "design_based",
    heading="Corrected by human labels",
    estimands=(Estimand.RISK_DIFFERENCE,),
    scope=Scope.NEW_NAMES_AND_TEMPLATES,
    needs=_PEOPLE,
    run=None,
)
DESIGN_BASED_EQUIVALENCE: Final = Method(
    "design_based_equivalence",
    heading="Equivalence test, corrected by human labels",
    estimands=(Estimand.RISK_DIFFERENCE,),
    scope=Scope.NEW_NAMES_AND_TEMPLATES,
    needs=_PEOPLE,
    run=None,
    of_margin=True,
)
CORRECTED: Final = (DESIGN_BASED, DESIGN_BASED_EQUIVALENCE)
"""What `design_based` gives rows of."""

_PEOPLE_OF_LIST: Final = Needs(
    designs=frozenset({DesignKind.NESTED}), binary=True, people=True, prompts=2
)
UNIT_DESIGN_BASED: Final = Method(
    "unit_design_based",
    heading="Corrected by human labels, errors by prompt",
    estimands=(Estimand.RISK_DIFFERENCE,),
    scope=Scope.NEW_PROMPTS,
    needs=_PEOPLE_OF_LIST,
    run=None,
)
UNIT_DESIGN_BASED_EQUIVALENCE: Final = Method(
    "unit_design_based_equivalence",
    heading="Equivalence test, corrected by human labels, errors by prompt",
    estimands=(Estimand.RISK_DIFFERENCE,),
    scope=Scope.NEW_PROMPTS,
    needs=_PEOPLE_OF_LIST,
    run=None,
    of_margin=True,
)
UNIT_CORRECTED: Final = (UNIT_DESIGN_BASED, UNIT_DESIGN_BASED_EQUIVALENCE)
"""The same of a prompt list."""
