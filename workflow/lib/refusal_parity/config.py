"""The study config: every key, its type, default and description.

`workflow/schemas/config.schema.json` and the key reference in `docs/` are
made from these classes.
"""

from __future__ import annotations

import difflib
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
)

from refusal_parity.errors import InputError
from refusal_parity.vocabulary import Outcome

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""A key that becomes part of a path or a job name."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class PromptsConfig(_Section):
    """Where the prompts come from: CSV files, or the prompts of an imported model."""

    templates: str | None = Field(
        default=None, description="CSV with columns template_id, family, template ([NAME] in it)."
    )
    names: str | None = Field(
        default=None,
        description="CSV with columns name_id, name, a group column, and optionally gender and "
        "commonness.",
    )
    group_column: str = Field(
        default="group",
        description="Column of the names file that says which group a name is read as.",
    )
    arms: dict[Key, str | None] = Field(
        default={"plain": None},
        min_length=1,
        description="System prompts to compare, by key; null sends none.",
    )
    from_model: Key | None = Field(
        default=None,
        description="Take the prompts from this imported model's file instead of from CSVs.",
    )


class SamplingConfig(_Section):
    """How responses are drawn."""

    temperature: float = Field(default=1.0, ge=0, description="Sampling temperature; 0 is greedy.")
    top_p: float = Field(default=1.0, gt=0, le=1, description="Nucleus sampling; 1 is off.")
    top_k: int = Field(default=-1, ge=-1, description="Tokens considered; -1 is all.")
    max_tokens: int = Field(default=128, ge=1, description="Longest response, in tokens.")
    seed: int = Field(default=1, description="Part of the hash that seeds each single request.")


class FolderSource(_Section):
    """A model folder on disk."""

    path: str = Field(description="Folder in Hugging Face layout.")


class HubSource(_Section):
    """A model on the Hugging Face hub."""

    hub: str = Field(description="Repository: owner/name.")
    revision: str = Field(
        pattern=r"^[0-9a-f]{40}$",
        description="Commit of the repository, 40 hex digits: a branch's name moves.",
    )


class WheelSource(_Section):
    """A model in GGUF format inside a Python package."""

    package: str = Field(description="Name of the package on the Python package index.")
    version: str = Field(description="Its exact version.")
    file: str = Field(description="Path of the .gguf file inside the package.")
    sha256: Sha256 = Field(description="Checksum of the .gguf file.")


def _kind_of_source(given: Any) -> str | None:
    """Which source a mapping means, by the key that only this source has."""
    if isinstance(given, _Section):
        return type(given).__name__
    kinds = {"path": "FolderSource", "hub": "HubSource", "package": "WheelSource"}
    return next(
        (kind for key, kind in kinds.items() if isinstance(given, dict) and key in given), None
    )


Source = Annotated[
    Annotated[FolderSource, Tag("FolderSource")]
    | Annotated[HubSource, Tag("HubSource")]
    | Annotated[WheelSource, Tag("WheelSource")],
    Discriminator(
        _kind_of_source,
        custom_error_type="source",
        custom_error_message="a source needs one of the keys path, hub or package",
    ),
]


class VllmModel(_Section):
    """A model that this workflow runs in vLLM."""

    engine: Literal["vllm"] = Field(description="Run the model in vLLM.")
    source: Source = Field(description="Where the weights are.")
    prompt_mode: Literal["chat", "completion"] = Field(
        description="chat renders the model's chat template; completion sends the bare sentence "
        "up to its [BLANK]."
    )
    stop: list[str] = Field(
        default=[],
        description="Strings that end a response; a base model in completion mode needs one, "
        "such as a line break.",
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        default="auto", description="Number format of weights and arithmetic."
    )
    gpus: int = Field(
        default=0, ge=0, description="GPUs of the job; more than one sets tensor parallelism."
    )
    gpu_model: str | None = Field(
        default=None, description="GPU type to ask the scheduler for, such as a100."
    )
    mem_mb: int = Field(default=8000, ge=1, description="Memory of the job in MB.")
    runtime: int = Field(
        default=120, ge=1, description="Minutes of the job's first attempt; grows with attempts."
    )
    max_model_len: int | None = Field(
        default=None, ge=1, description="Longest context in tokens; null takes the model's own."
    )
    trust_remote_code: bool = Field(
        default=False, description="Run code that the model's folder brings. Leave it off."
    )


class Download(_Section):
    """A file to fetch once, checked."""

    url: str = Field(description="Address of the file.")
    sha256: Sha256 = Field(description="Checksum that the file must have.")


class ImportModel(_Section):
    """Responses that were made elsewhere."""

    engine: Literal["import"] = Field(description="Read responses from a file.")
    path: str = Field(description="The file.")
    format: Literal["chehbouni-2024"] = Field(
        description="Layout of the file: chehbouni-2024 is the released data of arXiv 2403.13213."
    )
    download: Download | None = Field(
        default=None, description="Where the file is fetched from when it is missing."
    )


ModelConfig = Annotated[VllmModel | ImportModel, Field(discriminator="engine")]


class LabellingConfig(_Section):
    """How responses get their labels."""

    method: Literal["classifier", "keyword"] = Field(
        default="classifier",
        description="classifier: six classes, learned from the gold files. keyword: refusals by a "
        "list of phrases, all else an answer; a baseline for looks, not for findings.",
    )
    gold: list[str] = Field(
        default=["data/gold/starter.csv"],
        min_length=1,
        description="CSVs of labelled responses that the classifier learns from.",
    )
    seed: int = Field(default=1, description="Seed of the classifier's folds.")


class DimensionConfig(_Section):
    """A way to divide the prompts into groups that are compared."""

    reference: str = Field(description="Level that the others are compared with.")


class PrimaryFamily(_Section):
    """The tests that the study answers for; corrected together by Holm's method."""

    outcome: Outcome = Field(default=Outcome.REFUSAL, description="Outcome of the family.")
    dimension: str = Field(default="group", description="Dimension of the family.")


class AnalysisConfig(_Section):
    """What is compared, and how strictly."""

    outcomes: list[Outcome] = Field(
        default=list(Outcome), min_length=1, description="Readings of the labels to analyse."
    )
    dimensions: dict[Literal["group", "gender", "commonness", "family", "arm"], DimensionConfig] = (
        Field(
            default={"group": DimensionConfig(reference="white")},
            min_length=1,
            description="Columns of the prompts whose levels are compared.",
        )
    )
    alpha: float = Field(default=0.05, gt=0, lt=0.5, description="Level of the tests.")
    margin: float = Field(
        default=0.05, gt=0, lt=1, description="Risk difference below which groups count as alike."
    )
    primary_family: PrimaryFamily = Field(
        default=PrimaryFamily(), description="The declared family of tests."
    )
    permutations: int = Field(
        default=100_000, ge=99, description="Random permutations of the names' groups."
    )
    bootstraps: int = Field(
        default=20_000, ge=99, description="Bootstrap samples of the names and templates."
    )
    seed: int = Field(default=1, description="Seed of permutations and bootstrap samples.")


class StudyConfig(_Section):
    """One study: prompts, models, labelling and analysis."""

    study: Key = Field(description="Name of the study; its results lie in results/<study>/.")
    results: str = Field(default="results", description="Folder that holds all studies' results.")
    prompts: PromptsConfig = Field(description="Where the prompts come from.")
    samples: int = Field(default=3, ge=1, description="Responses drawn for each prompt.")
    sampling: SamplingConfig = Field(
        default=SamplingConfig(), description="How responses are drawn."
    )
    models: dict[Key, ModelConfig] = Field(min_length=1, description="Models by key.")
    labelling: LabellingConfig = Field(
        default=LabellingConfig(), description="How responses get their labels."
    )
    analysis: AnalysisConfig = Field(
        default=AnalysisConfig(), description="What is compared, and how strictly."
    )


def load_config(raw: dict[str, Any], *, where: str) -> StudyConfig:
    """Check a study config and fill in its defaults.

    Args:
        raw: the config as read from YAML.
        where: the config file, for error texts.

    Raises:
        InputError: naming the key and the remedy, for the first thing that is wrong.
    """
    try:
        config = StudyConfig.model_validate(raw)
    except ValidationError as error:
        raise _readable(error, where) from None
    _check_prompts(config, where)
    return config


def _check_prompts(config: StudyConfig, where: str) -> None:
    prompts = config.prompts
    if prompts.from_model is not None:
        if prompts.templates is not None or prompts.names is not None:
            raise InputError(
                "prompts.from_model stands beside prompts.templates or prompts.names",
                where=where,
                remedy="Give either the two CSV files or from_model.",
            )
        source = config.models.get(prompts.from_model)
        if not isinstance(source, ImportModel):
            raise InputError(
                f"prompts.from_model names {prompts.from_model!r}, which is no imported model",
                where=where,
                remedy="Name a model of this config that has `engine: import`.",
            )
    elif prompts.templates is None or prompts.names is None:
        raise InputError(
            "prompts.templates or prompts.names is missing",
            where=where,
            remedy="Give both CSV files, or prompts.from_model for imported responses.",
        )


def _readable(error: ValidationError, where: str) -> InputError:
    """The first finding of pydantic as a sentence for people."""
    finding = error.errors(include_url=False)[0]
    tags = {"vllm", "import", "FolderSource", "HubSource", "WheelSource"}
    path = [str(part) for part in finding["loc"] if str(part) not in tags]
    key = ".".join(path) or "the config"
    more = len(error.errors()) - 1
    rest = f" ({more} more after this one.)" if more else ""
    if finding["type"] == "extra_forbidden":
        close = difflib.get_close_matches(path[-1], _known_keys(), n=1)
        hint = f"Did you mean {close[0]!r}?" if close else "Remove it."
        return InputError(
            f"unknown key {key}",
            where=where,
            remedy=f"{hint} config/README.md lists the keys.{rest}",
        )
    if finding["type"] == "missing":
        return InputError(
            f"key {key} is missing",
            where=where,
            remedy=f"Add it; config/README.md says what it takes.{rest}",
        )
    return InputError(
        f"{key}: {finding['msg']} (given: {finding['input']!r})"[:500],
        where=where,
        remedy=f"Correct it; config/README.md says what it takes.{rest}",
    )


def _known_keys() -> list[str]:
    sections = [*_Section.__subclasses__()]
    return sorted({name for section in sections for name in section.model_fields})
