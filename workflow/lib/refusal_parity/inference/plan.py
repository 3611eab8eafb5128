"""What a job asks: one row for each prompt and sample, the same for every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from refusal_parity.inference.seeds import request_seeds

if TYPE_CHECKING:
    from refusal_parity.inference.job import InferenceJob


def plan_of(prompts: pl.DataFrame, job: InferenceJob[Any]) -> pl.DataFrame:
    """Everything that a job asks, in table order.

    Args:
        prompts: a table of `Prompts`, or its columns prompt_id, system_prompt and prompt.
        job: the model's share of the study.

    Returns:
        Columns model, prompt_id, system_prompt, prompt, sample and seed.

    Raises:
        InputError: two requests would have the same seed.
    """
    samples = pl.DataFrame({"sample": range(job.samples)}, schema={"sample": pl.Int32})
    rows = prompts.select(
        pl.lit(job.key).alias("model"), "prompt_id", "system_prompt", "prompt"
    ).join(samples, how="cross", maintain_order="left_right")
    return rows.with_columns(seed=request_seeds(rows, job.sampling, job.key))
