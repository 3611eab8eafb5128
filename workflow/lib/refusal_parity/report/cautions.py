"""What a finding has to be read with: what is missing, filtered, left out or not corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.outcomes import Outcome, Share
from refusal_parity.report.contrasts import reason_of
from refusal_parity.tables import Bounds, Responses
from refusal_parity.text import (
    count,
    interval,
    known,
    level_words,
    p_equals,
    percent,
    plain,
    points,
)
from refusal_parity.vocabulary import Exclusion, Label, Reading

if TYPE_CHECKING:
    from refusal_parity.report.contrasts import Contrast
    from refusal_parity.report.inputs import ReportInputs, Row

Key = tuple[str, Outcome, str]
"""Model, outcome and dimension."""


def cautions(inputs: ReportInputs, key: Key, found: list[Contrast]) -> list[str]:
    """Sentences on groups without a number, the service's filter, left-out responses, people."""
    shown = [contrast for contrast in found if contrast.shown]
    return [
        *_missing(found, key[2]),
        *(sentence for each in shown if (sentence := _rests_on_filter(inputs, key, each))),
        *(sentence for each in shown if (sentence := _rests_on_left_out(inputs, key, each))),
        *_uncorrected(found, key[2]),
    ]


def filtered_at(
    inputs: ReportInputs, model: str, outcome: Outcome, dimension: str
) -> dict[str, int]:
    """How many of each level's outcomes are the filter's; empty where it counts in none."""
    if not inputs.counts_filtered or not counts_refusals(outcome):
        return {}
    ledger = inputs.ledger(model, dimension)
    return {level: reasons.get(Exclusion.FILTERED, 0) for level, reasons in ledger.items()}


def counts_refusals(outcome: Outcome) -> bool:
    """Whether a refusal has the outcome, and so one by the service."""
    quantity = outcome.quantity
    return isinstance(quantity, Share) and Label.REFUSAL in quantity.labels


def _missing(found: list[Contrast], dimension: str) -> list[str]:
    return [
        f"Not estimable for {level_words(dimension, contrast.group)}: "
        f"{reason_of(plain(contrast.note or 'no number could be computed'))}."
        for contrast in found
        if contrast.estimate is None
    ]


def _uncorrected(found: list[Contrast], dimension: str) -> list[str]:
    """Where human labels are too few to take the machine's errors out, and how many are wanting."""
    reasons: dict[str, list[str]] = {}
    for contrast in found:
        if contrast.uncorrected is not None:
            reasons.setdefault(plain(contrast.uncorrected), []).append(contrast.group)
    return [
        f"For {', '.join(level_words(dimension, group) for group in groups)} the difference is "
        "that of the machine's labels, whose errors the human labels of responses drawn by chance "
        f"do not correct: {reason}."
        for reason, groups in reasons.items()
    ]


def _rests_on_filter(inputs: ReportInputs, key: Key, contrast: Contrast) -> str | None:
    """Which share of the refusals behind a difference is the service's, and the rates without."""
    model, outcome, dimension = key
    filtered = filtered_at(inputs, *key)
    rates = inputs.rates_by_level(*key)
    pair = [contrast.group, contrast.reference]
    if not any(filtered.get(level) for level in pair) or not all(level in rates for level in pair):
        return None
    noun = "refusals" if outcome is Outcome.REFUSAL else "these responses"
    shares, rest, silent = [], [], []
    for level in pair:
        words, by_service = level_words(dimension, level), filtered.get(level, 0)
        k, n = rates[level]["k"], rates[level]["n"]
        shares.append(
            f"{count(by_service)} of the {count(k)} {noun} for {words}"
            if k
            else f"none for {words}, which had none"
        )
        if n > by_service:
            rest.append(f"{percent((k - by_service) / (n - by_service))} for {words}")
        else:
            silent.append(words)
    without = (
        f"For {' and '.join(silent)} it let nothing through, so nothing is known of what the model "
        "itself would do."
        if silent
        else f"Of what it let through the rates are {' and '.join(rest)}."
    )
    return (
        f"The service's own filter{_named(inputs, model)} is behind {shares[0]} and {shares[1]}. "
        f"{without}"
    )


def _named(inputs: ReportInputs, model: str) -> str:
    """The reasons that a service gave for what it refused, the most frequent two."""
    if inputs[Responses].is_empty():
        return ""
    reasons = (
        inputs[Responses]
        .filter(pl.col("model") == model, pl.col("status").cast(pl.String) == Exclusion.FILTERED)[
            "refusal_reason"
        ]
        .drop_nulls()
        .value_counts(sort=True)["refusal_reason"]
        .to_list()
    )
    more = f" and {len(reasons) - 2} more" if len(reasons) > 2 else ""  # noqa: PLR2004 - two named
    return f" ({', '.join(map(plain, reasons[:2]))}{more})" if reasons else ""


def _rests_on_left_out(inputs: ReportInputs, key: Key, contrast: Contrast) -> str | None:
    """Says that a difference would not be shown were the left-out responses read against it."""
    more = (contrast.estimate or 0) > 0
    row = bound(inputs, key, contrast, Reading.LOWEST if more else Reading.HIGHEST)
    if row is None or not known(row["estimate"]):
        return None
    kept = (row["estimate"] > 0) == more and row["estimate"] != 0
    p = row["p_adjusted"]
    if kept and (p is None or p < inputs.config.analysis.alpha):
        return None
    lost = row["left_group"] + row["left_reference"]
    tested = (
        f", interval {interval(row['ci_low'], row['ci_high'])}, adjusted {p_equals(p)}"
        if known(row["ci_low"])
        else ""
    )
    return (
        f"This rests on who was left out: with the {count(lost)} left-out responses of both read "
        f"against it, the difference of {level_words(key[2], contrast.group)} would be "
        f"{points(row['estimate'], signed=True)} points{tested}."
    )


def bound(inputs: ReportInputs, key: Key, contrast: Contrast, reading: Reading) -> Row | None:
    """One extreme reading of what was left out of a pair; None where nothing was."""
    if inputs[Bounds].is_empty():
        return None
    model, outcome, dimension = key
    rows = inputs[Bounds].filter(
        pl.col("model") == model,
        pl.col("outcome") == str(outcome),
        pl.col("dimension") == dimension,
        pl.col("group") == contrast.group,
        pl.col("reference") == contrast.reference,
        pl.col("reading").cast(pl.String) == reading.value,
        (pl.col("left_group") > 0) | (pl.col("left_reference") > 0),
    )
    return rows.row(0, named=True) if rows.height else None
