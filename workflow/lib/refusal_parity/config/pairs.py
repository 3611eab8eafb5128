"""A file of preference data: where it lies, and what stands where in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from refusal_parity.config.imported import Word
from refusal_parity.config.section import Download, PathText, Section
from refusal_parity.layout import DOWNLOADS


class PairColumns(Section):
    """Which column of a file of pairs holds what."""

    chosen: str = Field(
        default="chosen", description="The preferred side: its transcript, messages or answer."
    )
    rejected: str = Field(default="rejected", description="The other side.")
    prompt: str | None = Field(
        default=None,
        description="With format answers: the request, a text or a list of messages.",
    )
    answers: Annotated[list[str], Field(min_length=2, max_length=2)] | None = Field(
        default=None,
        description="With format answers, where `chosen` and `rejected` do not say which is "
        "preferred: the columns of the two answers. `[response_0, response_1]`",
    )
    better: str | None = Field(
        default=None, description="Column that names the preferred one of `answers`."
    )
    first_is: Word = Field(
        default="0", description="What `better` holds where the first answer is preferred."
    )
    second_is: Word = Field(
        default="1", description="What `better` holds where the second answer is preferred."
    )
    tie_is: list[Word] = Field(
        default=[], description="What `better` holds where neither is preferred."
    )
    strength: str | None = Field(
        default=None,
        description="Column of numbers instead of `better`: below 0 where the first answer is "
        "preferred, above 0 where the second is, 0 for a tie.",
    )

    @model_validator(mode="after")
    def _preference_is_said_once(self) -> Self:
        said = [self.better is not None, self.strength is not None]
        if self.answers is None and any(said):
            raise ValueError("better and strength are about answers, which are not named")
        if self.answers is not None and sum(said) != 1:
            raise ValueError("answers need one of better and strength")
        if len({self.first_is, self.second_is, *self.tie_is}) < 2 + len(self.tie_is):
            raise ValueError("first_is, second_is and tie_is must differ")
        return self


class PairsFile(Section):
    """A file with pairs of answers of which people preferred one."""

    path: PathText = Field(
        description="JSON lines, plain or gzip, or Parquet, one pair a line. Where `download` is "
        "given, a file in data/external."
    )
    format: Literal["transcripts", "messages", "answers"] = Field(
        description="transcripts: both sides as whole texts with `Human:` and `Assistant:` after "
        "blank lines (HH-RLHF). messages: both sides as lists of messages. answers: a prompt and "
        "two answers, each a text or a list of messages (UltraFeedback, PKU-SafeRLHF, HelpSteer, "
        "TRL)."
    )
    columns: PairColumns = Field(default=PairColumns(), description="Which column holds what.")
    download: Download | None = Field(
        default=None, description="Where the file is fetched from when it is missing."
    )

    @model_validator(mode="after")
    def _columns_fit_format(self) -> Self:
        if (self.format == "answers") != (self.columns.prompt is not None):
            raise ValueError("columns.prompt belongs to format answers, which needs it")
        if self.format != "answers" and self.columns.answers is not None:
            raise ValueError("columns.answers belongs to format answers")
        return self

    @property
    def is_downloaded(self) -> bool:
        """Whether the workflow fetches the file: only into its own download folder."""
        return self.download is not None and Path(self.path).parent == DOWNLOADS
