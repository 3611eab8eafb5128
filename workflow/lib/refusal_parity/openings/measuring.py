"""A whole job: from labelled responses and their openings to each prompt's propensity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from refusal_parity.config import engine_of
from refusal_parity.counting import agreed, counted
from refusal_parity.guards.requests import open_prompts
from refusal_parity.inference.plan import what_is_sent
from refusal_parity.inference.requests import Step
from refusal_parity.openings.pilot import folds_of
from refusal_parity.openings.propensity import (
    ALL,
    Draw,
    Measured,
    leaves_of,
    probabilities,
    propensities,
)
from refusal_parity.openings.store import StepStore
from refusal_parity.openings.tree import key_of, leaf_of
from refusal_parity.openings.walking import walk
from refusal_parity.tables import DrawnOpenings, conform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import dataframely as dy

    from refusal_parity.inference.job import InferenceJob
    from refusal_parity.inference.requests import StepAnswer, Teller
    from refusal_parity.openings.pilot import Pilot
    from refusal_parity.openings.propensity import Opened
    from refusal_parity.openings.tree import Leaf
    from refusal_parity.openings.walking import Tokens

_FAR_OFF = 4.0
"""Standard errors beyond which draws do not open as probabilities say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Propensities:
    """What a job gives.

    Attributes:
        probabilities: a table of `OpeningProbabilities`.
        propensities: of `Propensity`.
        drawn: of `DrawnOpenings`.
        metadata: how they were made.
    """

    probabilities: pl.DataFrame
    propensities: pl.DataFrame
    drawn: pl.DataFrame
    metadata: dict[str, Any]


class _Asking:
    """An engine that is started when there is something to ask."""

    def __init__(
        self,
        job: InferenceJob[Any],
        prompts: dict[str, tuple[str, str | None]],
        say: Callable[[str], None],
        ready: Teller | None,
    ) -> None:
        self._job = job
        self._ready = ready
        self._prompts = prompts
        self._say = say
        self.provenance: dict[str, Any] = {}

    @cached_property
    def _engine(self) -> Teller:
        engine = self._ready
        if engine is None:
            self._say("starting the engine")
            engine = engine_of(self._job.model).module().start_weighing(self._job)
        self.provenance = engine.provenance()
        return engine

    @cached_property
    def _rendered(self) -> dict[str, list[int]]:
        pairs = pl.DataFrame(
            list(self._prompts.values()),
            schema={"prompt": pl.String, "system_prompt": pl.String},
            orient="row",
        )
        module = engine_of(self._job.model).module()
        rendered = module.rendered_prompts(self._engine, pairs, self._job)
        return dict(zip(self._prompts, rendered["token_ids"].to_list(), strict=True))

    def __call__(self, steps: Sequence[tuple[str, Tokens, Sequence[int]]]) -> Iterator[StepAnswer]:
        yield from self._engine.next_tokens(
            [
                Step(index, [*self._rendered[sent], *beginning], tokens)
                for index, (sent, beginning, tokens) in enumerate(steps)
            ]
        )


def measure(  # noqa: PLR0913 - what a job has
    job: InferenceJob[Any],
    prompts: pl.DataFrame,
    openings: pl.DataFrame,
    pilot: Pilot,
    store: Path,
    *,
    say: Callable[[str], None],
    engine: Teller | None = None,
    output: Path | None = None,
) -> Propensities:
    """Measure what is not known of openings, and work out each prompt's propensity.

    Args:
        job: the model and how its responses are drawn.
        prompts: a table of `Prompts`.
        openings: of `Openings`, of this model.
        pilot: its labelled responses.
        store: folder of what was told before.
        say: called with lines of progress.
        engine: one that stands ready; null for one that is started when it is needed.
        output: the table that is made of it, which the store notes; null for none.

    Raises:
        InputError: model or prompts cannot be used.
        Stopped: SIGTERM came; the next run goes on from there.
    """
    asked = open_prompts(prompts)
    sent = {
        prompt_id: what_is_sent(system, prompt)
        for prompt_id, system, prompt in asked.select(
            "prompt_id", "system_prompt", "prompt"
        ).iter_rows()
    }
    words = {
        sent[prompt_id]: (prompt, system)
        for prompt_id, system, prompt in asked.select(
            "prompt_id", "system_prompt", "prompt"
        ).iter_rows()
    }
    trees = leaves_of(openings)
    fold = dict(folds_of(asked).select("prompt_id", "fold").iter_rows())
    wanted: dict[str, set[Tokens]] = {}
    for prompt_id, key in sent.items():
        wanted.setdefault(key, set()).update(
            leaf.tokens for tree in (ALL, fold[prompt_id]) for leaf in trees.get(tree, [])
        )
    asking = _Asking(job, words, say, engine)
    days = getattr(job.model, "reuse_within", None)
    known = StepStore(
        store,
        engine_of(job.model).module().settings(job),
        within=None if days is None else timedelta(days=days),
        say=say,
    )
    told = walk(
        {key: frozenset(leaves) for key, leaves in wanted.items()},
        asking,
        known,
        say=say,
        chunk_s=job.chunk_s,
    )
    if output is not None:
        known.note_use(output)
    draws: dict[str, list[Draw]] = {}
    for prompt_id, tokens, refuses in pilot.rows.select(
        "prompt_id", "tokens", "refuses"
    ).iter_rows():
        draws.setdefault(prompt_id, []).append(Draw(tuple(tokens), refuses))
    measured = [
        Measured(
            prompt_id,
            fold[prompt_id],
            {
                leaf.tokens: told.chances[sent[prompt_id]][leaf.tokens]
                for tree in (ALL, fold[prompt_id])
                for leaf in trees.get(tree, [])
            },
            draws.get(prompt_id, []),
        )
        for prompt_id in asked["prompt_id"]
    ]
    names = {leaf.tokens: key_of(leaf.tokens) for leaves in trees.values() for leaf in leaves}
    table, opened = propensities(job.key, measured, trees)
    for line in _remarks(opened, empty_tree=not trees.get(ALL)):
        say(line)
    return Propensities(
        probabilities=probabilities(job.key, measured, names),
        propensities=table,
        drawn=_drawn(job.key, pilot, trees),
        metadata={
            **asking.provenance,
            "asked": told.asked,
            "taken": told.taken,
            "draws": opened.draws,
            "draws_inside": opened.inside,
            "draws_inside_expected": opened.expected,
            "draws_inside_error": opened.error,
            "refusals": opened.refusals,
            "refusals_outside": opened.outside,
        },
    )


def _drawn(
    model: str, pilot: Pilot, trees: Mapping[int, Sequence[Leaf]]
) -> dy.DataFrame[DrawnOpenings]:
    """How each draw opens by the tree of its fold, labelled or not."""
    leaves = {fold: frozenset(leaf.tokens for leaf in of_fold) for fold, of_fold in trees.items()}
    rows = pilot.everything.select("prompt_id", "sample", "fold", "tokens")
    opened = [
        key_of(leaf_of(tokens, leaves.get(fold, frozenset())) or ())
        for fold, tokens in rows.select("fold", "tokens").iter_rows()
    ]
    return conform(
        rows.with_columns(model=pl.lit(model), opening=pl.Series(opened, dtype=pl.String)),
        DrawnOpenings,
        where="drawn openings",
    )


def _remarks(opened: Opened, *, empty_tree: bool) -> Iterator[str]:
    if empty_tree:
        yield "no opening of refusals is known: there are no log-odds, and rates are those drawn"
        return
    yield (
        f"{opened.inside:,} of {counted(opened.draws, 'labelled response')} "
        f"{agreed(opened.inside, 'opens', 'open')} as refusals of other templates do, where "
        f"{opened.expected:,.1f} +- {opened.error:,.1f} are expected; {opened.outside:,} of "
        f"{counted(opened.refusals, 'refusal')} {agreed(opened.outside, 'opens', 'open')} "
        "otherwise"
    )
    if abs(opened.inside - opened.expected) > _FAR_OFF * opened.error:
        yield (
            "that is further off than chance allows: the model may spell openings in several "
            "ways, or the labelled responses were drawn in another way. Weighed rates are then "
            "off by as much; rates that are drawn are not"
        )
