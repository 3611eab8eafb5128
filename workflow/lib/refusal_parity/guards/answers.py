"""A language model as a guard: what it is asked, and what its answers mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.config import SamplingConfig
from refusal_parity.config.arms import PROMPT
from refusal_parity.spelling import reading
from refusal_parity.vocabulary import Status

if TYPE_CHECKING:
    from refusal_parity.config import ModelGuard


def guard_questions(requests: pl.DataFrame, guard: ModelGuard) -> pl.DataFrame:
    """What a guard is asked: each different request once.

    Args:
        requests: as from `guarded_requests`.
        guard: its part of the config.

    Returns:
        Columns prompt_id (of the first prompt with that request), system_prompt and prompt.
    """
    before, _, behind = guard.prompt.partition(PROMPT)
    return requests.unique("request", keep="first", maintain_order=True).select(
        "prompt_id",
        system_prompt=pl.lit(guard.system, dtype=pl.String),
        prompt=pl.concat_str(pl.lit(before), "request", pl.lit(behind)),
    )


def guard_sampling(guard: ModelGuard) -> SamplingConfig:
    """Greedy: a guard is asked once."""
    return SamplingConfig(temperature=0.0, max_tokens=guard.max_tokens, seed=1)


def stops_of_answers(
    requests: pl.DataFrame, answers: pl.DataFrame, guard: ModelGuard
) -> pl.DataFrame:
    """Whether each request is stopped: by the first word of the guard's answer.

    Args:
        requests: as from `guarded_requests`.
        answers: rows of `Responses` to `guard_questions`.
        guard: its part of the config.

    Returns:
        Columns prompt_id, stopped, p_harm (null), answer and error.
    """
    first = pl.col("response").str.extract(r"([\p{L}\p{N}_-]+)").map_elements(
        reading, return_dtype=pl.String
    )  # fmt: skip
    stops, passes = ([reading(word) for word in words] for words in (guard.stops, guard.passes))
    # A guard that a filter keeps from answering has itself been stopped for what was asked.
    filtered = pl.col("status").cast(pl.String) == Status.FILTERED
    read = (
        guard_questions(requests, guard)
        .select("prompt_id")
        .join(answers, on="prompt_id", how="left", maintain_order="left")
        .with_columns(first=first)
        .with_columns(
            stopped=pl.when(pl.col("first").is_in(stops) | filtered)
            .then(pl.lit(value=True))
            .when(pl.col("first").is_in(passes))
            .then(pl.lit(value=False))
        )
    )
    failed = pl.coalesce(
        pl.format("the guard was not asked: {}", "error"),
        pl.format(
            "the guard's answer begins with neither: {}", pl.col("response").str.slice(0, 80)
        ),
        pl.lit("the guard gave no answer"),
    )
    said = read.select(
        "prompt_id",
        "stopped",
        answer="response",
        error=pl.when(pl.col("stopped").is_null()).then(failed),
    )
    of_request = requests.select("prompt_id", "request")
    return (
        of_request.join(
            said.join(of_request, on="prompt_id").drop("prompt_id"),
            on="request",
            how="left",
            maintain_order="left",
        )
        .with_columns(p_harm=pl.lit(None, pl.Float64))
        .select("prompt_id", "stopped", "p_harm", "answer", "error")
    )
