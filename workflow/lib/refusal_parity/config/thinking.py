"""What marks the thinking before a response."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from refusal_parity.config.section import Section


class ThinkingTags(Section):
    """What a model puts around its thinking, letter by letter."""

    start: str = Field(min_length=1, description="What opens it.")
    end: str = Field(min_length=1, description="What closes it.")


Thinking = Literal["auto", "none"] | ThinkingTags
THINKING: Final = (
    "What marks the thinking before a response, which is kept apart and never labelled. auto: the "
    "marks of the models known for it; none: nothing is thinking; or a pair of tags of your own: "
    "`{start: <plan>, end: </plan>}`"
)
