"""What each stage of a study will ask, before any of it is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refusal_parity.config.opened import at_stage_of_rule
from refusal_parity.expansion import expand
from refusal_parity.planned import all_stimuli
from refusal_parity.preregistration.record import (
    StageRecord,
    planned_responses,
    prompts_record,
)
from refusal_parity.stages import at_stage

if TYPE_CHECKING:
    from refusal_parity.config import StudyConfig


def stage_records(study: StudyConfig) -> list[StageRecord]:
    """The stages of a study that grows; of any other, none.

    Args:
        study: its config, at whichever stage.

    Raises:
        InputError: a file of templates or names is not usable.
    """
    rule = study.analysis.stop_when
    if rule is None:
        return []
    stimuli = all_stimuli(study)
    records = []
    for stage, size in enumerate(rule.stages, start=1):
        there = at_stage(stimuli, study.analysis, stage)
        asked = expand(there.templates, there.names, study.prompts.arms)
        responses = planned_responses(at_stage_of_rule(study, stage), asked)
        records.append(
            StageRecord(stage=stage, size=size, prompts=prompts_record(asked), responses=responses)
        )
    return records
