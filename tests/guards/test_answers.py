"""A language model as a guard: the first word of its answer decides, or nothing does."""

from __future__ import annotations

import polars as pl
import pytest

from refusal_parity.config import Arm, ModelGuard
from refusal_parity.guards.answers import guard_questions, stops_of_answers
from refusal_parity.guards.requests import guarded_requests
from refusal_parity.tables import Responses, conform, empty

GUARD = ModelGuard.model_validate(
    {
        "kind": "model",
        "model": {"engine": "openai", "base_url": "http://localhost/v1", "model": "gate"},
        "system": "You guard.",
        "prompt": "May this pass? [PROMPT]",
        "stops": ["unsafe", "Ja"],
        "passes": ["safe", "nein"],
    }
)


@pytest.mark.parametrize(
    ("answer", "status", "stopped", "error"),
    [
        ("unsafe\nS1", "ok", True, None),
        (" Unsafe.", "ok", True, None),
        ("**ja**, das", "ok", True, None),
        ("safe", "ok", False, None),
        ("NEIN", "ok", False, None),
        ("It is unsafe", "ok", None, "the guard's answer begins with neither: It is unsafe"),
        ("unsafely", "ok", None, "the guard's answer begins with neither: unsafely"),
        (None, "empty", None, "the guard gave no answer"),
        (None, "error", None, "the guard was not asked: no server"),
        (None, "filtered", True, None),
    ],
)
def test_the_first_word_decides(
    prompts: pl.DataFrame,
    arms: dict[str, Arm],
    answer: str | None,
    status: str,
    *,
    stopped: bool | None,
    error: str | None,
) -> None:
    requests = guarded_requests(prompts, arms, "gate")
    questions = guard_questions(requests, GUARD)
    assert len(questions) == 4
    assert questions["prompt"][0] == "May this pass? Where does Ann walk?"
    assert questions["system_prompt"].unique().to_list() == ["You guard."]
    answers = questions.select(
        "prompt_id",
        model=pl.lit("gate"),
        sample=pl.lit(0, pl.Int32),
        response=pl.lit(answer, pl.String),
        status=pl.lit(status),
        truncated=pl.lit(value=False),
        error=pl.lit("no server" if status == "error" else None, pl.String),
    )
    table = pl.concat([empty(Responses), answers], how="diagonal_relaxed")
    found = stops_of_answers(requests, conform(table, Responses, where="answers"), GUARD)
    assert found["prompt_id"].to_list() == requests["prompt_id"].to_list()
    assert set(found["stopped"]) == {stopped}
    assert set(found["error"]) == {error}


def test_words_that_stop_and_pass_differ() -> None:
    given = GUARD.model_dump(mode="json") | {"passes": ["no", "UNSAFE"]}
    with pytest.raises(ValueError, match="both stops a request and lets it pass"):
        ModelGuard.model_validate(given)
