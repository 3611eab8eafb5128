"""A whole inference job in any engine, from the table of prompts to that of responses."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.config import engine_of
from refusal_parity.errors import InputError
from refusal_parity.inference.asking_again import answered_rows
from refusal_parity.inference.drawing import KEY, Work, draw
from refusal_parity.inference.finish_reasons import unknown_reasons
from refusal_parity.inference.plan import plan_of
from refusal_parity.inference.store.responses import STORE, ResponseStore, Taking
from refusal_parity.tables import Responses, empty, write_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from refusal_parity.inference.job import InferenceJob, Source

_RESOLVED: Final = ("dtype", "quantization", "batch_invariant", "probe_sha256")
"""What an engine decides by itself, and what changes responses nevertheless."""


def run_job(
    job: InferenceJob[Any],
    prompts: pl.DataFrame,
    output: Path,
    *,
    say: Callable[[str], None],
) -> None:
    """Draw what is missing of a model's responses and write them all.

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
    source = engine_of(job.model).module().start(job, say)
    draw_all(source, job, prompts, output, say=say)


def draw_all(
    source: Source,
    job: InferenceJob[Any],
    prompts: pl.DataFrame,
    output: Path,
    *,
    say: Callable[[str], None],
) -> None:
    """What `run_job` does with an engine at its service."""
    settings = source.settings()
    store = store_of(job, settings, output, say=say)
    plan = plan_of(prompts, job, settings)
    kept = answered_rows(output, plan, store) if job.again else empty(Responses)
    asked = plan.join(kept, on=KEY, how="anti", maintain_order="left")
    if job.again and asked.is_empty():
        say("no response failed: nothing is asked again")
        return
    drawn = draw_plan(source, job, plan, asked, store, output, say=say)
    if engine_of(job.model).served:
        here = source.provenance()["device"]
        if elsewhere := ", ".join(sorted(store.drawn_on - {here})):
            say(
                f"answers of {elsewhere} are among them; this is {here}. If that is another "
                "service and no other name of this one, give the model a `service` in the config"
            )
    responses = plan.select(KEY).join(
        pl.concat([kept, drawn]), on=KEY, how="left", maintain_order="left"
    )
    for line in source.remarks(responses):
        say(line)
    write_table(
        responses,
        Responses,
        output,
        metadata=how_drawn(source, job, store)
        | source.usage(responses)
        | {"samples": job.samples, "warnings": list(unknown_reasons(responses))},
    )
    store.close()


def draw_plan(  # noqa: PLR0913, PLR0917 - what is drawn, how, and whereto
    source: Source,
    job: InferenceJob[Any],
    plan: pl.DataFrame,
    asked: pl.DataFrame,
    store: ResponseStore,
    output: Path,
    *,
    say: Callable[[str], None],
) -> pl.DataFrame:
    """Draw what the store lacks of a plan, for a table that is made of it.

    Args:
        source: the engine at the job's service.
        job: the model's share of the study.
        plan: of `plan_of`, or one with the same columns; no two rows have the same `KEY`.
        asked: those of its rows that are wanted.
        store: where responses are kept.
        output: the table that they are drawn for.
        say: called with lines of progress.

    Returns:
        A table of `Responses`, of the rows that are wanted, in their order.

    Raises:
        InputError: prompts cannot be used, or responses that are there were drawn in another way.
        Stopped: SIGTERM came; the next run goes on from there.
    """
    if former := store.former_use(output):
        say(
            f"this table was made with other settings before ({', '.join(former[1])}): what was "
            f"drawn with them stays in {former[0]} and is not used"
        )
    store.note_use(output)

    def prepared(rows: pl.DataFrame) -> pl.DataFrame:
        """All of the plan is looked at, so that no two prompts are one to the model."""
        ready = source.prepared(plan).join(rows, on=KEY, how="semi", maintain_order="left")
        _refuse_another_engine(source.provenance(), store, job)
        store.note_provenance(source.provenance())
        return ready

    work = Work(prepared=prepared, generate=source.generate, chunk_s=job.chunk_s)
    return draw(asked, work, store, say=say)


def how_drawn(source: Source, job: InferenceJob[Any], store: ResponseStore) -> dict[str, Any]:
    """What a table of responses says in its metadata of how they were drawn."""
    provenance = store.provenance() or source.provenance()
    return {
        **provenance,
        "device": " and ".join(sorted(store.drawn_on)) or provenance["device"],
        **source.asked(),
        "sampling": provenance.get("sampling", {}) | {"seed": job.sampling.seed},
        "settings": store.fingerprint,
    }


def store_of(
    job: InferenceJob[Any],
    settings: dict[str, Any],
    output: Path,
    *,
    say: Callable[[str], None] = lambda _: None,
) -> ResponseStore:
    """The stored responses that a job may take over."""
    days = getattr(job.model, "reuse_within", None)
    return ResponseStore(
        job.store or output.parent / STORE,
        settings,
        taking=Taking(since=job.since, within=None if days is None else timedelta(days=days)),
        say=say,
    )


def _refuse_another_engine(
    provenance: dict[str, Any], store: ResponseStore, job: InferenceJob[Any]
) -> None:
    """Responses that the engine would draw in another way here must not mix with the others."""
    before = store.provenance()
    store.device = provenance["device"]
    for key in _RESOLVED:
        if before is not None and before.get(key) != provenance.get(key):
            raise InputError(
                f"the engine takes {key} {provenance.get(key)} here, and drew the responses that "
                f"are there with {before.get(key)}",
                where=f"models.{job.key} and {store.folder}",
                remedy=f"Set {key} of the model where the config has such a key, or run on a "
                "machine of the same kind; or draw anew with --forceall.",
            )
