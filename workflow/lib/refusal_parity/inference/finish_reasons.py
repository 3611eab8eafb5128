"""Why a response ended, in the words of services, engines and other people's files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.counting import agreed, counted
from refusal_parity.inference.requests import CUT_OFF
from refusal_parity.vocabulary import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMPLETE: Final = frozenset(
    {"stop", "eos", "eos_token", "end_turn", "end", "stop_sequence", "stop_token", "complete"}
)
_CUT: Final = frozenset(
    {
        *("length", "max_tokens", "max_output_tokens", "max_new_tokens", "max_length"),
        *("model_length", "model_context_window_exceeded", "finish_reason_max_tokens"),
    }
)
_FAILED: Final = frozenset({"error", "finish_reason_error"})


def known_form(given: str) -> str:
    """A service's word as the lists of known ones have it: `max-tokens ` is `max_tokens`."""
    return given.strip().lower().replace("-", "_")


def finish_reason(given: str | None) -> str | None:
    """The word that was given, but `length` for every response that was cut off."""
    return CUT_OFF if given is not None and known_form(given) in _CUT else given or None


def is_failure(given: str | None) -> bool:
    """Whether the word says that no whole response came for a failure on the way."""
    return given is not None and known_form(given) in _FAILED


def unknown_reasons(responses: pl.DataFrame) -> Iterator[str]:
    """A line for each finish reason that says neither that a response is whole nor cut off.

    Args:
        responses: rows of the Responses table.
    """
    came = pl.col("status").cast(pl.String).is_in([str(Status.OK), str(Status.EMPTY)])
    counts = responses.filter(came).group_by("finish_reason").len().sort("finish_reason")
    for reason, count in counts.iter_rows():
        if reason and known_form(reason) in {CUT_OFF, *_COMPLETE}:
            continue
        named = f"with the finish reason {reason!r}" if reason else "without a finish reason"
        yield (
            f"{counted(count, 'response')} came {named}: "
            f"{agreed(count, 'it is kept as it is', 'they are kept as they are')}, and whether "
            f"{agreed(count, 'it was', 'they were')} cut off is not known"
        )
