"""When a study that grows in stages is precise enough."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, PositiveInt, PrivateAttr, field_validator

from refusal_parity.config.section import Section


class StopRule(Section):
    """A rule that is fixed beforehand: draw in stages until intervals are narrow enough."""

    half_width: float = Field(
        gt=0,
        lt=1,
        description="Half of the widest simultaneous interval of the primary family, as a "
        "difference of rates (0.05 for 5 points): once it is no wider in any model, the study is "
        "done.",
    )
    grow: Literal["templates", "names", "samples"] = Field(
        description="What a stage has more of than the one before."
    )
    stages: list[PositiveInt] = Field(
        min_length=2,
        description="How many templates, how many names of each level of the primary dimension, "
        "or how many samples of each prompt the stages have; the last is the most that is ever "
        "drawn. `[24, 36, 48]`",
    )
    seed: int = Field(
        default=1, description="Seed of the order in which templates or names are taken."
    )
    _stage: int = PrivateAttr(default=1)

    @field_validator("stages")
    @classmethod
    def _grow(cls, stages: list[int]) -> list[int]:
        if any(later <= earlier for earlier, later in pairwise(stages)):
            raise ValueError("each stage must have more than the one before")
        return stages

    @property
    def stage(self) -> int:
        """The stage that the study is at, from 1: what `snakemake next_stage` opened last."""
        return self._stage

    @property
    def size(self) -> int:
        """How many templates, names of a level, or samples that stage has."""
        return self.stages[self._stage - 1]

    def at(self, stage: int) -> Self:
        """The rule of a study that is at a stage.

        Args:
            stage: from 1 to the number of stages.
        """
        there = self.model_copy()
        there._stage = stage  # noqa: SLF001 - of the same class
        return there
