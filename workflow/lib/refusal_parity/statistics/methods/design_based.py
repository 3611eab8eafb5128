"""Differences between levels, corrected for the machine's errors by human labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl

from refusal_parity.errors import InputError
from refusal_parity.factors import is_listed
from refusal_parity.statistics.correction import Audited, Corrected, correct_around
from refusal_parity.statistics.designs.counts import Design, clusters_of
from refusal_parity.statistics.designs.kinds import DesignKind
from refusal_parity.statistics.designs.observations import outcome_column
from refusal_parity.statistics.distributions import t_isf, t_sf
from refusal_parity.statistics.equivalence import two_one_sided
from refusal_parity.statistics.registry import Method, Needs
from refusal_parity.statistics.results import Estimate, Pair, not_estimable, pairs_of
from refusal_parity.statistics.variances.level_means import contrast, level_means
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.outcomes import Outcome
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.variances.level_means import LevelMeans

MIN_LABELS: Final = 20
"""Human labels that a level needs; with fewer the error of its correction is not known."""

MIN_EVENTS: Final = 5
"""Human labels with the outcome that a level needs, and as many without."""

_KEY: Final = ["model", "prompt_id", "sample"]


class _Fit(NamedTuple):
    """The corrected means of the levels that have enough labels."""

    means: LevelMeans
    corrected: Corrected


def with_human_labels(observations: pl.DataFrame, human: pl.DataFrame) -> pl.DataFrame:
    """Put the probability sample of human labels beside the observations.

    Args:
        observations: rows of `observe`.
        human: table of HumanLabels; rows without an inclusion probability (the
            informative set) or without an agreed label are no part of the sample.

    Returns:
        The observations with `human_label`, `weight` (1 / inclusion
        probability; both null outside the sample) and `stratum`.

    Raises:
        InputError: a human label is of a response that is not there.
    """
    sample = human.drop_nulls(["inclusion_probability", "label"]).select(
        *_KEY,
        pl.col("label").cast(pl.String).alias("human_label"),
        (1 / pl.col("inclusion_probability")).alias("weight"),
        "stratum",
    )
    strangers = sample.join(observations, on=_KEY, how="anti")
    if strangers.height:
        raise InputError(
            f"{strangers.height} human labels are of no response of this study, the first of "
            f"prompt {strangers['prompt_id'][0]!r}",
            where="human labels",
            remedy="Take labels of this study's own sample, or draw the sample anew.",
        )
    return observations.join(sample, on=_KEY, how="left", maintain_order="left")


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
    freedom. A level with fewer than `MIN_LABELS` human labels, or fewer than
    `MIN_EVENTS` with or without the outcome, is not estimable, and the note
    says how many are wanted and from which stratum; unless people labelled every
    row that the machine did.

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
        .then(outcome_column(outcome, "human_label").cast(pl.Float64))
        .alias("human"),
    )
    short = {
        level: reason
        for level in levels
        if (reason := _wanted(rows.filter(pl.col(dimension) == level), level)) is not None
    }
    fit = _fit(rows.filter(~pl.col(dimension).is_in(list(short))), dimension, levels)
    methods = UNIT_CORRECTED if is_listed(observations) else CORRECTED
    return [
        row for pair in pairs_of(levels) for row in _of_pair(fit, pair, short, analysis, methods)
    ]


def _wanted(rows: pl.DataFrame, level: str) -> str | None:
    """Which labels a level lacks, or None where it has enough."""
    if rows.is_empty():
        return f"{level} has no machine label"
    uncertain = rows.filter(~pl.col("filtered"))
    sample = uncertain.drop_nulls("human")
    if sample.height == uncertain.height and (sample["weight"] == 1).all():
        return None
    events = int(sample["human"].sum())
    others = sample.height - events
    lack = MIN_LABELS - sample.height
    place = level
    for has, reading in ((events, 1.0), (others, 0.0)):
        if has >= MIN_EVENTS:
            continue
        strata = (
            sample.group_by(pl.col("stratum").fill_null(level))
            .agg(hits=(pl.col("human") == reading).sum(), n=pl.len())
            .with_columns(share=(pl.col("hits") + 1) / (pl.col("n") + 2))
            .sort("share", "stratum", descending=[True, False])
        )
        hits, rows_drawn = strata.select("hits", "n").row(0) if strata.height else (0, 0)
        # In whole numbers: 5 / (1 / 3) may come out as a little more than 15.
        more = -(-(MIN_EVENTS - has) * (rows_drawn + 2) // (hits + 1))
        if more > lack:
            lack, place = more, strata["stratum"][0] if strata.height else level
    return f"{lack} more human labels needed in {place}" if lack > 0 else None


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
    return _Fit(level_means(_sums(rows, tuple(present), level, corrected.pseudo)), corrected)


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
    # Less what missing rows of some templates would add, as the pseudo-outcomes have it.
    rate = fit.corrected.rate - fit.means.raw + fit.means.mean
    difference = float(rate[ours] - rate[others])
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
    small = two_one_sided(
        difference, found.std_error, found.df, margin=analysis.margin, alpha=analysis.alpha
    )
    return [
        tested,
        replace(
            tested,
            method=small_of,
            ci_low=float(small.low),
            ci_high=float(small.high),
            statistic=float(small.statistic),
            p_value=float(small.p_value),
        ),
    ]


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
)
UNIT_CORRECTED: Final = (UNIT_DESIGN_BASED, UNIT_DESIGN_BASED_EQUIVALENCE)
"""The same of a prompt list."""
