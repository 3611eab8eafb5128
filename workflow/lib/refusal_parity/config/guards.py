"""Guards: what reads a request before a model does, and may stop it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from refusal_parity.config.arms import PROMPT
from refusal_parity.config.models import OpenAIModel, VllmModel
from refusal_parity.config.section import PathText, Section
from refusal_parity.spelling import reading


class ModelGuard(Section):
    """A language model that is asked whether a request may pass."""

    kind: Literal["model"] = Field(description="A language model.")
    model: Annotated[VllmModel | OpenAIModel, Field(discriminator="engine")] = Field(
        description="The model, as under `models`."
    )
    system: str | None = Field(default=None, description="Its system prompt; null sends none.")
    prompt: str = Field(
        default=PROMPT, description="What it is asked, with [PROMPT] where the request stands."
    )
    stops: list[str] = Field(
        default=["unsafe", "yes"],
        min_length=1,
        description="First words of an answer that stop the request.",
    )
    passes: list[str] = Field(
        default=["safe", "no"],
        min_length=1,
        description="First words of an answer that let it pass. An answer with neither is an "
        "error, and the request has no response.",
    )
    max_tokens: int = Field(default=16, ge=1, description="Longest answer, in tokens.")

    @field_validator("prompt")
    @classmethod
    def _holds_the_request(cls, prompt: str) -> str:
        if prompt.count(PROMPT) != 1:
            raise ValueError(f"a guard's prompt has {PROMPT} in it once")
        return prompt

    @model_validator(mode="after")
    def _words_differ(self) -> Self:
        both = {reading(word) for word in self.passes} & {reading(word) for word in self.stops}
        if both:
            raise ValueError(f"{min(both)!r} both stops a request and lets it pass")
        return self


class ClassifierGuard(Section):
    """A small classifier of harmful requests, trained here on files of requests."""

    kind: Literal["classifier"] = Field(description="A classifier that is trained here.")
    harmful: list[PathText] = Field(
        min_length=1, description="CSVs of templates that are to be stopped."
    )
    harmless: list[PathText] = Field(
        min_length=1, description="CSVs of templates that are to pass."
    )
    names: PathText | None = Field(
        default=None,
        description="CSV of names that stand in the requests it learns from; null for a word for "
        "anybody.",
    )
    harmful_groups: list[str] = Field(
        default=[],
        description="Groups whose names alone stand in the harmful ones: a guard that is badly "
        "taught, to see what that costs. Empty for all.",
    )
    harmless_groups: list[str] = Field(default=[], description="The same for the harmless ones.")
    threshold: float = Field(
        default=0.5, gt=0, lt=1, description="Probability of harm from which a request is stopped."
    )


GuardConfig = Annotated[ModelGuard | ClassifierGuard, Field(discriminator="kind")]
"""A guard of either kind."""
