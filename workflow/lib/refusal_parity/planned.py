"""The prompts that a study will have, before any job has made them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from refusal_parity.expansion import expand, list_prompts
from refusal_parity.inference.forecast import MOST
from refusal_parity.listed import read_list
from refusal_parity.prompts import read_stimuli

if TYPE_CHECKING:
    import polars as pl

    from refusal_parity.config import StudyConfig


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
    files = [Path(file) for file in prompts.template_files]
    stimuli = read_stimuli(files, Path(prompts.names), group_column=prompts.group_column)
    arms = {key: arm for key, arm in prompts.arms.items() if arm.guard is None}
    pairs = len(stimuli.templates) * len(stimuli.names) * len(arms)
    if pairs * config.samples > MOST:
        return None
    return expand(stimuli.templates, stimuli.names, arms)
