"""What else the levels of a comparison differ in, and could make their difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.counting import enumerated
from refusal_parity.statistics.balance import ALL, CONSTANT, IMBALANCE
from refusal_parity.tables import Stimuli
from refusal_parity.text import known, level_words, plain

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs, Row
    from refusal_parity.statistics.answering.finding import Finding

_COUNTS: Final = frozenset({"letters", "tokens"})


def unlike(inputs: ReportInputs, dimension: str) -> pl.DataFrame:
    """Rows of properties in which a level is apart from the reference, by `IMBALANCE`.

    Args:
        inputs: the study's tables.
        dimension: what the levels are.
    """
    apart = (pl.col("std_difference").abs() > IMBALANCE) | pl.col("note").eq_missing(CONSTANT)
    return inputs[Stimuli].filter(apart, dimension=dimension)


def could_explain(inputs: ReportInputs, model: str, contrast: Finding) -> str | None:
    """A sentence on what else two levels differ in; None where nothing is known of it.

    Covariates that the difference was adjusted for have their own sentence.

    Args:
        inputs: the study's tables.
        model: whose count of tokens is named.
        contrast: a difference between two levels.
    """
    adjusted = known(contrast.covariates_estimate)
    held = inputs.config.analysis.covariates if adjusted else []
    rows = unlike(inputs, contrast.dimension).filter(
        pl.col("model").cast(pl.String).is_in([ALL, model]),
        ~pl.col("property").is_in(held),
        group=contrast.group,
        reference=contrast.reference,
    )
    if rows.is_empty():
        return None
    ours, others = (
        level_words(contrast.dimension, level or "")
        for level in (contrast.group, contrast.reference)
    )
    apart = enumerated([named(row) for row in rows.to_dicts()])
    beside = ", beside what it is adjusted for" if held else ""
    return (
        f"What else differs between {ours} and {others}{beside}: {apart}. This could explain the "
        "difference as well."
    )


def named(row: Row) -> str:
    """A property in a sentence: `more tokens for m`, `gender man in a lower share of names`."""
    more = row["mean"] > row["mean_reference"]
    key = row["property"]
    if key in _COUNTS:
        of_model = "" if row["model"] == ALL else f" for {row['model']}"
        return plain(f"{'more' if more else 'fewer'} {key}{of_model}")
    much = "higher" if more else "lower"
    factor, _, level = key.partition(": ")
    return plain(f"{factor} {level} in a {much} share of names" if level else f"{much} {key}")
