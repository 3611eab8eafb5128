"""What a pre-registration holds: question, plan, config, and hashes of what goes in."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from refusal_parity import __version__
from refusal_parity.config import engine_of
from refusal_parity.inference.provenance import file_hash, package_versions
from refusal_parity.repository import git_commit
from refusal_parity.statistics.disparity import levels_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import polars as pl

    from refusal_parity.config import StudyConfig

PACKAGES: Final = ("polars", "numpy", "scipy", "scikit-learn")
"""Packages that numbers of the analysis come from."""

_SECTIONS: Final = ("prompts", "models", "labelling", "guards")
"""Sections of the config whose files change a result."""

Day = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")]
"""A moment in UTC."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Question(_Part):
    """The family that decides."""

    outcome: str
    dimension: str
    reference: str
    compared: tuple[str, ...]
    alpha: float
    margin: float


class Software(_Part):
    """What is to run."""

    refusal_parity: str
    commit: str | None
    packages: dict[str, str]


class PromptsRecord(_Part):
    """The prompts by number and content."""

    number: int
    sha256: str


class StageRecord(_Part):
    """One stage of a study that may grow: what is there once it is drawn."""

    stage: int
    size: int
    prompts: PromptsRecord
    responses: dict[str, int]


class Preregistration(_Part):
    """A study as it was declared.

    Attributes:
        format: of the file.
        study: its key.
        written_at: when.
        responses_before: by model, responses that were there already; null where nobody can
            tell.
        question: the family that decides.
        responses: by model, how many are to be drawn.
        plan: what the design would find, in lines.
        files: hash of each file that the config names.
        prompts: what is asked.
        stages: of a study that grows by `analysis.stop_when`, what each stage asks.
        weights: by model, what pins its weights; null where hashing them would take long.
        software: versions.
        config: the whole config with its defaults, without how jobs run and where results lie.
    """

    format: Literal[1] = 1
    study: str
    written_at: Day
    responses_before: dict[str, int | None]
    question: Question
    responses: dict[str, int]
    plan: tuple[str, ...]
    files: dict[str, str]
    prompts: PromptsRecord
    stages: tuple[StageRecord, ...] = ()
    weights: dict[str, dict[str, Any] | None]
    software: Software
    config: dict[str, Any]

    def at(self, stage: int) -> Preregistration:
        """What was declared of a stage; the same of a study that was to be drawn at once."""
        for each in self.stages:
            if each.stage == stage:
                there = {"prompts": each.prompts, "responses": each.responses}
                return self.model_copy(update=there)
        return self


def question_of(study: StudyConfig, prompts: pl.DataFrame) -> Question:
    """The primary family, with the levels that the prompts have.

    Raises:
        InputError: the reference is no level of the prompts.
    """
    analysis = study.analysis
    dimension = analysis.primary_family.dimension
    reference = analysis.dimensions[dimension].reference
    return Question(
        outcome=str(analysis.primary_family.outcome),
        dimension=dimension,
        reference=reference,
        compared=tuple(levels_of(prompts, dimension, reference)[1:]),
        alpha=analysis.alpha,
        margin=analysis.margin,
    )


def planned_responses(study: StudyConfig, prompts: pl.DataFrame) -> dict[str, int]:
    """Responses to be there, by model: one a prompt and sample, what guards stop among them.

    Not of imported models, whose files have what they have.
    """
    drawn = (key for key, model in study.models.items() if engine_of(model).draws)
    return dict.fromkeys(drawn, len(prompts) * study.samples)


def prompts_record(prompts: pl.DataFrame) -> PromptsRecord:
    """Number and hash of the prompts, whatever their order."""
    columns = ["prompt_id", *(each for each in _KEYS if each in prompts.columns)]
    rows = prompts.select(columns).sort("prompt_id").write_csv()
    return PromptsRecord(number=len(prompts), sha256=hashlib.sha256(rows.encode()).hexdigest())


_KEYS: Final = ("template_id", "name_id", "group", "gender", "commonness", "arm", "prompt")


def config_record(study: StudyConfig) -> dict[str, Any]:
    """The config with its defaults, without what changes no result."""
    whole = study.model_dump(mode="json", exclude={"results", "report"})
    for key, model in study.models.items():
        running = set(engine_of(model).running)
        whole["models"][key] = model.model_dump(mode="json", exclude=running) | model.asked()
    if study.analysis.stop_when is not None and study.analysis.stop_when.grow == "samples":
        # They are what grows, and the rule has the numbers.
        del whole["samples"]
    return whole


def files_record(study: StudyConfig) -> dict[str, str]:
    """Hash of each file that the config names, of those that are there."""
    config = study.model_dump(mode="json", include=set(_SECTIONS))
    named = sorted({text for text in _texts(config) if text and len(text) < _LONGEST_PATH})
    return {text: file_hash(Path(text)) for text in named if Path(text).is_file()}


_LONGEST_PATH: Final = 250
"""Longer texts are prompts, which no file system takes for a path."""


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def record(  # noqa: PLR0913 - what it is made from
    study: StudyConfig,
    prompts: pl.DataFrame,
    *,
    written_at: str,
    plan: Sequence[str],
    weights: Mapping[str, dict[str, Any] | None],
    responses_before: Mapping[str, int | None],
    stages: Sequence[StageRecord] = (),
) -> Preregistration:
    """A study as it stands.

    Args:
        study: its config.
        prompts: table of Prompts.
        written_at: now.
        plan: lines of the plan.
        weights: by model that has any, what pins them.
        responses_before: by model, responses that are there.
        stages: what each stage asks, where it grows.

    Raises:
        InputError: the reference is no level of the prompts.
    """
    return Preregistration(
        study=study.study,
        written_at=written_at,
        responses_before=dict(responses_before),
        question=question_of(study, prompts),
        responses=planned_responses(study, prompts),
        plan=tuple(plan),
        files=files_record(study),
        prompts=prompts_record(prompts),
        stages=tuple(stages),
        weights=dict(weights),
        software=Software(
            refusal_parity=__version__, commit=git_commit(), packages=package_versions(PACKAGES)
        ),
        config=config_record(study),
    )
