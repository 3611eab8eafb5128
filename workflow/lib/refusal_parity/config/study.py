"""A study: its prompts, models, labelling and analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeAlias, cast

from pydantic import Discriminator, Field, Tag, field_validator

from refusal_parity.config.analysis import AnalysisConfig
from refusal_parity.config.arms import Arm, ArmConfig, same_without_guard
from refusal_parity.config.engines import engine_of
from refusal_parity.config.guards import GuardConfig
from refusal_parity.config.imported import ImportModel
from refusal_parity.config.labelling import LabellingConfig
from refusal_parity.config.models import ModelConfig
from refusal_parity.config.preference import PreferenceConfig
from refusal_parity.config.section import Download, Key, PathText, Section
from refusal_parity.config.training import TrainConfig
from refusal_parity.spelling import reading

if TYPE_CHECKING:
    from refusal_parity.config.engines import EngineModel


OneOrSeveral = Annotated[
    Annotated[PathText, Tag("a path")] | Annotated[list[PathText], Tag("a list")],
    Discriminator(lambda given: "a list" if isinstance(given, list) else "a path"),
]
"""A path, or a list of paths."""

_Files: TypeAlias = "list[str]"
"""Where a section has a key that is called `list`."""


class PromptsConfig(Section):
    """Where prompts come from: templates and names, a list, or the file of an imported model."""

    templates: OneOrSeveral | None = Field(
        default=None,
        description="CSV or workbook (its sheet `templates`, else the first) with columns "
        "template_id, family, template ([NAME] in it); or a list of them.",
    )
    names: PathText | None = Field(
        default=None,
        description="CSV or workbook (its sheet `names`, else the first) with columns name_id, "
        "name, a group column, and optionally gender and "
        "commonness.",
    )
    group_column: str = Field(
        default="group",
        description="Column of the names file that says which group a name is read as.",
    )
    list: PathText | None = Field(
        default=None,
        description="Prompts as they stand, instead of templates and names: CSV, workbook, JSON "
        "lines or Parquet with columns prompt_id, prompt, and any factors. The unit is the prompt, "
        "or the set where there is a column `set`.",
    )
    columns: dict[str, str] = Field(
        default={},
        description="With list: what the file calls prompt_id, prompt or a factor. "
        "`{prompt_id: id, kind: label}`",
    )
    sheet: str | None = Field(
        default=None, description="With list: name of the workbook's sheet; null for the first."
    )
    download: Download | None = Field(
        default=None,
        description="With list: where the file is fetched from when it is missing, into "
        "data/external.",
    )
    arms: dict[Key, ArmConfig] = Field(
        default={"plain": cast("Arm", None)},
        validate_default=True,
        min_length=1,
        description="What is done to a request, by key: a text is a system prompt, null sends "
        "none. Rates and tests pool arms without a guard, except with the dimension arm, which "
        'compares them, and the groups under each. `{plain: null, reminded: {wrap: "Be kind. '
        '[PROMPT]"}, guarded: {guard: harm}}`',
    )
    from_model: Key | None = Field(
        default=None,
        description="Take the prompts from this imported model's file instead of from CSVs.",
    )

    @property
    def template_files(self) -> _Files:
        """The files of templates, in their order."""
        given = self.templates or []
        return [given] if isinstance(given, str) else given

    @field_validator("templates")
    @classmethod
    def _are_some(cls, templates: str | _Files | None) -> str | _Files | None:
        if isinstance(templates, list) and len(set(templates)) < max(1, len(templates)):
            raise ValueError("no file, or one of them twice")
        return templates

    @field_validator("arms")
    @classmethod
    def _arms_differ(cls, arms: dict[str, Arm]) -> dict[str, Arm]:
        if len({(*arm.sent, arm.guard) for arm in arms.values()}) < len(arms):
            raise ValueError("two arms do the same")
        if len(set(map(reading, arms))) < len(arms):
            raise ValueError("two arms have keys that differ in case alone")
        for guarded, twin in same_without_guard(arms):
            if twin is None:
                raise ValueError(
                    f"{guarded} has a guard, and no arm sends the same without one: what it "
                    "stops is compared with what the model says unguarded"
                )
        return arms


class SamplingConfig(Section):
    """How responses are drawn."""

    temperature: float = Field(default=1.0, ge=0, description="Sampling temperature; 0 is greedy.")
    top_p: float = Field(default=1.0, gt=0, le=1, description="Nucleus sampling; 1 is off.")
    top_k: int = Field(default=-1, ge=-1, description="Tokens considered; -1 is all.")
    max_tokens: int | None = Field(
        default=None,
        ge=1,
        description="Longest response, in tokens. Null suits what is asked: 512 in chat, 4,096 for "
        "openai-reasoning, which thinks within it, 128 in completion, and never more than half of "
        "the context of a model run here.",
    )
    seed: int = Field(default=1, description="Part of the hash that seeds each single request.")
    openings: Literal["draw", "weigh"] = Field(
        default="draw",
        description="weigh measures, beside ordinary draws, how probable the first words of "
        "refusals are after each prompt, for models whose engine can: log-odds of refusal for "
        "each prompt, and rates with far less noise where refusals are rare.",
    )

    def most_tokens(self, model: EngineModel, context: int | None = None) -> int:
        """Longest response of a model, in tokens.

        Args:
            model: the model.
            context: what it reads and writes at most, in tokens, where that is known.
        """
        return self.max_tokens or model.longest_answer(context)

    def drawing(self) -> dict[str, Any]:
        """All that says how responses are drawn; what is measured beside them is none of it."""
        return self.model_dump(exclude={"openings"})

    def suited_to(self, model: EngineModel, context: int | None = None) -> Self:
        """The same with `max_tokens` filled in; arguments as for `most_tokens`."""
        return self.model_copy(update={"max_tokens": self.most_tokens(model, context)})


class ReportConfig(Section):
    """What the report holds."""

    characters: int = Field(
        default=4000,
        ge=0,
        description="Characters of each response that the report shows, fewer where a million "
        "responses would be too much for one page; 0 leaves all texts out, for a report that is "
        "passed on without them.",
    )


class StudyConfig(Section):
    """One study: of models, with prompts, or of preference data."""

    study: Key = Field(description="Name of the study; its results lie in results/<study>/.")
    results: PathText = Field(
        default="results", description="Folder that holds all studies' results."
    )
    preference: PreferenceConfig | None = Field(
        default=None,
        description="Audit preference data; then there are no prompts and no models.",
    )
    prompts: PromptsConfig = Field(
        default=PromptsConfig(), description="Where the prompts come from."
    )
    samples: int = Field(default=3, ge=1, description="Responses drawn for each prompt.")
    sampling: SamplingConfig = Field(
        default=SamplingConfig(), description="How responses are drawn."
    )
    pilot: Key | None = Field(
        default=None,
        description="Where openings are weighed: an earlier study in the same folder of results "
        "whose labelled responses of the same model the trees of openings are learnt from. Null "
        "for this study's own.",
    )
    models: dict[Key, ModelConfig] = Field(
        default={},
        min_length=1,
        description="Models by key; one or more, unless preference data is audited.",
    )
    train: TrainConfig | None = Field(
        default=None,
        description="Train variants of these models on preference data; each is a model too.",
    )
    labelling: LabellingConfig = Field(
        default=LabellingConfig(), description="How responses get their labels."
    )
    analysis: AnalysisConfig = Field(
        default=AnalysisConfig(), description="What is compared, and how strictly."
    )
    guards: dict[Key, GuardConfig] = Field(
        default={}, description="What arms have in front of a model, by key."
    )
    report: ReportConfig = Field(default=ReportConfig(), description="What the report holds.")

    @field_validator("models")
    @classmethod
    def _models_differ(cls, models: dict[str, ModelConfig]) -> dict[str, ModelConfig]:
        if len(set(map(reading, models))) < len(models):
            raise ValueError("two models have keys that differ in case alone")
        if "all" in map(reading, models):
            raise ValueError("no model is called all, which stands for all models in every table")
        read: dict[str, str] = {}
        for key, model in models.items():
            if isinstance(model, ImportModel):
                other = read.setdefault(model.rows_of(key), key)
                if other != key:
                    raise ValueError(
                        f"{other} and {key} are the same rows of {model.path}: two models that "
                        "are one would never differ"
                    )
        return models

    @property
    def weighable(self) -> list[str]:
        """Keys of the models of which openings could be weighed, whether they are or not."""
        if self.sampling.temperature == 0:
            return []
        return [key for key, model in self.models.items() if model.weighs]

    @property
    def weighed(self) -> list[str]:
        """Keys of the models of which probabilities of openings are measured."""
        return [
            key
            for key, model in self.models.items()
            if model.weighs and (model.openings or self.sampling.openings) == "weigh"
        ]

    @property
    def continued(self) -> list[str]:
        """Keys of those of them whose responses are also drawn on from openings."""
        return [key for key in self.weighed if engine_of(self.models[key]).weights]
