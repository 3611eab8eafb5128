"""Arms: what is done to a request before a model gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

from pydantic import Field, PlainSerializer, field_validator, model_validator

from refusal_parity.config.section import Key, Section
from refusal_parity.spelling import uniform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROMPT: Final = "[PROMPT]"
"""Where a wrapper has the request."""

NO_GUARD: Final = "none"
"""Guard of a prompt that none reads, in a study with guards."""


class Arm(Section):
    """What is done to a request: a system prompt, a wrapper around it, a guard before it."""

    system: str | None = Field(default=None, description="System prompt; null sends none.")
    wrap: str | None = Field(
        default=None,
        description="Text around the request, which stands where it has [PROMPT]: a reminder, "
        "or an example.",
    )
    guard: Key | None = Field(
        default=None,
        description="Key of the guard that reads the request first; what it stops is a refusal "
        "by the service.",
    )

    @field_validator("wrap")
    @classmethod
    def _holds_the_request(cls, wrap: str | None) -> str | None:
        if wrap is not None and wrap.count(PROMPT) != 1:
            raise ValueError(f"a wrapper has {PROMPT} in it once")
        return wrap

    @model_validator(mode="before")
    @classmethod
    def _text_is_a_system_prompt(cls, given: Any) -> Any:
        return {"system": given} if given is None or isinstance(given, str) else given

    @property
    def around(self) -> tuple[str, str]:
        """What stands before the request and behind it."""
        before, _, behind = (self.wrap or PROMPT).partition(PROMPT)
        return before, behind

    @property
    def identity(self) -> str | None:
        """Text that two arms share only if they do the same: the system prompt, if that is all."""
        if self.wrap is None and self.guard is None:
            return self.system
        return "\x1e".join(
            (
                "arm",
                *("-" if each is None else f"+{each}" for each in (self.system, self.wrap)),
                self.guard or "",
            )
        )

    @property
    def sent(self) -> tuple[str | None, str | None]:
        """What tells its requests from another arm's, to the model; spelled alike."""
        system, wrap = (
            None if each is None else uniform(each).strip() for each in (self.system, self.wrap)
        )
        return system, wrap


def _short(arm: Arm) -> Any:
    """An arm as its config may have it: the system prompt alone where that is all."""
    if arm.wrap is None and arm.guard is None:
        return arm.system
    return arm.model_dump()


def _or_short(schema: dict[str, Any]) -> None:
    """In the schema, an arm may be its system prompt alone."""
    whole = {key: schema.pop(key) for key in list(schema)}
    schema["anyOf"] = [{"type": "string"}, {"type": "null"}, whole]


ArmConfig = Annotated[Arm, PlainSerializer(_short), Field(json_schema_extra=_or_short)]
"""An arm as a config may have it."""

Arms: TypeAlias = "Mapping[str, Arm | str | None]"
"""Arms by key; a text stands for the arm with that system prompt, null for one without."""


def arms_of(given: Mapping[str, Any]) -> dict[str, Arm]:
    """Arms by key from what a config has: a system prompt, null, or a mapping of its parts.

    Raises:
        ValidationError: a part is not what it has to be.
    """
    return {key: Arm.model_validate(arm) for key, arm in given.items()}


def same_without_guard(arms: Mapping[str, Arm]) -> Iterator[tuple[str, str | None]]:
    """Each arm that has a guard, with the arm that sends the same without one, if there is one."""
    for key, arm in arms.items():
        if arm.guard is not None:
            twins = (
                other
                for other, each in arms.items()
                if each.guard is None and each.sent == arm.sent
            )
            yield key, next(twins, None)
