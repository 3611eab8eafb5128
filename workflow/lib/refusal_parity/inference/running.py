"""A whole inference job in vLLM, from the table of prompts to that of responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from refusal_parity.inference.chunks import ChunkStore
from refusal_parity.inference.drawing import draw
from refusal_parity.inference.responses import describe, plan_rows, requests_of, settings_of
from refusal_parity.inference.thinking import parted
from refusal_parity.inference.vllm_engine import start_engine
from refusal_parity.tables import Responses, write_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import polars as pl

    from refusal_parity.inference.requests import Engine
    from refusal_parity.inference.responses import InferenceJob

CHUNKS: Final = ".responses"
"""Folder of the chunks, beside the table of responses."""


def run_job(
    job: InferenceJob,
    prompts: pl.DataFrame,
    output: Path,
    *,
    say: Callable[[str], None],
) -> None:
    """Draw all responses of a model and write them; goes on where a killed job was.

    Args:
        job: the model's share of the study.
        prompts: a table of `Prompts`.
        output: where the table of `Responses` goes.
        say: called with lines of progress.

    Raises:
        InputError: model, prompts or folder cannot be used.
        Stopped: SIGTERM came; the next run goes on from there.
    """
    say("starting the engine")
    draw_all(start_engine(job), job, prompts, output, say=say)


def draw_all(
    engine: Engine,
    job: InferenceJob,
    prompts: pl.DataFrame,
    output: Path,
    *,
    say: Callable[[str], None],
) -> None:
    """What `run_job` does once the engine runs."""
    plan = plan_rows(engine, prompts, job)
    provenance = describe(engine, job)
    if provenance["template_date"]:
        say(
            f"the chat template writes a date: {provenance['template_date']}, the same in every "
            f"run (models.{job.key}.date)"
        )
    store = ChunkStore(
        output.parent / CHUNKS,
        settings_of(provenance, job, plan),
        device=provenance["device"],
        say=say,
    )
    responses = draw(
        plan,
        lambda rows: parted(engine.generate(requests_of(rows)), job.model.thinking),
        store,
        say=say,
        chunk_s=job.chunk_s,
    )
    device = " and ".join(store.devices()) or provenance["device"]
    write_table(responses, Responses, output, metadata=provenance | {"device": device})
    store.remove()
