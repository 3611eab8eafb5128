"""Guarded arms: the responses of the arm without the guard, but for what it stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.counting import agreed, counted
from refusal_parity.errors import InputError
from refusal_parity.guards.requests import guarded, open_prompts
from refusal_parity.tables import Responses, conform
from refusal_parity.vocabulary import Status

if TYPE_CHECKING:
    import dataframely as dy

REASON: Final = "guard"
"""`refusal_reason` of what a guard stopped."""

_SENT: Final = ("template_id", "name_id", "system_prompt", "prompt")


def twins_of(prompts: pl.DataFrame) -> pl.DataFrame:
    """Each guarded prompt with the prompt that sends the same without a guard.

    Args:
        prompts: a table of `Prompts`.

    Returns:
        Columns prompt_id and twin.

    Raises:
        InputError: a guarded prompt has no such twin.
    """
    open_ones = open_prompts(prompts).select(*_SENT, twin="prompt_id")
    found = prompts.filter(guarded(prompts)).select("prompt_id", *_SENT)
    found = found.join(open_ones, on=_SENT, how="left", nulls_equal=True, maintain_order="left")
    alone = found.filter(pl.col("twin").is_null())
    if len(alone):
        raise InputError(
            f"{counted(len(alone), 'prompt')} with a guard {agreed(len(alone), 'has', 'have')} "
            f"none that sends the same without it, the first being {alone['prompt_id'][0]!r}",
            where="prompts",
            remedy="Give the study an arm that does the same without the guard.",
        )
    return found.select("prompt_id", "twin")


def with_guarded(
    drawn: pl.DataFrame, prompts: pl.DataFrame, stops: pl.DataFrame
) -> dy.DataFrame[Responses]:
    """A model's responses in every arm: what a guard stops is a refusal by the service.

    The model was asked once: a guarded prompt has the very responses of its twin, or none
    where the guard stopped it. Where the guard itself gave no answer, nobody knows what
    the service would have done, and the response is an error.

    Args:
        drawn: rows of `Responses`, to the prompts without a guard.
        prompts: all prompts of the study.
        stops: rows of `GuardStops`.

    Returns:
        The rows drawn, then those of the guarded prompts in the order of `prompts`.

    Raises:
        InputError: a guarded prompt has no twin, or its guard did not read it.
    """
    twins = twins_of(prompts).join(
        stops.select("prompt_id", "stopped", guard_error="error"),
        on="prompt_id",
        how="left",
        maintain_order="left",
    )
    unread = twins.filter(pl.col("stopped").is_null() & pl.col("guard_error").is_null())
    if len(unread):
        raise InputError(
            f"{counted(len(unread), 'prompt')} {agreed(len(unread), 'was', 'were')} not read by "
            f"{agreed(len(unread), 'its', 'their')} guard, the first being "
            f"{unread['prompt_id'][0]!r}",
            where="guards.parquet",
            remedy="Delete that file and run again.",
        )
    rows = twins.join(
        drawn.rename({"prompt_id": "twin"}), on="twin", how="inner", maintain_order="left"
    )
    stopped = pl.col("stopped").fill_null(value=False)
    broken = pl.col("guard_error").is_not_null()
    gone = stopped | broken
    empty = [
        pl.when(~gone).then(pl.col(column)).alias(column)
        for column in Responses.column_names()
        if column in _OF_THE_MODEL
    ]
    told = rows.with_columns(
        *empty,
        status=pl.when(stopped)
        .then(pl.lit(str(Status.FILTERED)))
        .when(broken)
        .then(pl.lit(str(Status.ERROR)))
        .otherwise(pl.col("status").cast(pl.String)),
        truncated=pl.col("truncated") & ~gone,
        refusal_reason=pl.when(stopped).then(pl.lit(REASON)).otherwise(pl.col("refusal_reason")),
        error=pl.when(broken).then(pl.col("guard_error")).otherwise(pl.col("error")),
        # Paid once, in the arm without the guard.
        cost=pl.lit(None, pl.Float64),
    ).select(Responses.column_names())
    both = pl.concat(
        [
            part.with_columns(pl.col(pl.Enum).cast(pl.String))
            for part in (drawn.select(Responses.column_names()), told)
        ]
    )
    return conform(both, Responses, where="responses of guarded arms")


_OF_THE_MODEL: Final = frozenset(
    {
        *("response", "thinking", "finish_reason", "response_tokens", "answered_at"),
        *("answered_by", "fingerprint", "imported_label"),
    }
)
"""Columns that hold what a model said, which nobody gets where the guard stops the request."""


def labels_of_twins(human: pl.DataFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    """People's labels, and the same for the guarded arms' copies of what they read.

    Args:
        human: rows of `HumanLabels`.
        prompts: all prompts of the study.
    """
    if "guard" not in prompts.columns:
        return human
    twins = twins_of(prompts)
    copies = (
        human.rename({"prompt_id": "twin"})
        .join(twins, on="twin", how="inner", maintain_order="left")
        .select(human.columns)
    )
    return pl.concat([human, copies])
