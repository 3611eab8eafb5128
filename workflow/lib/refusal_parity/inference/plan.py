"""What a job asks: one row for each prompt and sample, the same for every engine."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.inference.seeds import request_seeds
from refusal_parity.inference.store.responses import response_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

    from refusal_parity.inference.job import InferenceJob

_APART: Final = 1_000_000
"""Between the numbers of samples of two prompts that send the same."""


def plan_of(
    prompts: pl.DataFrame, job: InferenceJob[Any], settings: Mapping[str, Any]
) -> pl.DataFrame:
    """Everything that a job asks, in table order.

    Args:
        prompts: a table of `Prompts`, or its columns prompt_id, system_prompt and prompt.
        job: the model's share of the study.
        settings: all that changes responses beside what is sent and its seed.

    Returns:
        Columns model, prompt_id, system_prompt, prompt, sample, seed and response_id.

    Raises:
        InputError: two requests would have the same seed.
    """
    samples = pl.DataFrame({"sample": range(job.samples)}, schema={"sample": pl.Int32})
    rows = (
        numbered(prompts)
        .join(samples, how="cross", maintain_order="left_right")
        .with_columns(
            model=pl.lit(job.key), number=pl.col("first_number") + pl.col("sample"),
        )
    )  # fmt: skip
    rows = rows.with_columns(seed=request_seeds(rows, job.sampling, job.key))
    return rows.with_columns(response_ids(rows, settings)).drop("first_number", "number", "sent")


def numbered(prompts: pl.DataFrame) -> pl.DataFrame:
    """Prompts with what each sends, and the number of its first response among all to that.

    Prompts of two templates may send the same words, and are still drawn one by one.

    Args:
        prompts: columns prompt_id, system_prompt and prompt.

    Returns:
        These columns, sent and first_number.
    """
    sent = [what_is_sent(*row) for row in prompts.select("system_prompt", "prompt").iter_rows()]
    return (
        prompts.select("prompt_id", "system_prompt", "prompt")
        .with_columns(sent=pl.Series(sent, dtype=pl.String))
        .with_columns(first_number=pl.int_range(pl.len(), dtype=pl.Int64).over("sent") * _APART)
    )


def what_is_sent(system_prompt: str | None, prompt: str) -> str:
    """Hash of the messages that a model gets, whatever its template makes of them."""
    messages = json.dumps([system_prompt, prompt], ensure_ascii=True)
    return hashlib.sha256(messages.encode()).hexdigest()[:32]
