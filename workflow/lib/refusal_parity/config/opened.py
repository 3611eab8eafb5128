"""Which stages of a study were opened, as its results folder remembers it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from refusal_parity.errors import InputError
from refusal_parity.textfiles import read_text

if TYPE_CHECKING:
    from refusal_parity.config.stopping import StopRule
    from refusal_parity.config.study import StudyConfig

FILE: Final = "stages.yaml"
"""In the study's folder; `snakemake next_stage` alone writes it."""

_HEAD: Final = """\
# Which stages of this study were opened, and on what. `snakemake next_stage` writes this file;
# do not edit it. Without it the study is at its first stage again; its responses stay stored.
"""
_REMEDY: Final = (
    "Put the file back as it was written, or remove it: the study then begins at its first stage "
    "again, and takes over what is stored."
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Opening(_Part):
    """One stage that was opened.

    Attributes:
        stage: from 2.
        at: when, in UTC.
        aim: half-width that was asked for then.
        half_widths: by model that of its widest interval at the stage before; null where a
            difference was not known.
    """

    stage: int
    at: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")]
    aim: float
    half_widths: dict[str, float | None]


class OpenedStages(_Part):
    """What a study has grown by, and the stages that were opened.

    Attributes:
        grow: of the rule.
        seed: likewise.
        sizes: of the first stage and those that were opened.
        opened: the second stage first.
    """

    grow: str
    seed: int
    sizes: tuple[int, ...]
    opened: tuple[Opening, ...]


def stages_file(config: StudyConfig) -> Path:
    """Where a study remembers its stages."""
    return Path(config.results) / config.study / FILE


def read_opened(path: Path) -> OpenedStages | None:
    """The stages that were opened; null where none was.

    Raises:
        InputError: the file is not as it was written.
    """
    if not path.is_file():
        return None
    try:
        read = OpenedStages.model_validate(yaml.safe_load(read_text(path, remedy=_REMEDY)))
    except (yaml.YAMLError, ValidationError, RecursionError, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise InputError(
            f"not the stages of a study as `snakemake next_stage` writes them ({first})",
            where=str(path),
            remedy=_REMEDY,
        ) from error
    stages = [each.stage for each in read.opened]
    if stages != list(range(2, 2 + len(stages))) or len(read.sizes) != 1 + len(stages):
        raise InputError("its stages do not follow each other", where=str(path), remedy=_REMEDY)
    return read


def opened_text(rule: StopRule, before: OpenedStages | None, opening: Opening) -> str:
    """The file with one stage more.

    Args:
        rule: of the study.
        before: what the file holds.
        opening: the stage after those.
    """
    opened = OpenedStages(
        grow=rule.grow,
        seed=rule.seed,
        sizes=tuple(rule.stages[: opening.stage]),
        opened=(*(before.opened if before else ()), opening),
    )
    return _HEAD + yaml.safe_dump(opened.model_dump(mode="json"), sort_keys=False)


def at_opened_stage(config: StudyConfig, where: str) -> StudyConfig:
    """The study at the stage that its results folder says, with that stage's samples.

    Args:
        config: with a stopping rule, or without.
        where: the config file, for error texts.

    Raises:
        InputError: the rule has other stages than those that were opened.
    """
    rule = config.analysis.stop_when
    if rule is None:
        return config
    path = stages_file(config)
    opened = read_opened(path)
    stage = 1
    if opened is not None:
        stage = len(opened.sizes)
        for key, was, now in (
            ("grow", opened.grow, rule.grow),
            ("seed", opened.seed, rule.seed),
            ("stages", list(opened.sizes), rule.stages[:stage]),
        ):
            if was != now:
                raise InputError(
                    f"analysis.stop_when.{key} is {now}, and was {was} when a stage was opened",
                    where=where,
                    remedy=f"Put it back, or remove {path}: the study then begins at its first "
                    "stage again.",
                )
    return at_stage_of_rule(config, stage)


def at_stage_of_rule(config: StudyConfig, stage: int) -> StudyConfig:
    """A study with a stopping rule at a stage, with that stage's samples."""
    rule = config.analysis.stop_when
    if rule is None:
        return config
    analysis = config.analysis.model_copy(update={"stop_when": rule.at(stage)})
    grown = {"samples": rule.stages[stage - 1]} if rule.grow == "samples" else {}
    return config.model_copy(update={"analysis": analysis, **grown})
