"""Why a response ended, in the words of services, engines and other people's files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.counting import agreed, counted
from refusal_parity.inference.requests import CUT_OFF
from refusal_parity.vocabulary import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMPLETE: Final = frozenset(
    {
        *("stop", "eos", "eos_token", "end_turn", "end", "stop_sequence", "stop_token", "complete"),
        *("completed", "finish", "finished", "endoftext", "eos_found", "stop_string_found"),
        # Of Anthropic's batches, and of llama.cpp, which found a word to stop at.
        *("succeeded", "word"),
    }
)
_CUT: Final = frozenset(
    {
        *("length", "max_tokens", "max_output_tokens", "max_new_tokens", "max_length", "limit"),
        *("max_completion_tokens", "max_predicted_tokens_reached", "token_limit", "time_limit"),
        *("model_length", "model_context_window_exceeded", "context_length_reached"),
        *("context_length", "context_length_exceeded", "context_window_exceeded", "error_limit"),
    }
)
_FAILED: Final = frozenset(
    {
        *("error", "abort", "aborted", "timeout", "cancelled", "canceled", "user_cancel", "failed"),
        *("failure", "network_error", "internal_error", "server_error", "load", "unload"),
        *("insufficient_system_resource", "user_stopped", "user_cancelled", "model_unloaded"),
        # Of batches.
        *("errored", "expired", "batch_expired"),
    }
)
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ENUMERATION: Final = re.compile(r"^(finish|stop|done)_?reason[._:]")


def known_form(given: str) -> str:
    """A service's word as the lists of known ones have it.

    `max-tokens `, `maxTokens`, `FINISH_REASON_MAX_TOKENS` and `FinishReason.MAX_TOKENS` are
    `max_tokens`.
    """
    word = re.sub(r"[-\s]+", "_", _HUMP.sub("_", given.strip())).lower()
    return _ENUMERATION.sub("", word)


def finish_reason(given: str | None) -> str | None:
    """The word that was given, but `length` for every response that was cut off."""
    return CUT_OFF if given is not None and known_form(given) in _CUT else given or None


def is_failure(given: str | None) -> bool:
    """Whether the word says that no whole response came for a failure on the way."""
    return given is not None and known_form(given) in _FAILED


def is_complete(given: str | None) -> bool:
    """Whether the word says that the response came to its own end."""
    return given is not None and known_form(given) in _COMPLETE


def unknown_reasons(responses: pl.DataFrame) -> Iterator[str]:
    """A sentence for each finish reason that says neither that a response is whole nor cut off.

    Args:
        responses: rows of the Responses table.
    """
    came = pl.col("status").cast(pl.String).is_in([str(Status.OK), str(Status.EMPTY)])
    counts = responses.filter(came).group_by("finish_reason").len().sort("finish_reason")
    for reason, count in counts.iter_rows():
        if reason == CUT_OFF or is_complete(reason):
            continue
        named = f"with the finish reason {reason!r}" if reason else "without a finish reason"
        yield (
            f"{counted(count, 'response')} came {named}: "
            f"{agreed(count, 'it is kept as it is', 'they are kept as they are')}, and whether "
            f"{agreed(count, 'it was', 'they were')} cut off is not known"
        )
