"""Models whose weights one has: what is sent is rendered here, and the engine draws."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from typing_extensions import override

from refusal_parity.errors import InputError
from refusal_parity.inference.job import Source
from refusal_parity.inference.own_system_prompt import own_system_prompt, shown
from refusal_parity.inference.provenance import (
    model_source,
    package_versions,
    small_files_hash,
    text_hash,
)
from refusal_parity.inference.rendering import render, token_hash
from refusal_parity.inference.requests import Request
from refusal_parity.inference.thinking import parted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from refusal_parity.config import VllmModel
    from refusal_parity.inference.job import InferenceJob
    from refusal_parity.inference.requests import Completion, Engine

_PROBE: Final = ("Say that all is well.", None)


class OwnWeights(Source):
    """A `Source` that renders a job's prompts for an engine with a tokenizer."""

    def __init__(
        self,
        engine: Engine,
        job: InferenceJob[VllmModel],
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Stand before a running engine."""
        self._engine = engine
        self._job = replace(job, sampling=job.sampling.suited_to(job.model, engine.context_length))
        self._say = say

    @override
    def prepared(self, rows: pl.DataFrame) -> pl.DataFrame:
        prompts = rows.select("prompt", "system_prompt").unique(maintain_order=True)
        prepared = rows.join(
            rendered_prompts(self._engine, prompts, self._job),
            on=["prompt", "system_prompt"],
            nulls_equal=True,
            maintain_order="left",
        )
        if date := self._engine.tokenizer.written_date:
            self._say(
                f"the chat template writes a date: {date}, the same in every run "
                f"(models.{self._job.key}.date)"
            )
        if rows["system_prompt"].null_count() and (words := self._own_system_prompt()):
            self._say(
                f"where an arm has no system prompt, the chat template puts in its own: "
                f"{shown(words)}"
            )
        return prepared

    def _own_system_prompt(self) -> str | None:
        """What the chat template says where no system prompt is given; null where nothing."""
        if self._job.model.prompt_mode != "chat":
            return None
        return own_system_prompt(self._engine.tokenizer) or None

    @override
    def settings(self) -> dict[str, Any]:
        job = self._job
        provenance = self.provenance()
        packages = provenance.pop("packages")
        # A job that is submitted again may get another type of GPU, and must go on all the
        # same: the table's metadata names both.
        del provenance["device"]
        # Words of the template, which its hash stands for.
        del provenance["own_system_prompt"]
        return {
            **provenance,
            "torch": packages.get("torch"),
            "transformers": packages.get("transformers"),
            "model_files_sha256": small_files_hash(job.folder),
            "lora_files_sha256": job.adapter and small_files_hash(job.adapter),
            "stop": job.model.stop,
            "thinking": job.model.model_dump()["thinking"],
            "max_model_len": job.model.max_model_len,
            "gpus": job.model.gpus,
            **({"schema": dict(job.schema)} if job.schema is not None else {}),
        }

    @override
    def provenance(self) -> dict[str, Any]:
        engine, job, model = self._engine, self._job, self._job.model
        lora = model.lora and job.adapter and model_source(model.lora.model_dump(), job.adapter)
        return {
            **engine.provenance(),
            "source": model_source(model.source.model_dump(), job.folder),
            "lora": lora or None,
            "prompt_mode": model.prompt_mode,
            "chat_template_sha256": text_hash(
                engine.tokenizer.chat_template if model.prompt_mode == "chat" else None
            ),
            "own_system_prompt": self._own_system_prompt(),
            **self._rendering(),
            "samples": job.samples,
            "sampling": job.sampling.model_dump(),
            "packages": package_versions(),
        }

    def _rendering(self) -> dict[str, Any]:
        """What two jobs must have in common to send the same tokens for the same prompts."""
        tokenizer, model = self._engine.tokenizer, self._job.model
        try:
            (probe,) = render(
                tokenizer, [_PROBE], mode=model.prompt_mode, model=self._job.key, thinking="none"
            )
        except InputError:
            # A template may insist on a system prompt.
            return {"template_date": tokenizer.written_date}
        return {
            "template_date": tokenizer.written_date,
            "probe_sha256": token_hash(probe.token_ids),
        }

    @override
    def generate(self, rows: pl.DataFrame, *, fresh: bool) -> Iterator[Completion | None]:
        del fresh
        yield from parted(self._engine.generate(requests_of(rows)), self._job.model.thinking)


def rendered_prompts(
    engine: Engine, prompts: pl.DataFrame, job: InferenceJob[VllmModel]
) -> pl.DataFrame:
    """Prompts as the model gets them.

    Args:
        engine: it has the tokenizer.
        prompts: distinct pairs of prompt and system_prompt.
        job: says how they are rendered.

    Returns:
        These columns, rendered_sha256, prompt_tokens, token_ids (list) and begun (the tag
        that opens thinking in the prompt).

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
    longest = max((len(one.token_ids) for one in rendered), default=0)
    most = job.sampling.most_tokens(job.model, engine.context_length)
    if longest + most > engine.context_length:
        raise InputError(
            f"the longest prompt has {longest} tokens, which with max_tokens "
            f"{most} exceeds the context of {engine.context_length}",
            where=f"models.{job.key}",
            remedy="Lower sampling.max_tokens or raise the model's max_model_len.",
        )
    return prompts.select("prompt", "system_prompt").with_columns(
        rendered_sha256=pl.Series([token_hash(one.token_ids) for one in rendered], dtype=pl.String),
        prompt_tokens=pl.Series([len(one.token_ids) for one in rendered], dtype=pl.Int32),
        token_ids=pl.Series([one.token_ids for one in rendered], dtype=pl.List(pl.Int64)),
        begun=pl.Series([one.begun for one in rendered], dtype=pl.String),
    )


def requests_of(rows: pl.DataFrame) -> list[Request]:
    """What the engine is asked for these rows of a plan."""
    return [
        Request(index, *row)
        for index, row in enumerate(rows.select("token_ids", "seed", "begun").iter_rows())
    ]
