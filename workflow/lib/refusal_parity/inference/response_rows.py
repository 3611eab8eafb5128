"""What an engine gives back, as rows of the table of responses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import polars as pl
from polars.exceptions import PolarsError

from refusal_parity.cells import cell
from refusal_parity.errors import InputError
from refusal_parity.inference.requests import CUT_OFF, Completion
from refusal_parity.tables import Responses, conform, empty
from refusal_parity.vocabulary import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

_NO_RESPONSE: Final = "the engine gave no response"
_NOTHING: Final = Completion(index=0, text=None, finish_reason=None, response_tokens=None)


def as_rows(asked: pl.DataFrame, completions: Sequence[Completion]) -> pl.DataFrame:
    """Rows of `Responses` for completions of some of the rows that were asked.

    One that no table can hold is a row with an error, and takes none of the others along.
    """
    try:
        return _table(asked, completions)
    except (ValueError, TypeError, AttributeError, OverflowError, PolarsError, InputError) as error:
        if len(completions) > 1:
            return pl.concat([as_rows(asked, [one]) for one in completions])
        words = f"the response cannot be kept ({type(error).__name__})"
        unkept = replace(_NOTHING, index=completions[0].index, error=words)
        return _table(asked, [unkept])


def _table(asked: pl.DataFrame, completions: Sequence[Completion]) -> pl.DataFrame:
    drawn = asked[[completion.index for completion in completions]].with_columns(
        response=pl.Series(
            [one.text and (cell(one.text) or "") for one in completions], dtype=pl.String
        ),
        thinking=pl.Series([one.thinking for one in completions], dtype=pl.String),
        finish_reason=pl.Series([one.finish_reason for one in completions], dtype=pl.String),
        refusal_reason=pl.Series([one.refusal_reason for one in completions], dtype=pl.String),
        response_tokens=pl.Series([one.response_tokens for one in completions], dtype=pl.Int32),
        prompt_tokens=pl.coalesce(
            pl.Series([one.prompt_tokens for one in completions], dtype=pl.Int32), "prompt_tokens"
        ),
        cost=pl.Series([one.cost for one in completions], dtype=pl.Float64),
        error=pl.Series([one.error for one in completions], dtype=pl.String),
        answered_at=pl.Series(
            [one.answered_at for one in completions], dtype=empty(Responses).schema["answered_at"]
        ),
        answered_by=pl.Series([one.answered_by for one in completions], dtype=pl.String),
        fingerprint=pl.Series([one.fingerprint for one in completions], dtype=pl.String),
    )
    return conform(_with_status(drawn), Responses, where="responses")


def _with_status(drawn: pl.DataFrame) -> pl.DataFrame:
    filtered = pl.col("refusal_reason").is_not_null()
    failed = ~filtered & pl.col("response").is_null()
    status = (
        pl.when(filtered)
        .then(pl.lit(str(Status.FILTERED)))
        .when(failed)
        .then(pl.lit(str(Status.ERROR)))
        .when(pl.col("response") == "")
        .then(pl.lit(str(Status.EMPTY)))
        .otherwise(pl.lit(str(Status.OK)))
    )
    return (
        drawn.with_columns(
            status=status,
            truncated=pl.col("finish_reason").eq_missing(CUT_OFF),
            error=pl.when(failed).then(pl.coalesce("error", pl.lit(_NO_RESPONSE))),
            imported_label=pl.lit(None, pl.String),
        )
        .select(Responses.column_names())
        .cast(empty(Responses).schema)
    )


def as_lost(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of `Responses` for requests that the engine never gave back, which is an error."""
    return _table(rows, [replace(_NOTHING, index=index) for index in range(len(rows))])
