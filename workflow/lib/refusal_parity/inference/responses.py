"""One model's inference job: prompts in, responses out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from refusal_parity.errors import InputError
from refusal_parity.inference.drawing import CHUNK_S
from refusal_parity.inference.provenance import (
    model_source,
    package_versions,
    small_files_hash,
    text_hash,
)
from refusal_parity.inference.rendering import render, token_hash
from refusal_parity.inference.requests import Request
from refusal_parity.inference.seeds import request_seeds
from refusal_parity.tables import Responses

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from refusal_parity.config import SamplingConfig, VllmModel
    from refusal_parity.inference.requests import Engine


@dataclass(frozen=True)
class InferenceJob:
    """One model's share of a study.

    Attributes:
        key: the model's key in the config.
        model: its part of the config.
        folder: its weights, tokenizer and config.
        samples: responses for each prompt.
        sampling: how they are drawn.
        adapter: folder of the model's LoRA adapter.
        threads: CPU threads of the engine's arithmetic. More than one on busy
            cores is slower than one.
        schema: JSON schema that every response is held to, if any.
        chunk_s: seconds between two savings.
    """

    key: str
    model: VllmModel
    folder: Path
    samples: int
    sampling: SamplingConfig
    adapter: Path | None = None
    threads: int = 1
    schema: Mapping[str, Any] | None = None
    chunk_s: float = CHUNK_S


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
    return plan.with_columns(seed=request_seeds(plan, job.sampling, job.key))


def requests_of(rows: pl.DataFrame) -> list[Request]:
    """What the engine is asked for these rows of a plan."""
    return [
        Request(index=index, token_ids=token_ids, seed=seed)
        for index, (token_ids, seed) in enumerate(rows.select("token_ids", "seed").iter_rows())
    ]


def describe(engine: Engine, job: InferenceJob) -> dict[str, Any]:
    """Provenance of a model's responses, for the table's metadata."""
    model = job.model
    return {
        **engine.provenance(),
        "source": model_source(model.source.model_dump(), job.folder),
        "lora": model_source(model.lora.model_dump(), job.adapter)
        if model.lora and job.adapter
        else None,
        "prompt_mode": model.prompt_mode,
        "chat_template_sha256": text_hash(
            engine.tokenizer.chat_template if model.prompt_mode == "chat" else None
        ),
        "samples": job.samples,
        "sampling": job.sampling.model_dump(),
        "packages": package_versions(),
    }


def settings_of(provenance: Mapping[str, Any], job: InferenceJob, plan: pl.DataFrame) -> Any:
    """Everything that changes responses; another device is none of it.

    A job that is submitted again may get another type of GPU, and must go on
    all the same: the table's metadata names both.
    """
    drawn_by = {
        key: entry for key, entry in provenance.items() if key not in ("device", "packages")
    }
    packages = provenance["packages"]
    return {
        **drawn_by,
        "torch": packages.get("torch"),
        "transformers": packages.get("transformers"),
        "model_files_sha256": small_files_hash(job.folder),
        "lora_files_sha256": job.adapter and small_files_hash(job.adapter),
        "stop": job.model.stop,
        "max_model_len": job.model.max_model_len,
        "gpus": job.model.gpus,
        **({"schema": dict(job.schema)} if job.schema is not None else {}),
        "prompts_sha256": text_hash(
            plan.select("model", "prompt_id", "sample", "seed", "rendered_sha256").write_csv()
        ),
        "columns": Responses.column_names(),
    }
