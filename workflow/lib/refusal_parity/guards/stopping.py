"""The table of what guards stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.counting import counted
from refusal_parity.guards.answers import stops_of_answers
from refusal_parity.guards.requests import guarded_requests
from refusal_parity.tables import GuardStops, conform, empty

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dataframely as dy

    from refusal_parity.config import Arm, ClassifierGuard, GuardConfig
    from refusal_parity.guards.classifier import GuardClassifier


def stop_requests(
    prompts: pl.DataFrame,
    arms: Mapping[str, Arm],
    guards: Mapping[str, GuardConfig],
    *,
    trained: Mapping[str, GuardClassifier],
    answers: Mapping[str, pl.DataFrame],
) -> dy.DataFrame[GuardStops]:
    """What every guard says of the requests that it reads.

    Args:
        prompts: a table of `Prompts`.
        arms: of the study.
        guards: of the study, by key.
        trained: the classifiers among them.
        answers: rows of `Responses` of the language models among them.
    """
    parts = []
    for key, guard in guards.items():
        requests = guarded_requests(prompts, arms, key)
        if requests.is_empty():
            continue
        said = (
            stops_of_answers(requests, answers[key], guard)
            if guard.kind == "model"
            else _classified(requests, trained[key], guard)
        )
        parts.append(said.with_columns(guard=pl.lit(key)))
    stops = pl.concat(parts, how="diagonal_relaxed") if parts else empty(GuardStops)
    return conform(stops, GuardStops, where="guards")


def stops_sentence(stops: pl.DataFrame) -> str:
    """What was stopped, for the log."""
    lines = [
        f"{guard} stopped {int(part['stopped'].sum()):,} of {counted(len(part), 'request')}"
        + (f", and said neither of {failed:,}" if (failed := part["error"].count()) else "")
        for (guard,), part in stops.group_by("guard", maintain_order=True)
    ]
    return "; ".join(lines) or "no guard reads anything"


def _classified(
    requests: pl.DataFrame, classifier: GuardClassifier, guard: ClassifierGuard
) -> pl.DataFrame:
    harm = classifier.p_harm(requests["request"].to_list(), requests["template"].to_list())
    return requests.select(
        "prompt_id",
        stopped=pl.Series(harm >= guard.threshold, dtype=pl.Boolean),
        p_harm=pl.Series(harm, dtype=pl.Float64),
        answer=pl.lit(None, pl.String),
        error=pl.lit(None, pl.String),
    )
