"""What is kept of a finished table while what failed in it is asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.errors import InputError
from refusal_parity.tables import Responses, read_table
from refusal_parity.vocabulary import Status

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.inference.store.responses import ResponseStore

_KEY = ("prompt_id", "sample", "response_id")


def answered_rows(table: Path, plan: pl.DataFrame, store: ResponseStore) -> pl.DataFrame:
    """Rows of a finished table that need not be asked again.

    Args:
        table: a table of `Responses`.
        plan: every row that it must have, with its key.
        store: the responses that belong to the settings of today.

    Raises:
        InputError: it was drawn in another way or for other prompts. To go on would ask,
            and pay, for what was answered.
    """
    rows = read_table(Responses, table)
    former = store.former_use(table)
    changed = former[1] if former else []
    if not changed and set(rows.select(_KEY).iter_rows()) != set(plan.select(_KEY).iter_rows()):
        changed = ["prompts, samples or seeds"]
    if changed:
        raise InputError(
            f"its responses were drawn with other settings ({', '.join(changed)}), so that what "
            "failed cannot be asked again alone",
            where=str(table),
            remedy="Undo the change; or run without the target ask_again, which draws what is new.",
        )
    return rows.filter(pl.col("status") != str(Status.ERROR))
