"""One model's inference job: prompts in, responses out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

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

_PROBE: Final = ("Say that all is well.", None)


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
        token_ids (list), begun (the tag that opens thinking in the prompt).

    Raises:
        InputError: a prompt cannot be rendered or does not fit the context.
    """
    rendered = render(
        engine.tokenizer,
        prompts.select("prompt", "system_prompt").rows(),
        mode=job.model.prompt_mode,
        model=job.key,
        thinking=job.model.thinking,
    )
    longest = max(len(one.token_ids) for one in rendered)
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
            "rendered_sha256": [token_hash(one.token_ids) for one in rendered],
            "prompt_tokens": [len(one.token_ids) for one in rendered],
            "token_ids": [one.token_ids for one in rendered],
            "begun": [one.begun for one in rendered],
        }
    ).join(pl.DataFrame({"sample": range(job.samples)}), how="cross")
    return plan.with_columns(seed=request_seeds(plan, job.sampling, job.key))


def requests_of(rows: pl.DataFrame) -> list[Request]:
    """What the engine is asked for these rows of a plan."""
    return [
        Request(index, *row)
        for index, row in enumerate(rows.select("token_ids", "seed", "begun").iter_rows())
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
        **_rendering_of(engine, job),
        "samples": job.samples,
        "sampling": job.sampling.model_dump(),
        "packages": package_versions(),
    }


def _rendering_of(engine: Engine, job: InferenceJob) -> dict[str, Any]:
    """What two jobs must have in common to send the same tokens for the same prompts."""
    try:
        (probe,) = render(
            engine.tokenizer, [_PROBE], mode=job.model.prompt_mode, model=job.key, thinking="none"
        )
    except InputError:
        # A template may insist on a system prompt.
        return {"template_date": engine.tokenizer.written_date}
    return {
        "template_date": engine.tokenizer.written_date,
        "probe_sha256": token_hash(probe.token_ids),
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
        "thinking": job.model.model_dump()["thinking"],
        "max_model_len": job.model.max_model_len,
        "gpus": job.model.gpus,
        **({"schema": dict(job.schema)} if job.schema is not None else {}),
        "prompts_sha256": text_hash(
            plan.select("model", "prompt_id", "sample", "seed", "rendered_sha256").write_csv()
        ),
        "columns": Responses.column_names(),
    }
