"""What else the levels of a comparison differ in, and could make their difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.counting import enumerated
from refusal_parity.statistics.balance import ALL, CONSTANT, IMBALANCE
from refusal_parity.tables import Stimuli
from refusal_parity.text import known, level_words, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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


def could_explain(inputs: ReportInputs, model: str, contrasts: Iterable[Finding]) -> list[str]:
    """What else levels differ in, a sentence for each reference; none where nothing is known.

    Covariates that a difference was adjusted for have their own sentence.

    Args:
        inputs: the study's tables.
        model: whose count of tokens is named.
        contrasts: differences between two levels.
    """
    found: dict[tuple[str, str], dict[str, str]] = {}
    for each in contrasts:
        held = inputs.config.analysis.covariates if known(each.covariates_estimate) else []
        rows = unlike(inputs, each.dimension).filter(
            pl.col("model").cast(pl.String).is_in([ALL, model]),
            ~pl.col("property").is_in(held),
            group=each.group,
            reference=each.reference,
        )
        if len(rows):
            ours, others = (
                level_words(each.dimension, level or "") for level in (each.group, each.reference)
            )
            beside = ", beside what it is adjusted for" if held else ""
            apart = enumerated([named(row) for row in rows.to_dicts()])
            found.setdefault((others, beside), {})[ours] = apart
    return [_what_else(*key, levels) for key, levels in found.items()]


def _what_else(others: str, beside: str, levels: Mapping[str, str]) -> str:
    if len(levels) == 1:
        [(ours, apart)] = levels.items()
        return (
            f"What else differs between {ours} and {others}{beside}: {apart}. This could explain "
            "the difference as well."
        )
    said = "; ".join(f"{apart} in {ours}" for ours, apart in levels.items())
    return (
        f"What else differs from {others}{beside}: {said}. This could explain the differences as "
        "well."
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
