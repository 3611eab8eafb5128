"""The prompts that a study will have, before any job has made them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from refusal_parity.expansion import expand, list_prompts
from refusal_parity.inference.forecast import MOST
from refusal_parity.listed import read_list
from refusal_parity.prompts import read_stimuli
from refusal_parity.stages import at_stage

if TYPE_CHECKING:
    import polars as pl

    from refusal_parity.config import StudyConfig
    from refusal_parity.prompts import Stimuli


def all_stimuli(config: StudyConfig) -> Stimuli:
    """All templates and names of a study's files, whatever stage it is at.

    Args:
        config: of a study that has both.

    Raises:
        InputError: a file is not usable.
    """
    prompts = config.prompts
    files = [Path(file) for file in prompts.template_files]
    return read_stimuli(files, Path(prompts.names or ""), group_column=prompts.group_column)


def planned_prompts(config: StudyConfig) -> pl.DataFrame | None:
    """The prompts that a study will have; null where their file is not there yet."""
    prompts = config.prompts
    if prompts.list is not None:
        if not Path(prompts.list).is_file():
            return None
        listed = read_list(Path(prompts.list), prompts.columns, sheet=prompts.sheet)
        planned = list_prompts(listed, prompts.arms)
        return None if len(planned) * config.samples > MOST else planned
    if prompts.templates is None or prompts.names is None:
        return None
    stimuli = at_stage(all_stimuli(config), config.analysis)
    arms = {key: arm for key, arm in prompts.arms.items() if arm.guard is None}
    pairs = len(stimuli.templates) * len(stimuli.names) * len(arms)
    if pairs * config.samples > MOST:
        return None
    return expand(stimuli.templates, stimuli.names, arms)
