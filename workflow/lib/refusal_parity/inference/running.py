"""A whole inference job in any engine, from the table of prompts to that of responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.config import engine_of
from refusal_parity.inference.asking_again import answered_rows
from refusal_parity.inference.chunks import KEY, ChunkStore
from refusal_parity.inference.drawing import draw
from refusal_parity.inference.plan import plan_of
from refusal_parity.inference.provenance import text_hash
from refusal_parity.tables import Responses, empty, write_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from refusal_parity.inference.job import InferenceJob, Source

CHUNKS: Final = ".responses"
"""Folder of the chunks, beside the table of responses."""


def run_job(
    job: InferenceJob[Any],
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
        InputError: model, prompts or folder cannot be used, or `output` was drawn in
            another way.
        Stopped: SIGTERM came; the next run goes on from there.
    """
    source = engine_of(job.model).starter()(job, say)
    draw_all(source, job, prompts, output, say=say)


def draw_all(
    source: Source,
    job: InferenceJob[Any],
    prompts: pl.DataFrame,
    output: Path,
    *,
    say: Callable[[str], None],
) -> None:
    """What `run_job` does once the engine runs."""
    plan = source.prepared(plan_of(prompts, job))
    provenance = source.provenance()
    kept = answered_rows(output, plan, provenance) if job.again else empty(Responses)
    asked = plan.join(kept, on=KEY, how="anti", maintain_order="left")
    if job.again and asked.is_empty():
        say("no response failed: nothing is asked again")
        return
    store = ChunkStore(
        output.parent / CHUNKS,
        {
            **source.settings(),
            "prompts_sha256": text_hash(
                plan.select("model", "prompt_id", "sample", "seed", "rendered_sha256").write_csv()
            ),
            "columns": Responses.column_names(),
        },
        device=provenance["device"],
        say=say,
    )
    drawn = draw(
        asked,
        lambda rows: source.generate(rows, fresh=len(rows) == len(plan)),
        store,
        say=say,
        chunk_s=job.chunk_s,
    )
    responses = plan.select(KEY).join(
        pl.concat([kept, drawn]), on=KEY, how="left", maintain_order="left"
    )
    for line in source.remarks(responses):
        say(line)
    device = " and ".join(store.devices()) or provenance["device"]
    metadata = provenance | {"device": device} | source.usage(responses)
    write_table(responses, Responses, output, metadata=metadata)
    store.remove()
