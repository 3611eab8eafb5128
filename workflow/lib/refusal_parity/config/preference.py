"""Preference data that is audited."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from refusal_parity.config.pairs import PairsFile
from refusal_parity.config.section import PathText

if TYPE_CHECKING:
    from collections.abc import Iterator


class PreferenceConfig(PairsFile):
    """Pairs of answers of which people preferred one, in place of models."""

    mentions: PathText = Field(
        default="data/mentions.csv",
        description="Lexicon of groups: CSV or workbook with the columns group, category, slur, "
        "pattern, and optionally exclude, source, checked and right.",
    )
    mentioned_in: Literal["request", "conversation"] = Field(
        default="request",
        description="Whose words make a conversation one that mentions a group: those of people "
        "alone, or those of the assistant before the answers too.",
    )

    judge_others: Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        description="With labelling.judge: how many pairs that mention nobody it is asked about, "
        "drawn by chance; null for all. It is asked about all that mention a group.",
    )

    def files(self) -> Iterator[tuple[str, Path]]:
        """The files that must be there before the study runs."""
        if not self.is_downloaded:
            yield "path", Path(self.path)
        yield "mentions", Path(self.mentions)
