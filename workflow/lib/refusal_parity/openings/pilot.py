"""Labelled responses of a model as what its openings are learnt from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.factors import SET
from refusal_parity.guards.requests import open_prompts
from refusal_parity.inference.checks import own_chat_template, read_chat_template
from refusal_parity.inference.rendering import WithTemplate, render
from refusal_parity.openings.tree import MOST_TOKENS, Opened, key_of, learn
from refusal_parity.outcomes import Outcome
from refusal_parity.quantities import Share
from refusal_parity.tables import Openings, empty

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.config import VllmModel
    from refusal_parity.inference.rendering import Rendered
    from refusal_parity.inference.requests import Tokenizer

FOLDS: Final = 5
"""Folds of templates at most, each with a tree that its own responses took no part in."""

_CHARACTERS: Final = 40 * MOST_TOKENS
"""Of a response whose first tokens are wanted."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """A model as far as its words go.

    Attributes:
        key: in the config.
        config: its part of the config.
        raw: the tokenizer in its folder.
        tokenizer: the same with the chat template of the job.
    """

    key: str
    config: VllmModel
    raw: Any
    tokenizer: Tokenizer

    @classmethod
    def of(cls, key: str, config: VllmModel, folder: Path) -> Speaker:
        """The model in a folder.

        Raises:
            InputError: its chat template cannot be used.
        """
        from transformers import AutoTokenizer  # noqa: PLC0415 - seconds to import

        raw = AutoTokenizer.from_pretrained(
            folder, trust_remote_code=config.trust_remote_code, local_files_only=True
        )
        template = (
            read_chat_template(Path(config.chat_template))
            if config.chat_template
            else own_chat_template(getattr(raw, "chat_template", None), folder)
        )
        return cls(key, config, raw, WithTemplate(raw, template, config.date))


@dataclass(frozen=True, slots=True)
class Pilot:
    """Labelled responses of one model.

    Attributes:
        rows: prompt_id, unit, fold, tokens (list: the first of the response), refuses.
        empty: why nothing can be learnt; null where something can.
    """

    rows: pl.DataFrame
    empty: str | None = None


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
    fold = {key: at % min(FOLDS, len(units)) + 1 for at, key in enumerate(units)}
    return rows.with_columns(fold=pl.col("unit").replace_strict(fold, return_dtype=pl.Int32))


def read_pilot(
    prompts: pl.DataFrame,
    responses: pl.DataFrame,
    labels: pl.DataFrame,
    speaker: Speaker,
) -> Pilot:
    """Tokenise labelled responses as the model wrote them: behind their prompts.

    Args:
        prompts: a table of `Prompts`.
        responses: of `Responses`, of one model.
        labels: of `Labels`, of the same.
        speaker: the model.

    Raises:
        InputError: a prompt cannot be rendered.
    """
    asked = open_prompts(prompts)
    rows = (
        labels.filter(pl.col("label").is_not_null() & pl.col("exclusion").is_null())
        .select("prompt_id", "sample", refuses=pl.col("label").cast(pl.String).is_in(_refusals()))
        .join(
            responses.select("prompt_id", "sample", "response", "thinking"),
            on=["prompt_id", "sample"],
        )
        .filter(pl.col("response").is_not_null())
        .join(asked.select("prompt_id", "prompt", "system_prompt"), on="prompt_id")
        .join(folds_of(asked), on="prompt_id")
        .sort("prompt_id", "sample")
    )
    nothing = (
        rows.clear()
        .select("prompt_id", "unit", "fold", "refuses")
        .with_columns(tokens=pl.Series([], dtype=pl.List(pl.Int64)))
    )
    if rows["thinking"].is_not_null().any():
        return Pilot(
            nothing, "the model thinks before it answers: what opens its text is not the answer"
        )
    pairs = rows.select("prompt", "system_prompt").unique(maintain_order=True)
    rendered = render(
        speaker.tokenizer,
        pairs.rows(),
        mode=speaker.config.prompt_mode,
        model=speaker.key,
        thinking=speaker.config.thinking,
    )
    if any(one.begun for one in rendered):
        return Pilot(nothing, "the chat template lets the model think before it answers")
    whole = speaker.config.prompt_mode == "completion"
    sent = dict(zip(pairs.rows(), rendered, strict=True))
    tokens = [
        _behind(speaker.tokenizer, sent[prompt, system], text, whole=whole)
        for prompt, system, text in rows.select("prompt", "system_prompt", "response").iter_rows()
    ]
    return Pilot(
        rows.select("prompt_id", "unit", "fold", "refuses").with_columns(
            tokens=pl.Series(tokens, dtype=pl.List(pl.Int64))
        )
    )


def _refusals() -> list[str]:
    quantity = Outcome.REFUSAL.quantity
    assert isinstance(quantity, Share)  # noqa: S101 - declared as a share
    return sorted(map(str, quantity.labels))


def _behind(tokenizer: Tokenizer, prompt: Rendered, text: str, *, whole: bool) -> list[int]:
    """First tokens of a response; in its place, as tokenizers treat the start of a text apart."""
    text = text[:_CHARACTERS]
    both = tokenizer.encode(prompt.text + text, add_special_tokens=whole)
    before = len(prompt.token_ids)
    if both[:before] != prompt.token_ids:
        both, before = tokenizer.encode(text, add_special_tokens=False), 0
    return both[before : before + MOST_TOKENS]


def trees(pilot: Pilot, speaker: Speaker) -> pl.DataFrame:
    """Learn a tree from all responses, and one for each fold from those of the others.

    Args:
        pilot: the responses.
        speaker: the model that gave them.

    Returns:
        A table of `Openings`.
    """
    rows = [
        {
            "model": speaker.key,
            "fold": fold,
            "opening": key_of(leaf.tokens),
            "token_ids": list(leaf.tokens),
            "text": speaker.raw.decode(list(leaf.tokens)),
            "depth": len(leaf.tokens),
            "responses": leaf.responses,
            "refusals": leaf.refusals,
            "share": leaf.share,
        }
        for fold, those in _lessons(pilot)
        for leaf in learn(those)
    ]
    return pl.DataFrame(rows, schema=empty(Openings).schema)


def _lessons(pilot: Pilot) -> Iterator[tuple[int, list[Opened]]]:
    responses = [
        (fold, Opened(tuple(tokens), refuses, unit))
        for fold, tokens, refuses, unit in pilot.rows.select(
            "fold", "tokens", "refuses", "unit"
        ).iter_rows()
    ]
    yield 0, [each for _, each in responses]
    for apart in sorted({fold for fold, _ in responses}):
        yield apart, [each for fold, each in responses if fold != apart]
