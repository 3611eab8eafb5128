"""Draw what is missing of a plan, and keep every response as it comes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import polars as pl

from refusal_parity.counting import agreed, counted
from refusal_parity.inference.job import CHUNK_S
from refusal_parity.inference.response_rows import as_lost, as_rows
from refusal_parity.inference.stopping import Sigterm
from refusal_parity.pace import duration, ended, speed
from refusal_parity.tables import Responses, empty
from refusal_parity.vocabulary import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from refusal_parity.inference.requests import Completion
    from refusal_parity.inference.store.responses import ResponseStore

KEY: Final = ("prompt_id", "sample")

_LOOK_EVERY_S: Final = 2.0
_REPORT_EVERY_S: Final = 5.0
_FEWEST_FOR_A_RATE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """How responses are drawn, once some are missing.

    Attributes:
        generate: given prepared rows and whether nothing was ever drawn before, yields their
            completions in the order in which they finish; `index` is the row's place among
            those given. Null says that nothing finished for a while.
        prepared: given rows of the plan, the same with prompt_tokens, rendered_sha256 and
            what `generate` needs.
        chunk_s: seconds between two savings.
    """

    generate: Generate
    prepared: Callable[[pl.DataFrame], pl.DataFrame]
    chunk_s: float = CHUNK_S


class Generate(Protocol):
    """What draws."""

    def __call__(self, rows: pl.DataFrame, *, fresh: bool) -> Iterator[Completion | None]:
        """Draw rows."""
        ...


def draw(
    plan: pl.DataFrame, work: Work, store: ResponseStore, *, say: Callable[[str], None]
) -> pl.DataFrame:
    """Take over what the store has of a plan, and draw what it has not.

    What another job is drawing at this moment is waited for, and drawn here only if that job
    ends without it.

    Args:
        plan: one row for each response, in table order: model, prompt_id, sample, seed and
            response_id, and what `work` needs.
        work: how responses are drawn.
        store: where finished rows are saved, and were saved before.
        say: called with a line of progress every few seconds.

    Returns:
        A table of `Responses`, in the plan's order.

    Raises:
        Stopped: SIGTERM came; all that was finished is saved.
    """
    taken = _named(plan, store.find(plan["response_id"]))
    say(
        f"starting to draw: {len(taken):,} of {counted(len(plan), 'response')} "
        f"{agreed(len(taken), 'is', 'are')} there already"
    )
    if store.expired:
        say(
            f"{counted(store.expired, 'other')} {agreed(store.expired, 'is', 'are')} older than "
            f"reuse_within allows, and {agreed(store.expired, 'is', 'are')} asked anew"
        )
    run = _Run(work=work, store=store, say=say, frames=[taken])
    with Sigterm() as sigterm, store.claims:
        try:
            run.draw(plan, sigterm)
        finally:
            if sigterm.asked:
                kept = sum(len(rows.filter(~_failed())) for rows in run.frames)
                say(
                    f"stopped by {sigterm.by}: {kept:,} of {counted(len(plan), 'response')} "
                    f"{agreed(kept, 'is', 'are')} saved; run again to go on"
                )
        sigterm.check()
    rows = _in_plan_order(plan, pl.concat(run.frames))
    unended = rows.filter(pl.col("thinking").is_not_null(), status=str(Status.EMPTY))
    if len(unended):
        cut = unended["truncated"].sum()
        say(
            f"{len(unended):,} of {counted(len(rows), 'response')} "
            f"{agreed(len(unended), 'is', 'are')} thinking that never came to an answer; the "
            f"limit on tokens cut {cut:,} of them off"
        )
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One job's drawing.

    Attributes:
        work: how responses are drawn.
        store: where they are saved.
        say: called with lines of progress.
        frames: tables of `Responses`, of what is there so far.
    """

    work: Work
    store: ResponseStore
    say: Callable[[str], None]
    frames: list[pl.DataFrame]

    def draw(self, plan: pl.DataFrame, sigterm: Sigterm) -> None:
        """Draw what no other job is drawing, and wait for what one is."""
        claims, waited, came = self.store.claims, False, 0
        while len(missing := _missing(plan, self.frames)):
            free = claims.take(missing["response_id"])
            # Another job may have saved some of it between a look and a claim.
            found = self.store.find(missing["response_id"], new_only=True)
            came += len(found)
            self.frames.append(_named(missing, found))
            ours = _missing(missing, self.frames).filter(pl.col("response_id").is_in(free))
            if len(ours):
                self._draw_ours(self.work.prepared(ours), sigterm)
            elif not free:
                if not waited:
                    self.say(
                        f"waiting for {counted(len(missing), 'response')} that another job is "
                        "drawing"
                    )
                waited = True
                sigterm.check()
                time.sleep(_LOOK_EVERY_S)
            claims.release()
        if came:
            self.say(
                f"{counted(came, 'response')} that another job drew meanwhile "
                f"{agreed(came, 'is', 'are')} taken over"
            )

    def _draw_ours(self, rows: pl.DataFrame, sigterm: Sigterm) -> None:
        finished: list[Completion] = []
        progress = _Progress(len(rows), self.say)

        def save() -> None:
            drawn = as_rows(rows, finished)
            finished.clear()
            # A row that failed is asked again by the next run.
            whole = drawn.filter(~_failed())
            if len(whole):
                self.store.save(whole)
            self.frames.append(drawn)

        try:
            chunk_began = time.monotonic()
            for completion in self.work.generate(rows, fresh=self.store.is_empty()):
                if completion is not None:
                    finished.append(completion)
                now = progress.note(completion)
                if finished and now - chunk_began > self.work.chunk_s:
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
        progress.end()
        self.frames.append(as_lost(_missing(rows, self.frames)))


def _failed() -> pl.Expr:
    return pl.col("status") == str(Status.ERROR)


def _missing(plan: pl.DataFrame, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Rows of a plan that are in none of the frames."""
    there = pl.concat([rows.select("response_id") for rows in frames])
    return plan.join(there, on="response_id", how="anti", maintain_order="left")


def _named(plan: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """Stored responses as rows of the study's own table."""
    rows = (
        plan.select("model", *KEY, "response_id")
        .join(stored, on="response_id", how="inner", maintain_order="left")
        .with_columns(error=pl.lit(None, pl.String), imported_label=pl.lit(None, pl.String))
    )
    return rows.select(Responses.column_names()).cast(empty(Responses).schema)


def _in_plan_order(plan: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Each planned row once."""
    return plan.select(KEY).join(rows, on=KEY, how="left", maintain_order="left").select(
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
                f"{self._done:,} of {counted(self._total, 'response')}{self._failures()}, "
                f"{speed(rate)}{time_left}"
            )
        return now

    def end(self) -> None:
        seconds = time.monotonic() - self._began
        self._say(f"{ended(self._done, seconds)}{self._failures()}")

    def _failures(self) -> str:
        return f", {counted(self._failed, 'request')} failed" if self._failed else ""
