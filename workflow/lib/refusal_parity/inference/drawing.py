"""Draw what is missing of a plan, and keep every response as it comes."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import polars as pl
from polars.exceptions import PolarsError

from refusal_parity.csvfiles import cell
from refusal_parity.errors import InputError
from refusal_parity.inference.chunks import KEY
from refusal_parity.inference.job import CHUNK_S
from refusal_parity.inference.requests import CUT_OFF, Completion
from refusal_parity.inference.stopping import Sigterm
from refusal_parity.pace import duration, ended, speed
from refusal_parity.tables import Responses, conform, empty
from refusal_parity.vocabulary import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from refusal_parity.inference.chunks import ChunkStore

_REPORT_EVERY_S: Final = 5.0
_FEWEST_FOR_A_RATE: Final = 20
_NO_RESPONSE: Final = "the engine gave no response"
_NOTHING: Final = Completion(index=0, text=None, finish_reason=None, response_tokens=None)


def draw(
    plan: pl.DataFrame,
    generate: Callable[[pl.DataFrame], Iterator[Completion | None]],
    store: ChunkStore,
    *,
    say: Callable[[str], None],
    chunk_s: float = CHUNK_S,
) -> pl.DataFrame:
    """Draw every planned row that the store does not have yet.

    Args:
        plan: one row for each response, in table order: the columns of
            `Responses` that are known beforehand, and what `generate` needs.
        generate: given rows of the plan, yields their completions in the order
            in which they finish; `index` is the row's place among those given. Null
            says that nothing finished for a while.
        store: where finished rows are saved, and were saved before.
        say: called with a line of progress every few seconds.
        chunk_s: seconds between two chunks.

    Returns:
        A table of `Responses`, in the plan's order.

    Raises:
        Stopped: SIGTERM came; all that was finished is saved.
    """
    saved = store.read()
    missing = plan.join(saved, on=KEY, how="anti", maintain_order="left")
    there = len(plan) - len(missing)
    say(f"starting to draw: {there:,} of {len(plan):,} responses are there already")
    frames = [saved]
    finished: list[Completion] = []

    def save() -> None:
        rows = as_rows(missing, finished)
        finished.clear()
        frames.append(rows)
        # A row that failed is asked again by the next run.
        whole = rows.filter(pl.col("status") != str(Status.ERROR))
        if len(whole):
            store.save(whole)

    progress = _Progress(len(missing), say)
    with Sigterm() as sigterm:
        try:
            chunk_began = time.monotonic()
            for completion in generate(missing):
                if completion is not None:
                    finished.append(completion)
                now = progress.note(completion)
                if finished and now - chunk_began > chunk_s:
                    with sigterm.held():
                        save()
                    chunk_began = now
                sigterm.check()
        except Exception:
            # An engine's own processes get SIGTERM too, and it fails when they end.
            sigterm.check()
            raise
        finally:
            with sigterm.held():
                save()
            if sigterm.asked:
                kept = sum(map(len, frames))
                say(
                    f"stopped by {sigterm.by}: {kept:,} of {len(plan):,} responses are saved; "
                    "run again to go on"
                )
        sigterm.check()
    progress.end()
    rows = _in_plan_order(plan, pl.concat(frames))
    unended = rows.filter(pl.col("thinking").is_not_null(), status=str(Status.EMPTY))
    if len(unended):
        cut = unended["truncated"].sum()
        say(
            f"{len(unended):,} of {len(rows):,} responses are thinking that never came to an "
            f"answer; the limit on tokens cut {cut:,} of them off"
        )
    return rows


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


def _in_plan_order(plan: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Each planned row once; one that the engine never gave back is an error."""
    lost = plan.join(rows, on=KEY, how="anti", maintain_order="left").with_columns(
        response=pl.lit(None, pl.String),
        thinking=pl.lit(None, pl.String),
        finish_reason=pl.lit(None, pl.String),
        refusal_reason=pl.lit(None, pl.String),
        response_tokens=pl.lit(None, pl.Int32),
        cost=pl.lit(None, pl.Float64),
        error=pl.lit(None, pl.String),
    )
    everything = pl.concat([rows, _with_status(lost)])
    return plan.select(KEY).join(everything, on=KEY, how="left", maintain_order="left").select(
        Responses.column_names()
    )  # fmt: skip


class _Progress:
    """Says every few seconds how far the drawing is."""

    def __init__(self, total: int, say: Callable[[str], None]) -> None:
        self._total = total
        self._say = say
        self._done = self._failed = 0
        self._began = self._spoke = time.monotonic()

    def note(self, completion: Completion | None) -> float:
        """Count a response or a failed request; returns the time."""
        if completion is not None:
            failed = completion.error is not None
            self._failed += failed
            self._done += not failed
        now = time.monotonic()
        if now - self._spoke > _REPORT_EVERY_S and completion is not None:
            self._spoke = now
            rate = self._done / (now - self._began)
            left = self._total - self._done - self._failed
            # The first responses wait for a start, and tell nothing of the rest.
            known = self._done >= _FEWEST_FOR_A_RATE
            time_left = f", {duration(left / rate)} left" if known else ""
            self._say(
                f"{self._done:,} of {self._total:,} responses{self._failures()}, "
                f"{speed(rate)}{time_left}"
            )
        return now

    def end(self) -> None:
        seconds = time.monotonic() - self._began
        self._say(f"{ended(self._done, seconds)}{self._failures()}")

    def _failures(self) -> str:
        return f", {self._failed:,} requests failed" if self._failed else ""
