"""Labelled responses of a model as what its openings are learnt from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.factors import SET
from refusal_parity.guards.requests import open_prompts
from refusal_parity.openings.tree import MOST_TOKENS, Opened, key_of, learn
from refusal_parity.openings.weighing import has_label, refuses
from refusal_parity.tables import Openings, empty

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from refusal_parity.inference.speaking import Speaker

FOLDS: Final = 5
"""Folds of templates at most, each with a tree that its own responses took no part in."""

_CHARACTERS: Final = 40 * MOST_TOKENS
"""Of a response whose first tokens are wanted."""

_COLUMNS: Final = {
    "prompt_id": pl.String(),
    "sample": pl.Int32(),
    "unit": pl.String(),
    "fold": pl.Int32(),
    "tokens": pl.List(pl.Int64()),
    "refuses": pl.Boolean(),
}


@dataclass(frozen=True, slots=True)
class Pilot:
    """Responses of one model, those above all that have a label.

    Attributes:
        everything: prompt_id, sample, unit, fold, tokens (list: the first of the response),
            refuses (null without a label).
        empty: why nothing can be learnt; null where something can.
        unlabelled: responses without a label, those without a text among them.
    """

    everything: pl.DataFrame
    empty: str | None = None
    unlabelled: int = 0

    @classmethod
    def nobody(cls, why: str | None = None) -> Pilot:
        """No response at all."""
        return cls(pl.DataFrame(schema=_COLUMNS), why)

    @property
    def rows(self) -> pl.DataFrame:
        """The labelled ones."""
        return self.everything.filter(pl.col("refuses").is_not_null())


@dataclass(frozen=True, slots=True)
class Apart:
    """Which trees must not learn from which responses.

    Attributes:
        folds: those that have a tree each, in order.
        held: folds of whose templates a prompt is, by `prompt_id`; none for one of no fold.
    """

    folds: tuple[int, ...]
    held: Mapping[str, frozenset[int]]

    @classmethod
    def own(cls, rows: pl.DataFrame) -> Apart:
        """Of responses whose own folds these are.

        Args:
            rows: of a `Pilot`.
        """
        held = {
            key: frozenset({fold}) for key, fold in rows.select("prompt_id", "fold").iter_rows()
        }
        return cls(tuple(sorted(rows["fold"].unique())), held)


def folds_of(prompts: pl.DataFrame) -> pl.DataFrame:
    """Deal templates out to folds, whatever the order of rows.

    Args:
        prompts: a table of `Prompts`.

    Returns:
        prompt_id, unit (set or template, or the prompt where there is but one) and fold, from 1.
    """
    unit = pl.coalesce(SET, "template_id") if SET in prompts.columns else pl.col("template_id")
    rows = prompts.select("prompt_id", unit=unit.cast(pl.String))
    if rows["unit"].n_unique() == 1:
        rows = rows.with_columns(unit=pl.col("prompt_id"))
    units = sorted(set(rows["unit"]), key=lambda key: hashlib.sha256(key.encode()).digest())
    fold = {key: at % FOLDS + 1 for at, key in enumerate(units)}
    return rows.with_columns(fold=pl.col("unit").replace_strict(fold, return_dtype=pl.Int32))


def read_pilot(
    prompts: pl.DataFrame,
    responses: pl.DataFrame,
    labels: pl.DataFrame,
    speaker: Speaker,
) -> Pilot:
    """Tokenise responses as the model wrote them: behind their prompts.

    Args:
        prompts: a table of `Prompts`.
        responses: of `Responses`, of one model.
        labels: of `Labels`, of the same.
        speaker: the model.

    Raises:
        InputError: a prompt cannot be rendered.
    """
    asked = open_prompts(prompts)
    every = (
        labels.select("prompt_id", "sample", refuses=pl.when(has_label()).then(refuses()))
        .join(
            responses.select("prompt_id", "sample", "response", "thinking"),
            on=["prompt_id", "sample"],
        )
        .join(asked.select("prompt_id", "prompt", "system_prompt"), on="prompt_id")
        .join(folds_of(asked), on="prompt_id")
        .sort("prompt_id", "sample")
    )
    rows = every.filter(pl.col("response").is_not_null())
    unlabelled = len(every) - rows["refuses"].count()
    if rows["thinking"].is_not_null().any():
        return Pilot.nobody(
            "the model thinks before it answers: what opens its text is not the answer"
        )
    pairs = rows.select("prompt", "system_prompt").unique(maintain_order=True)
    rendered = speaker.sent(pairs.rows())
    if any(one.begun for one in rendered):
        return Pilot.nobody("the chat template lets the model think before it answers")
    sent = dict(zip(pairs.rows(), rendered, strict=True))
    tokens = speaker.said(
        [
            (sent[prompt, system], text[:_CHARACTERS])
            for prompt, system, text in rows.select(
                "prompt", "system_prompt", "response"
            ).iter_rows()
        ]
    )
    return Pilot(
        rows.with_columns(
            tokens=pl.Series([each[:MOST_TOKENS] for each in tokens], dtype=pl.List(pl.Int64))
        ).select(*_COLUMNS),
        unlabelled=unlabelled,
    )


def trees(pilot: Pilot, speaker: Speaker, apart: Apart | None = None) -> pl.DataFrame:
    """Learn a tree from all responses, and one for each fold from those of the others.

    Args:
        pilot: the responses.
        speaker: the model that gave them.
        apart: the folds that the trees are for, where they are not those of these responses.

    Returns:
        A table of `Openings`.
    """
    rows = [
        {
            "model": speaker.key,
            "fold": fold,
            "opening": key_of(leaf.tokens),
            "token_ids": list(leaf.tokens),
            "text": speaker.written(leaf.tokens),
            "depth": len(leaf.tokens),
            "responses": leaf.responses,
            "refusals": leaf.refusals,
            "share": leaf.share,
        }
        for fold, those in _lessons(pilot.rows, apart or Apart.own(pilot.rows))
        for leaf in learn(those)
    ]
    return pl.DataFrame(rows, schema=empty(Openings).schema)


def _lessons(rows: pl.DataFrame, apart: Apart) -> Iterator[tuple[int, list[Opened]]]:
    responses = [
        (apart.held.get(prompt_id, frozenset()), Opened(tuple(tokens), refuses, unit))
        for prompt_id, tokens, refuses, unit in rows.select(
            "prompt_id", "tokens", "refuses", "unit"
        ).iter_rows()
    ]
    yield 0, [each for _, each in responses]
    for fold in apart.folds:
        yield fold, [each for held, each in responses if fold not in held]
