"""One model's inference job: prompts in, responses out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from refusal_parity.errors import InputError
from refusal_parity.inference.provenance import model_source, package_versions, text_hash
from refusal_parity.inference.rendering import render, token_hash
from refusal_parity.inference.requests import Completion, Engine, Request
from refusal_parity.inference.seeds import request_seed
from refusal_parity.tables import Responses
from refusal_parity.vocabulary import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from refusal_parity.config import SamplingConfig, VllmModel

_REPORT_EVERY_S = 5.0


@dataclass(frozen=True)
class InferenceJob:
    """One model's share of a study.

    Attributes:
        key: the model's key in the config.
        model: its part of the config.
        folder: its weights, tokenizer and config.
        samples: responses for each prompt.
        sampling: how they are drawn.
    """

    key: str
    model: VllmModel
    folder: Path
    samples: int
    sampling: SamplingConfig


def plan_rows(engine: Engine, prompts: pl.DataFrame, job: InferenceJob) -> pl.DataFrame:
    """What will be asked, one row for each prompt and sample, in table order.

    Returns:
        Columns model, prompt_id, sample, seed, rendered_sha256, prompt_tokens,
        token_ids (list).

    Raises:
        InputError: a prompt cannot be rendered or does not fit the context.
    """
    rendered = [
        render(engine.tokenizer, prompt, system, mode=job.model.prompt_mode, model=job.key)
        for prompt, system in prompts.select("prompt", "system_prompt").iter_rows()
    ]
    longest = max(map(len, rendered))
    if longest + job.sampling.max_tokens > engine.context_length:
        raise InputError(
            f"the longest prompt has {longest} tokens, which with max_tokens "
            f"{job.sampling.max_tokens} exceeds the context of {engine.context_length}",
            where=f"models.{job.key}",
            remedy="Lower sampling.max_tokens or raise the model's max_model_len.",
        )
    plan = pl.DataFrame(
        {
            "model": job.key,
            "prompt_id": prompts["prompt_id"],
            "rendered_sha256": [token_hash(ids) for ids in rendered],
            "prompt_tokens": [len(ids) for ids in rendered],
            "token_ids": rendered,
        }
    ).join(pl.DataFrame({"sample": range(job.samples)}), how="cross")
    seeds = [
        request_seed(job.sampling.seed, job.key, prompt_id, sample)
        for prompt_id, sample in plan.select("prompt_id", "sample").iter_rows()
    ]
    return plan.with_columns(seed=pl.Series(seeds, dtype=pl.Int64))


def draw(engine: Engine, plan: pl.DataFrame, *, say: Callable[[str], None]) -> pl.DataFrame:
    """Draw every planned row.

    Args:
        engine: a started engine.
        plan: as from `plan_rows`.
        say: called with a line of progress every few seconds.

    Returns:
        A table of `Responses`, in the plan's order.
    """
    requests = [
        Request(index=index, token_ids=token_ids, seed=seed)
        for index, (token_ids, seed) in enumerate(plan.select("token_ids", "seed").iter_rows())
    ]
    completions: list[Completion] = []
    began = spoke = time.monotonic()
    for completion in engine.generate(requests):
        completions.append(completion)
        now = time.monotonic()
        if now - spoke > _REPORT_EVERY_S:
            spoke = now
            rate = len(completions) / (now - began)
            left = (len(requests) - len(completions)) / rate
            say(
                f"{len(completions):,} of {len(requests):,} responses, {rate:,.0f} a second, "
                f"about {left:,.0f} s left"
            )
    say(f"{len(completions):,} responses in {time.monotonic() - began:.0f} s")
    return _join(plan, completions)


def describe(engine: Engine, job: InferenceJob) -> dict[str, Any]:
    """Provenance of a model's responses, for the table's metadata."""
    return {
        **engine.provenance(),
        "source": model_source(job.model.source.model_dump(), job.folder),
        "prompt_mode": job.model.prompt_mode,
        "chat_template_sha256": text_hash(
            engine.tokenizer.chat_template if job.model.prompt_mode == "chat" else None
        ),
        "samples": job.samples,
        "sampling": job.sampling.model_dump(),
        "packages": package_versions(),
    }


def _join(plan: pl.DataFrame, completions: Sequence[Completion]) -> pl.DataFrame:
    drawn = pl.DataFrame(
        {
            "index": [completion.index for completion in completions],
            "response": [completion.text.strip() for completion in completions],
            "finish_reason": [completion.finish_reason for completion in completions],
            "response_tokens": [completion.response_tokens for completion in completions],
        },
        schema_overrides={"index": pl.UInt32, "finish_reason": pl.String},
    )
    status = (
        pl.when(pl.col("response").is_null())
        .then(pl.lit(str(Status.ERROR)))
        .when(pl.col("response") == "")
        .then(pl.lit(str(Status.EMPTY)))
        .when(pl.col("finish_reason") != "stop")
        .then(pl.lit(str(Status.TRUNCATED)))
        .otherwise(pl.lit(str(Status.OK)))
    )
    return (
        plan.with_row_index("index")
        .join(drawn, on="index", how="left", maintain_order="left")
        .with_columns(
            status=status,
            error=pl.when(pl.col("response").is_null()).then(pl.lit("the engine gave no response")),
            imported_label=pl.lit(None, pl.String),
        )
        .select(Responses.column_names())
    )
