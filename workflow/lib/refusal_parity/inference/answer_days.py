"""When a server's answers were given, by which models and in which states of theirs."""

from __future__ import annotations

import polars as pl


def answer_days(responses: pl.DataFrame) -> dict[str, str]:
    """What was answered on which day, by which models and in which states of theirs.

    Args:
        responses: rows of the Responses table.

    Returns:
        A phrase for each day, in UTC, such as `12 by m-1 (fp_3)`; empty where no server answered.
    """
    counts = (
        responses.drop_nulls("answered_at")
        .group_by(pl.col("answered_at").dt.date().alias("day"), "answered_by", "fingerprint")
        .len()
        .sort("day", "len", "answered_by", "fingerprint", descending=[False, True, False, False])
    )
    found: dict[str, list[str]] = {}
    for day, model, state, count in counts.iter_rows():
        named = model or "a model that the answers do not name"
        found.setdefault(f"{day}", []).append(
            f"{count:,} by {named}{f' ({state})' if state else ''}"
        )
    return {day: "; ".join(parts) for day, parts in found.items()}
