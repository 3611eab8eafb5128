"""Why a response ended, in the words of services, engines and other people's files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

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


def finish_reason(given: str | None) -> str | None:
    """The word that was given, but `length` for every response that was cut off."""
    return CUT_OFF if given is not None and given.lower() in _CUT else given or None


def is_failure(given: str | None) -> bool:
    """Whether the word says that no whole response came for a failure on the way."""
    return given is not None and given.lower() in _FAILED


def unknown_reasons(responses: pl.DataFrame) -> Iterator[str]:
    """A line for each finish reason that says neither that a response is whole nor cut off.

    Args:
        responses: rows of the Responses table.
    """
    came = pl.col("status").cast(pl.String).is_in([str(Status.OK), str(Status.EMPTY)])
    word = pl.col("finish_reason")
    known = word.str.to_lowercase().is_in([CUT_OFF, *_COMPLETE])
    unknown = responses.filter(came & ~known.fill_null(value=False))
    for reason, count in unknown.group_by("finish_reason").len().sort("finish_reason").iter_rows():
        named = f"with the finish reason {reason!r}" if reason else "without a finish reason"
        yield (
            f"{count:,} responses came {named}: they are kept as they are, and whether they were "
            "cut off is not known"
        )
