"""What guards stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dataframely as dy

from refusal_parity.tables.columns import probability
from refusal_parity.tables.registry import table

if TYPE_CHECKING:
    from refusal_parity.config import StudyConfig


def _has_guards(study: StudyConfig) -> bool:
    return any(arm.guard for arm in study.prompts.arms.values())


@table("guards", per_model=False, when=_has_guards)
class GuardStops(dy.Schema):
    """What guards said of the requests that they read, before any model did."""

    prompt_id = dy.String(primary_key=True, description="prompt of an arm with a guard")
    guard = dy.String(description="key of the guard")
    stopped = dy.Bool(nullable=True, description="whether it stopped the request")
    p_harm = probability("probability of harm that a classifier gave")
    answer = dy.String(nullable=True, description="what a language model answered")
    error = dy.String(nullable=True, description="why the guard said neither")
