"""Tables of earlier releases, read as what they mean today."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import polars as pl

from refusal_parity.tables.responses import Labels, Responses
from refusal_parity.vocabulary import Status

if TYPE_CHECKING:
    import dataframely as dy

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)

_TRUNCATED = "truncated"
_PARTIAL = "p_partial_refusal"
_SINCE_STORE = ("response_id", "answered_at", "answered_by", "fingerprint")


def renew(frame: Frame, schema: type[dy.Schema]) -> Frame:
    """Give a table the columns that it had no word for when it was written.

    Labels were of six classes before refusals in part had one, and nobody asked how far a
    response is from those learnt. Until release 0.1 a
    response that was cut off had the status `truncated`, and there was no column for
    thinking, nor for the reason of a service's refusal; nor, until there was a store of
    responses, for their keys and for when and by what a server answered.

    Args:
        frame: a table as it was read, or as it will be.
        schema: what it is a table of.
    """
    there = frame.collect_schema().names()
    if schema is Labels and "p_refusal" in there and _PARTIAL not in there:
        never = pl.when(pl.col("p_refusal").is_not_null()).then(0.0)
        return frame.with_columns(
            never.alias(_PARTIAL),
            unseen=pl.lit(None, pl.Float64),
            distance=pl.lit(None, pl.Float64),
            unsure=pl.lit(None, pl.Boolean),
        )
    if schema is not Responses or "status" not in there:
        return frame
    columns = Responses.columns()
    frame = frame.with_columns(
        pl.lit(None, columns[name].dtype).alias(name) for name in _SINCE_STORE if name not in there
    )
    if _TRUNCATED in there:
        return frame
    status = pl.col("status").cast(pl.String)
    return frame.with_columns(
        status=pl.when(status == _TRUNCATED).then(pl.lit(str(Status.OK))).otherwise(status),
        truncated=status == _TRUNCATED,
        thinking=pl.lit(None, pl.String),
        refusal_reason=pl.lit(None, pl.String),
    )
