"""What an engine gets and gives, whichever engine it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

CUT_OFF: Final = "length"
"""The finish reason of a response that was cut off; every other leaves it whole."""


@dataclass(frozen=True, slots=True)
class Request:
    """One response to draw.

    Attributes:
        index: number of the request among those that are asked together.
        token_ids: the rendered prompt, with the opening of a response where one is given.
        seed: seed of this one request.
        begun: the tag at the prompt's end that opens the model's thinking, or the opening of the
            response that stands there: what belongs to what the model writes.
        given: tokens of such an opening, which count towards the longest response.
    """

    index: int
    token_ids: Sequence[int]
    seed: int
    begun: str = ""
    given: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """One response that was drawn.

    Attributes:
        index: number of the request.
        text: the response; null if there is none.
        finish_reason: why the engine stopped, in its own word; `length` when it cut the
            response off.
        response_tokens: tokens of the response.
        error: why there is no response.
        prompt_tokens: tokens sent, where only the engine knows them.
        cost: price of prompt and response, where there is one.
        thinking: what the model wrote to itself before the response.
        refusal_reason: why a service refused the request or its answer; such a
            request is refused, not failed.
        answered_at: when a server answered.
        answered_by: the model that its answer names.
        fingerprint: what it says of its own state.
    """

    index: int
    text: str | None
    finish_reason: str | None
    response_tokens: int | None
    error: str | None = None
    prompt_tokens: int | None = None
    cost: float | None = None
    thinking: str | None = None
    refusal_reason: str | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A question for probabilities: of some tokens behind a beginning.

    Attributes:
        index: number of the question among those that are asked together.
        token_ids: the rendered prompt and the beginning of a response.
        next_ids: the tokens in question, each once.
    """

    index: int
    token_ids: Sequence[int]
    next_ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class StepAnswer:
    """What an engine says to a `Step`.

    Attributes:
        index: number of the question.
        probabilities: of each token in question, after temperature, before top_p and top_k.
        as_drawn: the same after these, as responses are drawn.
    """

    index: int
    probabilities: list[float]
    as_drawn: list[float]


class Tokenizer(Protocol):
    """The part of a Hugging Face tokenizer that rendering needs."""

    bos_token_id: int | None
    unk_token_id: int | None
    chat_template: str | None

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
        """Token ids of a text."""
        ...

    def apply_chat_template(
        self, conversation: list[dict[str, Any]], *, tokenize: bool, add_generation_prompt: bool
    ) -> Any:
        """The text of a rendered conversation."""
        ...


class DatedTokenizer(Tokenizer, Protocol):
    """A tokenizer whose chat template is told a fixed date."""

    written_date: str | None


class Loaded(Protocol):
    """A model that stands ready."""

    @property
    def tokenizer(self) -> DatedTokenizer:
        """The model's tokenizer."""
        ...

    @property
    def context_length(self) -> int:
        """Tokens that prompt and response may have together."""
        ...

    def provenance(self) -> dict[str, Any]:
        """Engine, version, device and number format."""
        ...


class Engine(Loaded, Protocol):
    """Something that draws responses."""

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Draw every request once, in the order in which they finish."""
        ...


class Teller(Protocol):
    """Something that says how probable tokens are."""

    def provenance(self) -> dict[str, Any]:
        """What says so: engine, version, device."""
        ...

    def next_tokens(self, steps: Sequence[Step]) -> Iterator[StepAnswer]:
        """Answer every question once, in the order in which answers come."""
        ...


class WeighingEngine(Loaded, Teller, Protocol):
    """A model that stands ready to say so."""
