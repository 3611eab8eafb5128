"""Responses that this workflow drew in another study, or in an earlier release."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.counting import agreed, counted
from refusal_parity.errors import InputError
from refusal_parity.tables import Responses, read_table
from refusal_parity.unfolding_parquet import refuse_unfolding_parquet

if TYPE_CHECKING:
    from pathlib import Path


def read_own_responses(
    path: Path, prompts: pl.DataFrame, *, model: str, called: str | None
) -> pl.DataFrame:
    """Read a `responses.parquet` of one model or of several.

    Args:
        path: the file.
        prompts: the study's table of `Prompts`.
        model: key under which the responses are filed.
        called: what the file calls the model, where it holds several; null for `model`.

    Returns:
        A table of `Responses`, in the order of prompts and samples.

    Raises:
        InputError: it is no such table, has no such model, or answers other prompts.
    """
    if path.is_file():
        with suppress(ValueError, OSError):
            # Said by `read_table` in its own words.
            refuse_unfolding_parquet(path)
    rows: pl.DataFrame = read_table(Responses, path)
    models = rows["model"].unique(maintain_order=True).to_list()
    if len(models) > 1 or called is not None:
        wanted = called or model
        if wanted not in models:
            raise InputError(
                f"it holds no responses of {wanted!r} (found: {', '.join(models)})",
                where=str(path),
                remedy="Say in `called` which of these models is meant.",
            )
        rows = rows.filter(model=wanted)
    strangers = rows.join(prompts, on="prompt_id", how="anti")
    if len(strangers):
        raise InputError(
            f"{len(strangers):,} of {counted(len(rows), 'response')} "
            f"{agreed(len(strangers), 'answers', 'answer')} no prompt of this study, the first "
            f"being of prompt {strangers['prompt_id'][0]!r}",
            where=str(path),
            remedy="Give the templates, names and arms that they were drawn with, word by word.",
        )
    order = prompts.select("prompt_id").with_row_index("_order")
    return (
        rows.with_columns(model=pl.lit(model))
        .join(order, on="prompt_id")
        .sort("_order", "sample")
        .select(Responses.column_names())
    )
