"""Outcomes of responses: as columns, as counts and as sums over cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.quantities import LogOdds, Mean, Share, WeighedRate
from refusal_parity.vocabulary import SPLIT, UNDECIDED, Label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refusal_parity.outcomes import Outcome


def outcome_column(outcome: Outcome, column: str = "label") -> pl.Expr:
    """Whether a response has the outcome; null where it has no label.

    Args:
        outcome: a yes-or-no reading.
        column: column of the label that is read.
    """
    labels = sorted(_labels_of(outcome))
    return pl.col(column).cast(pl.String).is_in(labels).alias(outcome)


def outcome_share(outcome: Outcome, label: str, split: str) -> pl.Expr:
    """Share of people's votes that have the outcome; null where nobody voted.

    Who is undecided counts as half a vote for it.

    Args:
        outcome: a yes-or-no reading.
        label: column of the label that most give.
        split: column of all labels, where none is that of most.
    """
    has = pl.element().is_in(sorted(_labels_of(outcome))).cast(pl.Float64)
    counts = pl.when(pl.element() == UNDECIDED).then(0.5).otherwise(has)
    votes = pl.col(split).str.split(SPLIT)
    agreed = outcome_column(outcome, label).cast(pl.Float64)
    return pl.coalesce(agreed, votes.list.eval(counts).list.mean())


def _labels_of(outcome: Outcome) -> frozenset[Label]:
    quantity = outcome.quantity
    assert not isinstance(quantity, LogOdds | WeighedRate)  # noqa: S101 - no label has it
    return quantity.labels


def with_outcome(observations: pl.DataFrame, outcome: Outcome) -> pl.DataFrame:
    """The labelled observations with the outcome as a column of its own name.

    An unlabelled response leaves the denominator: it is never a compliance.
    """
    return observations.filter(pl.col("label").is_not_null()).with_columns(outcome_column(outcome))


def count_outcomes(
    observations: pl.DataFrame, keys: Sequence[str], outcomes: Sequence[Outcome]
) -> pl.DataFrame:
    """Labelled responses (`n`) and those with each outcome, for each combination of keys.

    Args:
        observations: rows of `observe`.
        keys: columns to count by.
        outcomes: yes-or-no readings of the labels.

    Returns:
        The keys, `n`, and one count column named after each outcome; sorted by
        the keys. A combination with nothing but unlabelled responses has n = 0.
    """
    return (
        observations.group_by(keys)
        .agg(
            pl.col("label").count().cast(pl.Int64).alias("n"),
            *(outcome_column(outcome).sum().cast(pl.Int64) for outcome in outcomes),
        )
        .sort(keys)
    )


def sum_measure(observations: pl.DataFrame, keys: Sequence[str], outcome: Outcome) -> pl.DataFrame:
    """What a mean is taken over (`n`) and the sum of what is measured, by keys.

    Responses, or the prompts themselves where these have a number of their own.

    Args:
        observations: rows of `observe`.
        keys: columns to count by.
        outcome: a mean.

    Returns:
        The keys, `n`, and the sum under the outcome's name; sorted by the keys.
        A combination without such a response has no row. Of what is measured with an error
        of known variance also `noise`, the variance of the sum, and `step`, the sum of what
        one response may move each prompt's by.
    """
    quantity = outcome.quantity
    assert not isinstance(quantity, Share)  # noqa: S101 - a rate is counted by count_outcomes
    errors = (
        {"noise": pl.col(quantity.variance).sum(), "step": pl.col(quantity.step).sum()}
        if isinstance(quantity, WeighedRate)
        else {}
    )
    return (
        observations.filter(counts_in_mean(quantity))
        .group_by(keys)
        .agg(
            pl.len().cast(pl.Int64).alias("n"),
            pl.col(quantity.column).sum().alias(outcome),
            **errors,
        )
        .sort(keys)
    )


def counts_in_mean(quantity: Mean | LogOdds | WeighedRate) -> pl.Expr:
    """Whether a row of observations has what a mean is taken over."""
    measured = pl.col(quantity.column).is_not_null()
    if not isinstance(quantity, Mean):
        return measured
    return measured & pl.col("label").is_in(sorted(quantity.labels))
