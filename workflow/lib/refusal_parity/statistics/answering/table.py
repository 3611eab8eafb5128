"""The table of findings: what the study answers to each of its questions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.answering.across_models import share_out, within_models
from refusal_parity.statistics.answering.between_models import between_models
from refusal_parity.statistics.answering.finding import Finding, Row
from refusal_parity.statistics.answering.interactions import of_factors
from refusal_parity.statistics.answering.questions import Question
from refusal_parity.statistics.losses.left_out import left_out_warning
from refusal_parity.statistics.methods.design_based import CORRECTED, UNIT_CORRECTED
from refusal_parity.statistics.validity import why_no_finding
from refusal_parity.tables import Findings, conform

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.answering.across_models import Shared


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The tables that findings rest on, of one model or several; see `tables`."""

    rates: pl.DataFrame
    lengths: pl.DataFrame
    propensity_levels: pl.DataFrame
    quality: pl.DataFrame
    disparity: pl.DataFrame
    interactions: pl.DataFrame
    exclusions: pl.DataFrame
    losses: pl.DataFrame
    bounds: pl.DataFrame
    selfcheck: pl.DataFrame
    comparison: pl.DataFrame


def findings(given: Evidence, analysis: AnalysisConfig) -> dy.DataFrame[Findings]:
    """Answer each question of a study.

    Questions are, for each model, outcome and dimension, whether the levels differ at
    all, whether each differs from the reference, and for the primary family whether any
    other two differ; and for dimensions of names each difference from the reference at every
    level of a crossed factor, and whether it differs between two of these. For models
    against each other: whether their rates differ, and whether their differences between
    levels do.

    Args:
        given: the tables of all models.
        analysis: outcomes, dimensions with their references, alpha, margins, primary family.

    Returns:
        Table of Findings, in the order of the models, dimensions and outcomes; last those
        of models against each other.
    """
    of_models = {
        str(model): part
        for (model,), part in given.disparity.group_by("model", maintain_order=True)
    }
    shared = None
    together = analysis.across_models != "none"
    if together or _by_people(given.disparity):
        families = {
            model: [
                found
                for found in _of_model(model, part, given, analysis)
                if _decides(found, analysis)
            ]
            for model, part in of_models.items()
        }
        share = share_out if together else within_models
        shared = share(families, given.disparity, analysis)
    rows = [
        vars(found)
        for model, part in of_models.items()
        for found in _of_model(model, part, given, analysis, shared)
    ]
    rows += [vars(found) for found in between_models(given.comparison, analysis)]
    schema = {
        name: pl.String() if isinstance(column.dtype, pl.Enum) else column.dtype
        for name, column in Findings.columns().items()
    }
    return conform(pl.DataFrame(rows, schema=schema), Findings, where="findings")


def _of_model(
    model: str,
    disparity: pl.DataFrame,
    given: Evidence,
    analysis: AnalysisConfig,
    shared: Shared | None = None,
) -> Iterator[Finding]:
    """All findings of one model, alone or as one of all; its rows are sorted out once."""
    tests = _by_question(disparity)
    counts = _by_question(_counts(given, model))
    bounds = _by_question(given.bounds.filter(pl.col("model") == model))
    checked = _by_question(given.selfcheck.filter(pl.col("model") == model))
    crossed = _by_question(given.interactions.filter(pl.col("model") == model))
    exclusions, losses = (
        frame.filter(pl.col("model") == model) for frame in (given.exclusions, given.losses)
    )
    for dimension, of_dimension in analysis.dimensions.items():
        warning = left_out_warning(exclusions, losses, dimension, analysis)
        for outcome in analysis.outcomes:
            key = (str(outcome), str(dimension))
            rows_of_key = tests.get(key, [])
            if shared is not None and analysis.is_primary(*key):
                rows_of_key = [shared.held(model, row) for row in rows_of_key]
            question = Question(
                start=Finding(
                    model=model,
                    outcome=str(outcome),
                    dimension=str(dimension),
                    primary=(outcome, dimension)
                    == (analysis.primary_family.outcome, analysis.primary_family.dimension),
                    margin=analysis.margin_of(outcome),
                ),
                tests=rows_of_key,
                counts={row["group"]: row for row in counts.get(key, [])},
                overall=next(iter(counts.get((str(outcome), "all"), [])), {}),
                bounds=bounds.get(key, []),
                checked=checked.get(key, []),
                alpha=analysis.alpha,
            )
            reference = of_dimension.reference
            pairs = question.pairs(None if question.start.primary else reference)
            against = [each for each in pairs if each.reference == reference]
            found = [
                replace(question.whole(against), warning=warning),
                *pairs,
                *of_factors(crossed.get(key, []), question.start, analysis.alpha),
            ]
            why = why_no_finding(str(outcome))
            yield from found if why is None else (each.described(why) for each in found)


def _decides(found: Finding, analysis: AnalysisConfig) -> bool:
    """Whether it is of the primary family: a level against the reference over all responses."""
    reference = analysis.dimensions[found.dimension].reference
    return found.primary and found.factor is None and found.reference == reference


def _by_people(disparity: pl.DataFrame) -> bool:
    """Whether people's labels decide anything."""
    methods = [str(method) for each in (CORRECTED, UNIT_CORRECTED) for method in each]
    tested = disparity.filter(pl.col("p_value").is_not_null())
    return bool(tested["method"].cast(pl.String).is_in(methods).any())


def _by_question(frame: pl.DataFrame) -> dict[tuple[str, str], list[Row]]:
    """Rows by outcome and dimension, with words as plain text."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in frame.with_columns(pl.col(pl.Enum).cast(pl.String)).iter_rows(named=True):
        found.setdefault((row["outcome"], row["dimension"]), []).append(row)
    return found


def _counts(given: Evidence, model: str) -> pl.DataFrame:
    """Names, templates and the rate or mean of each level and of all."""
    columns = ["outcome", "dimension", "group", "n", "n_names", "n_templates", "rate", "note"]
    rates = given.rates.filter(pl.col("model") == model, pl.col("within") == "all")
    lengths = given.lengths.filter(pl.col("model") == model)
    odds = given.propensity_levels.filter(pl.col("model") == model)
    return pl.concat(
        [
            rates.select(columns),
            odds.with_columns(
                outcome=pl.lit(str(Outcome.PROPENSITY)), rate=pl.col("log_odds")
            ).select(columns),
            odds.with_columns(
                outcome=pl.lit(str(Outcome.WEIGHED_REFUSAL)),
                n=pl.col("n_weighed"),
                rate=pl.col("weighed_rate"),
            ).select(columns),
            lengths.with_columns(
                outcome=pl.lit(str(Outcome.ANSWER_LENGTH)), rate=pl.col("mean")
            ).select(columns),
            given.quality.filter(pl.col("model") == model)
            .with_columns(pl.col("outcome").cast(pl.String), rate=pl.col("mean"))
            .select(columns),
        ]
    )
