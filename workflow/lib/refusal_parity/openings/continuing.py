"""Responses that are given their opening: planned, drawn, and put into a table of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
from typing_extensions import override

from refusal_parity.config import engine_of
from refusal_parity.guards.requests import open_prompts
from refusal_parity.inference.drawing import KEY
from refusal_parity.inference.job import Source
from refusal_parity.inference.plan import numbered
from refusal_parity.inference.rendering import token_hash
from refusal_parity.inference.running import draw_plan, how_drawn, store_of
from refusal_parity.inference.seeds import request_seeds
from refusal_parity.inference.store.responses import response_ids
from refusal_parity.openings.strata import numbers
from refusal_parity.tables import LeafResponses, conform, write_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from refusal_parity.config import VllmModel
    from refusal_parity.inference.job import InferenceJob
    from refusal_parity.inference.requests import Completion


def plan_leaves(
    prompts: pl.DataFrame,
    leaves: pl.DataFrame,
    job: InferenceJob[Any],
    settings: Mapping[str, Any],
) -> pl.DataFrame:
    """Everything that is drawn on from an opening, in table order.

    Args:
        prompts: a table of `Prompts`.
        leaves: of `strata`.
        job: the model's share of the study.
        settings: all that changes responses beside what is sent and its seed.

    Returns:
        The columns of `plan_of`, with opening, token_ids of the opening, expected, weight and
        `within`; `sample` counts all responses of a prompt, `within` those of an opening.

    Raises:
        InputError: two requests would have the same seed.
    """
    drawn = (
        leaves.with_columns(number=numbers(leaves, job.sampling.seed))
        .filter(pl.col("number") > 0)
        .with_columns(within=pl.int_ranges("number"))
        .explode("within")
        .select(*("prompt_id", "opening", "within", "expected", "weight"), path=pl.col("token_ids"))
    )
    rows = (
        numbered(open_prompts(prompts))
        .join(drawn, on="prompt_id", maintain_order="left_right")
        .with_columns(
            model=pl.lit(job.key),
            sample=pl.int_range(pl.len(), dtype=pl.Int32).over("prompt_id"),
            number=pl.col("first_number") + pl.col("within"),
            # Another request than the prompt's own, whatever its number.
            sent=pl.concat_str("sent", "opening", separator="|"),
        )
    )
    rows = rows.with_columns(seed=request_seeds(rows, job.sampling, job.key))
    return rows.with_columns(response_ids(rows, settings)).drop("first_number", "number", "sent")


class _Continuing(Source):
    """A `Source` that sends openings behind prompts."""

    def __init__(self, source: Source, decode: Callable[[list[int]], str]) -> None:
        self._source = source
        self._decode = decode
        self._before: dict[str, str] = {}

    @override
    def settings(self) -> dict[str, Any]:
        return self._source.settings()

    @override
    def provenance(self) -> dict[str, Any]:
        return self._source.provenance()

    @override
    def asked(self) -> dict[str, Any]:
        return self._source.asked()

    @override
    def prepared(self, rows: pl.DataFrame) -> pl.DataFrame:
        ready = self._source.prepared(rows)
        sent = [[*prompt, *path] for prompt, path in ready.select("token_ids", "path").iter_rows()]
        openings = [
            self._written(prompt, path)
            for prompt, path in ready.select("token_ids", "path").iter_rows()
        ]
        return ready.with_columns(
            token_ids=pl.Series(sent, dtype=pl.List(pl.Int64)),
            begun=pl.Series(openings, dtype=pl.String),
            given=pl.col("path").list.len().cast(pl.Int64),
            rendered_sha256=pl.Series(map(token_hash, sent), dtype=pl.String),
            prompt_tokens=pl.Series(map(len, sent), dtype=pl.Int32),
        )

    def _written(self, prompt: list[int], path: list[int]) -> str:
        """The opening's text in its place: where a word begins hangs on what stands before."""
        key = token_hash(prompt)
        if key not in self._before:
            self._before[key] = self._decode(prompt)
        before, both = self._before[key], self._decode([*prompt, *path])
        return both[len(before) :] if both.startswith(before) else self._decode(path)

    @override
    def generate(self, rows: pl.DataFrame, *, fresh: bool) -> Iterator[Completion | None]:
        yield from self._source.generate(rows, fresh=fresh)


def continue_openings(  # noqa: PLR0913 - what a job has
    job: InferenceJob[VllmModel],
    prompts: pl.DataFrame,
    leaves: pl.DataFrame,
    decode: Callable[[list[int]], str],
    output: Path,
    *,
    say: Callable[[str], None],
    source: Source | None = None,
) -> None:
    """Draw what is missing of the responses to openings, and write them all.

    Args:
        job: the model's share of the study.
        prompts: a table of `Prompts`.
        leaves: of `strata`.
        decode: token ids to text, with special tokens.
        output: where the table of `LeafResponses` goes.
        say: called with lines of progress.
        source: an engine at the job's service; null for the model's own.

    Raises:
        InputError: model or prompts cannot be used.
        Stopped: SIGTERM came; the next run goes on from there.
    """
    own = source or engine_of(job.model).module().start(job, say)
    continuing = _Continuing(own, decode)
    settings = continuing.settings()
    plan = plan_leaves(prompts, leaves, job, settings)
    if plan.is_empty():
        say("no opening has any probability: no response is given one")
        write_table(_table(plan, None), LeafResponses, output, metadata={})
        return
    store = store_of(job, settings, output, say=say)
    drawn = draw_plan(continuing, job, plan, plan, store, output, say=say)
    write_table(
        _table(plan, drawn), LeafResponses, output, metadata=how_drawn(continuing, job, store)
    )
    store.close()


def _table(plan: pl.DataFrame, drawn: pl.DataFrame | None) -> pl.DataFrame:
    """A table of `LeafResponses`: `sample` counts within an opening again."""
    columns = LeafResponses.column_names()
    if drawn is None:
        schema = {name: column.dtype for name, column in LeafResponses.columns().items()}
        return pl.DataFrame(schema=schema)
    beside = plan.select(*KEY, "opening", "within", "expected", "weight")
    rows = drawn.join(beside, on=KEY, maintain_order="left").with_columns(
        sample=pl.col("within").cast(pl.Int32)
    )
    return conform(rows.select(columns), LeafResponses, where="leaf responses")
