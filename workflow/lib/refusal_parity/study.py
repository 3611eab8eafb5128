"""Checks of a study that need its files, done before any job starts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from refusal_parity.dimensions import Unit, composed, of_unit
from refusal_parity.errors import InputError
from refusal_parity.labelling.goldfiles import read_gold_files
from refusal_parity.labelling.starter import gold_files
from refusal_parity.prompts import read_stimuli
from refusal_parity.spelling import as_known, difference

if TYPE_CHECKING:
    from refusal_parity.config import StudyConfig


def check_inputs(config: StudyConfig, *, where: str) -> None:
    """Check that every file that the config names is there and usable.

    Args:
        config: the study.
        where: the config file, for error texts.

    Raises:
        InputError: at the first file, row or folder that cannot be used.
    """
    _check_stimuli(config, where)
    models = {f"models.{key}": model for key, model in config.models.items()}
    if config.labelling.judge is not None:
        models["labelling.judge"] = config.labelling.judge
    for name, model in models.items():
        for key, path in model.files():
            _check_there(path, f"{where}, {name}.{key}")
    if config.labelling.method == "classifier":
        read_gold_files(gold_files(config.labelling.gold, starter=config.labelling.starter))
    for labels in config.labelling.human.labels:
        _check_there(Path(labels), f"{where}, labelling.human.labels")
    _check_writable(Path(config.results) / config.study, where)


def _check_stimuli(config: StudyConfig, where: str) -> None:
    prompts = config.prompts
    if prompts.templates is None or prompts.names is None:
        return
    stimuli = read_stimuli(
        Path(prompts.templates), Path(prompts.names), group_column=prompts.group_column
    )
    names = stimuli.names.with_columns(composed())
    for dimension in of_unit(Unit.NAME):
        compared = config.analysis.dimensions.get(dimension)
        levels = names[dimension].drop_nulls().unique(maintain_order=True).to_list()
        if compared is not None and compared.reference not in levels:
            raise InputError(
                f"reference {compared.reference!r} is no {dimension} of {prompts.names}",
                where=f"{where}, analysis.dimensions.{dimension}.reference",
                remedy=_naming(compared.reference, levels),
            )


def _naming(reference: str, levels: list[str]) -> str:
    """How to name a level; one that reads alike is meant."""
    [meant] = as_known([reference], levels)
    if meant is None or meant not in levels:
        return f"Name one of: {', '.join(levels) or 'none there'}."
    return f"Write it as there: {meant} ({difference(reference, meant)})."


def _check_there(path: Path, where: str) -> None:
    if not path.is_file():
        raise InputError(f"{path} is not there", where=where, remedy="Correct the path.")


def _check_writable(folder: Path, where: str) -> None:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise InputError(
            f"results cannot be written to {folder}: {existing} is no folder you may write to",
            where=f"{where}, results",
            remedy="Name another folder or change its permissions.",
        )
