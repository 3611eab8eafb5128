"""Of which responses the agreement with people says nothing, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.agreement.sentences import unread_levels
from refusal_parity.agreement.table import ALL
from refusal_parity.counting import agreed, counted, enumerated
from refusal_parity.dimensions import GROUP
from refusal_parity.preference.places import NOBODY
from refusal_parity.tables import HumanLabels, Prompts
from refusal_parity.text import count, isolated, level_words

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs


def unread_words(rows: pl.DataFrame, inputs: ReportInputs) -> str:
    """Which groups nobody labelled responses for, of whose labels these rows say nothing."""
    of_groups = rows.filter(pl.col("group") != ALL, dimension=GROUP.key)
    if inputs.config.preference is not None:
        mentioned = [isolated(group) for group in unread_levels(of_groups) if group != NOBODY]
        none = [f"of conversations that mention {enumerated(mentioned)}"] if mentioned else []
        if NOBODY in unread_levels(of_groups):
            none.append("of those that mention nobody")
        return _unread_words("answers", none)
    read = set(of_groups.filter(pl.col("n") > 0)["group"])
    unread = [level for level in inputs.levels(GROUP.key) if level not in read]
    if of_groups.is_empty() or not unread:
        return ""
    words = enumerated([level_words(GROUP.key, level) for level in unread])
    return _unread_words("responses", [f"for {words}"])


def _unread_words(what: str, none: list[str]) -> str:
    if not none:
        return ""
    return (
        f" None of the {what} {' or '.join(none)} is among them, so how often their labels are "
        "wrong is not known."
    )


def undecided_words(inputs: ReportInputs, model: str) -> str:
    """How many responses people could not agree on, which stand in no agreement with them."""
    if inputs.config.preference is not None:
        return ""
    rows = (
        inputs[HumanLabels]
        .filter(pl.col("model") == model, pl.col("inclusion_probability").is_not_null())
        .join(inputs[Prompts], on="prompt_id")
        .with_columns(is_open=pl.col("label").is_null())
    )
    number = int(rows["is_open"].sum())
    if not number:
        return ""
    counts = [
        (level, rows.filter(pl.col(GROUP.key) == level)["is_open"])
        for level in inputs.levels(GROUP.key)
        if GROUP.key in rows.columns
    ]
    levels = enumerated(
        [
            f"{count(int(part.sum()))} of {count(len(part))} for {level_words(GROUP.key, level)}"
            for level, part in counts
            if part.any()
        ]
    )
    return (
        f" Of {counted(len(rows), 'response')} that people labelled, {count(number)}"
        f"{f' ({levels})' if levels else ''} {agreed(number, 'has', 'have')} no one label, as "
        f"people differ or are undecided, and {agreed(number, 'is', 'are')} not among these."
    )
