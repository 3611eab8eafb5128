"""How precisely differences are known at each stage of a study that grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dataframely as dy

from refusal_parity.tables.columns import outcome_key
from refusal_parity.tables.registry import table

if TYPE_CHECKING:
    from refusal_parity.config import StudyConfig


def _grows(study: StudyConfig) -> bool:
    return study.analysis.stop_when is not None


@table("precision", when=_grows)
class Precision(dy.Schema):
    """How precisely the primary family's differences are known at each stage so far."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    stage = dy.Int64(primary_key=True, min=1, description="stage of `analysis.stop_when`")
    group = dy.String(primary_key=True, description="level compared")
    reference = dy.String(description="level compared with")
    outcome = outcome_key(description="the primary family's")
    dimension = dy.String(description="likewise")
    size = dy.Int64(min=1, description="templates, names of a level, or samples of that stage")
    responses = dy.Int64(min=0, description="labelled responses of both levels")
    half_width = dy.Float64(
        nullable=True,
        min=0,
        max=1,
        description="half of the widest that its simultaneous interval may be; null where the "
        "difference is not known",
    )
    enough = dy.Bool(description="whether that is no more than `analysis.stop_when.half_width`")
