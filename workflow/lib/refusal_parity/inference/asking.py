"""A whole job of asking a server, from the table of prompts to that of responses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from refusal_parity.inference.asking_again import answered_rows
from refusal_parity.inference.chunks import KEY, ChunkStore
from refusal_parity.inference.drawing import CHUNK_S, draw
from refusal_parity.inference.openai_engine import OpenAIServer
from refusal_parity.inference.provenance import package_versions, text_hash
from refusal_parity.inference.running import CHUNKS
from refusal_parity.inference.seeds import request_seeds
from refusal_parity.inference.servers.remarks import remarks
from refusal_parity.inference.thinking import parted
from refusal_parity.tables import Responses, empty, write_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from refusal_parity.config import OpenAIModel, SamplingConfig


@dataclass(frozen=True)
class ServerJob:
    """One model's share of a study.

    Attributes:
        key: the model's key in the config.
        model: its part of the config.
        samples: responses for each prompt.
        sampling: how they are drawn.
        schema: JSON schema that every response is held to, if any.
        chunk_s: seconds between two savings.
    """

    key: str
    model: OpenAIModel
    samples: int
    sampling: SamplingConfig
    schema: Mapping[str, Any] | None = None
    chunk_s: float = CHUNK_S


def ask_server(
    job: ServerJob,
    prompts: pl.DataFrame,
    output: Path,
    *,
    say: Callable[[str], None],
    again: bool = False,
) -> None:
    """Draw all responses of a model on a server; goes on where a killed job was.

    Args:
        job: the model's share of the study.
        prompts: a table of `Prompts`.
        output: where the table of `Responses` goes.
        say: called with lines of progress.
        again: keep what `output` holds, and ask again what failed in it, that alone.

    Raises:
        InputError: the server cannot be used, or `output` was drawn in another way.
        Stopped: SIGTERM came; the next run goes on from there.
    """
    server = OpenAIServer(
        job.model, job.sampling, where=f"models.{job.key}", schema=job.schema, say=say
    )
    plan = _plan(prompts, job)
    settings = _settings(job)
    kept = answered_rows(output, plan, settings) if again else empty(Responses)
    asked = plan.join(kept, on=KEY, how="anti", maintain_order="left")
    if again and asked.is_empty():
        say("no response failed: nothing is asked again")
        return
    store = ChunkStore(
        output.parent / CHUNKS,
        {
            **settings,
            "prompts_sha256": text_hash(plan.write_csv()),
            "columns": Responses.column_names(),
            **({"schema": dict(job.schema)} if job.schema is not None else {}),
        },
        device="server",
        say=say,
    )
    if not_sent := job.model.request.resolved().leave_out:
        say(f"not sent, so that the server's own values hold: {', '.join(not_sent)}")
    drawn = draw(
        asked,
        lambda rows: parted(
            server.generate(rows, fresh=len(rows) == len(plan)), job.model.thinking
        ),
        store,
        say=say,
        chunk_s=job.chunk_s,
    )
    responses = plan.select(KEY).join(
        pl.concat([kept, drawn]), on=KEY, how="left", maintain_order="left"
    )
    usage = _usage(responses)
    for line in remarks(responses, priced=job.model.prompt_price is not None):
        say(line)
    metadata = settings | {"device": "server", "packages": package_versions(), "usage": usage}
    write_table(responses, Responses, output, metadata=metadata)
    store.remove()


def _settings(job: ServerJob) -> dict[str, Any]:
    """How the responses are drawn, for the table's metadata."""
    request = job.model.request.resolved().model_dump(exclude_defaults=True)
    request.pop("presets", None)
    return {
        "engine": "openai",
        "source": {"base_url": job.model.base_url, "model": job.model.model},
        "prompt_mode": "chat",
        "samples": job.samples,
        "sampling": job.sampling.model_dump(),
        **({"request": request} if request else {}),
    }


def _plan(prompts: pl.DataFrame, job: ServerJob) -> pl.DataFrame:
    rows = prompts.select("prompt_id", "system_prompt", "prompt").join(
        pl.DataFrame({"sample": range(job.samples)}, schema={"sample": pl.Int32}), how="cross"
    )
    return rows.with_columns(
        model=pl.lit(job.key),
        seed=request_seeds(rows, job.sampling, job.key),
        prompt_tokens=pl.lit(None, pl.Int32),
        rendered_sha256=pl.lit(None, pl.String),
    )


def _usage(responses: pl.DataFrame) -> dict[str, Any]:
    """Tokens in all and, where the config gives prices, what they cost."""
    usage: dict[str, Any] = {
        "prompt_tokens": int(responses["prompt_tokens"].sum()),
        "response_tokens": int(responses["response_tokens"].sum()),
    }
    if responses["cost"].count():
        usage["cost"] = round(responses["cost"].sum(), 6)
    return usage
