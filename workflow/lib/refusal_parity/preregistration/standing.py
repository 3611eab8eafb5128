"""What is there of a study when it is registered: weights, and responses that nobody should see."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from refusal_parity.config import engine_of
from refusal_parity.inference.forecast import stored_responses
from refusal_parity.inference.provenance import pinned_source
from refusal_parity.inference.store.responses import STORE
from refusal_parity.tables import Responses, read_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from refusal_parity.config import StudyConfig
    from refusal_parity.inference.forecast import Folders


def pinned_weights(
    study: StudyConfig, folders: Mapping[str, Folders]
) -> dict[str, dict[str, Any] | None]:
    """What pins the weights of each model that has any; null where hashing would take long.

    Args:
        study: its config.
        folders: where the files of models lie.
    """
    notes = Path(study.results) / STORE / "hashes"
    found: dict[str, dict[str, Any] | None] = {}
    for key, model in study.models.items():
        if engine_of(model).weights:
            source = getattr(model, "source").model_dump()  # noqa: B009 - of engines with weights
            weights = folders[key].weights
            there = weights is not None and ("revision" in source or weights.is_dir())
            found[key] = (
                pinned_source(source, weights, notes, quick=True) if weights and there else None
            )
    return found


def responses_there(
    study: StudyConfig, prompts: pl.DataFrame, folders: Mapping[str, Folders]
) -> dict[str, int | None]:
    """Responses of each model that the study has, or that a run would take from its store.

    Args:
        study: its config.
        prompts: those that models are asked.
        folders: where the files of models lie, of those that draw.

    Returns:
        By model; null where nobody can tell: an imported model's file is there, whose rows
        are not counted, or the store cannot be searched.
    """
    store = Path(study.results) / STORE
    kept = store.is_dir() and any(store.rglob("*.parquet"))
    stored = stored_responses(study, prompts, folders) if kept else dict.fromkeys(folders, 0)
    found: dict[str, int | None] = {}
    for key, model in study.models.items():
        folder = Path(study.results) / study.study / "models" / key
        tables = (folder / f"{name}.parquet" for name in ("drawn", "responses"))
        rows = max(
            (len(read_table(Responses, each)) for each in tables if each.is_file()), default=0
        )
        if rows:
            found[key] = max(rows, stored.get(key) or 0)
        elif engine_of(model).draws:
            found[key] = stored[key]
        else:
            found[key] = None
    return found
