"""Models behind a server, to which prompts are sent as they are.

`ServerJob` and `ask_server` are for scripts that ask a server without the workflow.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import polars as pl
from typing_extensions import override

from refusal_parity.inference.answer_days import answer_days
from refusal_parity.inference.job import InferenceJob, Source
from refusal_parity.inference.openai_engine import OpenAIServer
from refusal_parity.inference.provenance import package_versions
from refusal_parity.inference.served_tokens import ServedSpeaker, ServedTeller
from refusal_parity.inference.servers.remarks import remarks
from refusal_parity.inference.servers.token_server import TokenServer
from refusal_parity.inference.thinking import parted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from refusal_parity.config import OpenAIModel
    from refusal_parity.inference.requests import Completion

ServerJob = InferenceJob
"""One model's share of a study, asked of a server."""


def ask_server(
    job: InferenceJob[OpenAIModel],
    prompts: pl.DataFrame,
    output: Path,
    *,
    say: Callable[[str], None],
) -> None:
    """Draw all responses of a model on a server; goes on where a killed job was.

    Args:
        job: the model's share of the study.
        prompts: a table of `Prompts`.
        output: where the table of `Responses` goes.
        say: called with lines of progress.

    Raises:
        InputError: the server cannot be used.
        Stopped: SIGTERM came; the next call goes on from there.
    """
    # It looks up the engine of a job, and this one is among them.
    from refusal_parity.inference.running import run_job  # noqa: PLC0415

    run_job(job, prompts, output, say=say)


def start(job: InferenceJob[OpenAIModel], say: Callable[[str], None]) -> ServedModel:
    """Get ready to ask a job's server.

    Raises:
        InputError: the environment has no key, or the protocol no such setting.
    """
    return ServedModel(job, say)


def settings(job: InferenceJob[OpenAIModel], *, quick: bool = False) -> dict[str, Any]:
    """Everything that changes a job's responses: the machine's name is none of it."""
    del quick
    request = job.model.request.resolved().model_dump(exclude_defaults=True)
    request.pop("presets", None)
    not_sent = {"seed", "openings", *request.get("leave_out", [])}
    return {
        "engine": "openai",
        "route": job.model.route,
        "model": job.model.model,
        **({"service": job.model.service} if job.model.service is not None else {}),
        "sampling": job.sampling.suited_to(job.model).model_dump(exclude=not_sent),
        **({"request": request} if request else {}),
        **({"schema": dict(job.schema)} if job.schema is not None else {}),
    }


def speaker(key: str, model: OpenAIModel, folder: Path | None = None) -> ServedSpeaker:
    """The model in the words of its server.

    Args:
        key: in the config.
        model: its part of the config.
        folder: there is none.

    Raises:
        InputError: the environment has no key.
    """
    del folder
    return ServedSpeaker(key, model, TokenServer(model, where=f"models.{key}"))


def start_weighing(job: InferenceJob[OpenAIModel]) -> ServedTeller:
    """Get ready to ask a job's server how probable tokens are.

    Raises:
        InputError: the environment has no key.
    """
    server = TokenServer(job.model, where=f"models.{job.key}")
    return ServedTeller(job.model, job.sampling.suited_to(job.model), server)


def rendered_prompts(
    engine: ServedTeller, prompts: pl.DataFrame, job: InferenceJob[OpenAIModel]
) -> pl.DataFrame:
    """Prompts as the server renders them.

    Args:
        engine: at the job's service.
        prompts: distinct pairs of prompt and system_prompt.
        job: the model's share of the study.

    Returns:
        These columns and token_ids (list).

    Raises:
        InputError: the server does not tell.
    """
    del engine
    pairs = prompts.select("prompt", "system_prompt")
    sent = [one.token_ids for one in speaker(job.key, job.model).sent(pairs.rows())]
    return pairs.with_columns(token_ids=pl.Series(sent, dtype=pl.List(pl.Int64)))


class ServedModel(Source):
    """A `Source` that asks a server."""

    def __init__(self, job: InferenceJob[OpenAIModel], say: Callable[[str], None]) -> None:
        """Read the key from the environment."""
        job = replace(job, sampling=job.sampling.suited_to(job.model))
        self._job = job
        self._server = OpenAIServer(
            job.model, job.sampling, where=f"models.{job.key}", schema=job.schema, say=say
        )
        if left_out := job.model.request.resolved().leave_out:
            say(f"not sent, so that the server's own values hold: {', '.join(left_out)}")

    @override
    def prepared(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.with_columns(
            prompt_tokens=pl.lit(None, pl.Int32), rendered_sha256=pl.lit(None, pl.String)
        )

    @override
    def settings(self) -> dict[str, Any]:
        return settings(self._job)

    @override
    def provenance(self) -> dict[str, Any]:
        server = urlsplit(self._job.model.base_url).netloc
        return {
            "device": f"server {server}",
            "sampling": self._job.sampling.drawing(),
            "packages": package_versions(),
        }

    @override
    def asked(self) -> dict[str, Any]:
        model = self._job.model
        own = settings(self._job)
        return {
            "engine": own["engine"],
            "source": {
                "base_url": model.base_url,
                "model": model.model,
                **({"service": model.service} if model.service is not None else {}),
            },
            "prompt_mode": "chat",
            **({"request": own["request"]} if "request" in own else {}),
        }

    @override
    def generate(self, rows: pl.DataFrame, *, fresh: bool) -> Iterator[Completion | None]:
        yield from parted(self._server.generate(rows, fresh=fresh), self._job.model.thinking)

    @override
    def remarks(self, responses: pl.DataFrame) -> Iterator[str]:
        yield from remarks(responses, priced=self._job.model.prompt_price is not None)

    @override
    def usage(self, responses: pl.DataFrame) -> dict[str, Any]:
        usage: dict[str, Any] = {
            "prompt_tokens": int(responses["prompt_tokens"].sum()),
            "response_tokens": int(responses["response_tokens"].sum()),
        }
        if responses["cost"].count():
            usage["cost"] = round(responses["cost"].sum(), 6)
        return {"usage": usage, "answered": answer_days(responses)}
