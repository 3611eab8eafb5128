"""Training of variants on preference data: what each learns from, and what became of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dataframely as dy

from refusal_parity.pair_vocabulary import LEARNT, UNTAUGHT_WORDS, Speaker
from refusal_parity.tables.registry import table

if TYPE_CHECKING:
    from refusal_parity.config import StudyConfig


def _trains(study: StudyConfig) -> bool:
    return study.train is not None


class Lessons(dy.Schema):
    """The pairs that a variant may learn from, whole conversations."""

    data = dy.String(primary_key=True, description="key of the file")
    pair = dy.Int64(primary_key=True, min=1, description="its line in the file")
    speakers = dy.List(dy.Enum(Speaker), description="who says each turn before the answers")
    turns = dy.List(dy.String(), description="what they say")
    chosen = dy.String(description="the preferred answer")
    rejected = dy.String(description="the other answer")


@table("training", per_model=False, when=_trains)
class Training(dy.Schema):
    """What became of every pair for each variant: learnt from, or left out for a reason."""

    model = dy.String(primary_key=True, description="the variant")
    data = dy.String(primary_key=True, description="key of the file")
    reason = dy.Enum(
        [LEARNT, *UNTAUGHT_WORDS],
        primary_key=True,
        description="learnt, or why it was left out; the first reason that fits",
    )
    n = dy.Int64(min=0, description="pairs")
