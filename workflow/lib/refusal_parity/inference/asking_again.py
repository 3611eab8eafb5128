"""What is kept of a finished table while what failed in it is asked again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from refusal_parity.errors import InputError
from refusal_parity.inference.chunks import KEY, differences
from refusal_parity.tables import Responses, read_metadata, read_table
from refusal_parity.vocabulary import Status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def answered_rows(table: Path, plan: pl.DataFrame, settings: Mapping[str, Any]) -> pl.DataFrame:
    """Rows of a finished table that need not be asked again.

    Args:
        table: a table of `Responses`.
        plan: every row that it must have, with its seed.
        settings: how its rows must have been drawn.

    Raises:
        InputError: it was drawn in another way or for other prompts. To go on would ask,
            and pay, for what was answered.
    """
    rows = read_table(Responses, table)
    metadata = read_metadata(table)
    before = {key: metadata.get(key) for key in {*settings, "request"} if key in metadata}
    changed = differences(before, json.loads(json.dumps(dict(settings))))
    key = [*KEY, "seed"]
    if not changed and set(rows.select(key).iter_rows()) != set(plan.select(key).iter_rows()):
        changed = ["prompts, samples or seeds"]
    if changed:
        raise InputError(
            f"its responses were drawn with other settings ({', '.join(changed)}), so that what "
            "failed cannot be asked again alone",
            where=str(table),
            remedy="Undo the change; or run without the target ask_again, which draws all "
            "responses anew.",
        )
    return rows.filter(pl.col("status") != str(Status.ERROR))
