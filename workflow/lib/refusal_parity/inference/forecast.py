"""How many responses of a study are there before it runs: no engine is started for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from refusal_parity.config import engine_of
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.plan import plan_of
from refusal_parity.inference.running import store_of
from refusal_parity.inference.store.responses import STORE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import polars as pl

    from refusal_parity.config import StudyConfig

MOST: Final = 1_000_000
"""Responses of a model that are looked up; more would keep a dry-run waiting."""


@dataclass(frozen=True, slots=True)
class Folders:
    """Where a model's files lie, or will lie.

    Attributes:
        weights: of the model; null for an engine without.
        adapter: of its LoRA adapter.
        since: only responses that were drawn since then count, as the user wants.
    """

    weights: Path | None = None
    adapter: Path | None = None
    since: datetime | None = None


def stored_responses(
    config: StudyConfig, prompts: pl.DataFrame | None, folders: Mapping[str, Folders]
) -> dict[str, int | None]:
    """How many of each model's responses a run would take over.

    Args:
        config: the study.
        prompts: its prompts, as far as known.
        folders: of each model that is asked about.

    Returns:
        By model; null where it cannot be said yet: its weights are not there or were never
        hashed, or the prompts are not known or too many.
    """
    if prompts is None or len(prompts) * config.samples > MOST:
        return dict.fromkeys(folders)
    return {key: _of_model(config, prompts, key, place) for key, place in folders.items()}


def _of_model(config: StudyConfig, prompts: pl.DataFrame, key: str, place: Folders) -> int | None:
    model = config.models[key]
    engine = engine_of(model)
    output = Path(config.results) / config.study / "models" / key / "responses.parquet"
    job = InferenceJob(
        key=key,
        model=model,
        folder=place.weights or Path(),
        adapter=place.adapter,
        samples=config.samples,
        sampling=config.sampling,
        store=Path(config.results) / STORE,
        since=place.since,
    )
    settings = engine.module().settings(job, quick=True)
    if settings is None:
        return None
    store = store_of(job, settings, output)
    if store.is_empty():
        return 0
    return len(store.find(plan_of(prompts, job, settings)["response_id"]))
