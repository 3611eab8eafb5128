"""What a server is sent, where it wants other words than OpenAI's protocol has."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from refusal_parity.config.keys import key_within
from refusal_parity.config.section import Section

Sent = Literal["temperature", "top_p", "max_tokens", "seed", "response_format"]
"""What a request carries beside the model's name and the messages."""

Preset = Literal["openai-reasoning", "azure"]

_PRESETS: Final[dict[Preset, dict[str, Any]]] = {
    # https://learn.microsoft.com/azure/ai-services/openai/how-to/reasoning lists what
    # these models refuse.
    "openai-reasoning": {
        "rename": {"max_tokens": "max_completion_tokens"},
        "leave_out": ["temperature", "top_p"],
    },
    # The last dated version that is generally available; a later one is given in `query`.
    "azure": {"query": {"api-version": "2024-10-21"}},
}
_OURS: Final = ("model", "messages", "stream", "n")


def _as_text(value: Any) -> Any:
    """YAML reads `2024-10-21` as a date and `1` as a number."""
    return value if value is None or isinstance(value, dict | list) else str(value)


class RequestConfig(Section):
    """How requests differ from OpenAI's protocol; a preset's name alone stands for itself."""

    presets: list[Preset] = Field(
        default=[],
        description="Sets of the keys below by name, to which these are added. openai-reasoning: "
        "max_tokens is called max_completion_tokens, temperature and top_p are left out. azure: "
        "the key goes into the header api-key, and api-version is 2024-10-21.",
    )
    rename: dict[Sent, str] = Field(
        default={}, description="What the server calls a parameter: `{max_tokens: max_new_tokens}`."
    )
    leave_out: list[Sent] = Field(
        default=[], description="Parameters that are not sent: the server's own values hold."
    )
    extra_body: dict[str, Any] = Field(
        default={}, description="What else the request's body holds; no key."
    )
    query: dict[str, Annotated[str, BeforeValidator(_as_text)]] = Field(
        default={},
        description="What is put behind the address: `{api-version: 2024-10-21}`; no key.",
    )

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, given: Any) -> Any:
        return {"presets": [given]} if isinstance(given, str) else given

    @field_validator("rename", "extra_body", "query")
    @classmethod
    def _holds_no_key(cls, given: dict[str, Any]) -> dict[str, Any]:
        found = key_within(given)
        if found is not None:
            raise PydanticCustomError(
                "key",
                "{found} looks like a key or a header; keys are read from the environment alone "
                "(api_key_env)",
                {"found": found},
            )
        return given

    @field_validator("extra_body")
    @classmethod
    def _leaves_ours(cls, given: dict[str, Any]) -> dict[str, Any]:
        ours = [key for key in _OURS if key in given]
        if ours:
            raise PydanticCustomError(
                "ours", "{key} is set by the workflow itself; take it out", {"key": ours[0]}
            )
        return given

    @property
    def sends_key_as(self) -> str | None:
        """Header that carries the key; null for OpenAI's own, Authorization."""
        return "api-key" if "azure" in self.presets else None

    def resolved(self) -> Self:
        """The same with its presets written out, own entries last."""
        parts = [*(_PRESETS[name] for name in self.presets), self.model_dump()]
        return self.model_copy(
            update={
                "rename": {key: to for part in parts for key, to in part.get("rename", {}).items()},
                "leave_out": sorted({key for part in parts for key in part.get("leave_out", [])}),
                "query": {key: to for part in parts for key, to in part.get("query", {}).items()},
            }
        )
