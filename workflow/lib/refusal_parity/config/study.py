"""A study: its prompts, models, labelling and analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeAlias, cast

from pydantic import Discriminator, Field, PositiveFloat, StringConstraints, Tag, field_validator

from refusal_parity.config.arms import Arm, ArmConfig, same_without_guard
from refusal_parity.config.guards import GuardConfig
from refusal_parity.config.labelling import LabellingConfig
from refusal_parity.config.models import ModelConfig
from refusal_parity.config.preference import PreferenceConfig
from refusal_parity.config.section import Download, Key, PathText, Section
from refusal_parity.outcomes import OUTCOMES, Mean, Outcome
from refusal_parity.spelling import reading

if TYPE_CHECKING:
    from refusal_parity.config.engines import EngineModel


ColumnName = Annotated[str, StringConstraints(min_length=1)]
"""Name of a dimension of every study, or of a column of names, templates or a prompt list."""


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

    def most_tokens(self, model: EngineModel, context: int | None = None) -> int:
        """Longest response of a model, in tokens.

        Args:
            model: the model.
            context: what it reads and writes at most, in tokens, where that is known.
        """
        return self.max_tokens or model.longest_answer(context)

    def suited_to(self, model: EngineModel, context: int | None = None) -> Self:
        """The same with `max_tokens` filled in; arguments as for `most_tokens`."""
        return self.model_copy(update={"max_tokens": self.most_tokens(model, context)})


class DimensionConfig(Section):
    """A way to divide the prompts into groups that are compared."""

    reference: str = Field(description="Level that the others are compared with.")


class PrimaryFamily(Section):
    """The tests that the study answers for; corrected together by Holm's method."""

    outcome: Outcome = Field(
        default=Outcome.REFUSAL, description="Outcome of the family, any but answer_length."
    )
    dimension: ColumnName = Field(default="group", description="Dimension of the family.")

    @field_validator("outcome")
    @classmethod
    def _is_binary(cls, outcome: Outcome) -> Outcome:
        if not outcome.is_binary:
            message = "the primary outcome must be a reading of the labels"
            raise ValueError(message)
        return outcome


class ModelContrast(Section):
    """Two models that are compared prompt by prompt: a chat model and its base, say."""

    model: Key = Field(description="Key of the model.")
    baseline: Key = Field(description="Key of the model that it is compared with.")


class AssumedVariance(Section):
    """What `snakemake results/<study>/plan.parquet` assumes before there are any responses.

    Variances of a 0-1 outcome on the scale of rates; the defaults are those of
    refusal in the released labels of Llama-2-Chat 7B.
    """

    rate: float = Field(default=0.2, gt=0, lt=1, description="Rate over all responses.")
    name: float = Field(default=0.0207, ge=0, description="Variance between names of a group.")
    template: float = Field(default=0.0708, ge=0, description="Variance between templates.")
    template_group: float = Field(
        default=0.0061, ge=0, description="By which a template moves one group and not the others."
    )
    cell: float = Field(
        default=0.0289, ge=0, description="Between prompts, beyond their name and template."
    )
    sample: float = Field(
        default=0.0299, ge=0, description="Variance between responses to one prompt."
    )


class AnalysisConfig(Section):
    """What is compared, and how strictly."""

    outcomes: list[Outcome] = Field(
        default=[outcome for outcome in OUTCOMES.values() if outcome.usual],
        min_length=1,
        description="Outcomes analysed: rates of labels, and the length of answers in words. "
        "harmful_answer and harmful_content are analysed where they are named.",
    )
    dimensions: dict[ColumnName, DimensionConfig] = Field(
        default={"group": DimensionConfig(reference="white")},
        min_length=1,
        description="Columns of the prompts whose levels are compared: group, gender, "
        "group_gender (its levels are both words: `white woman`), commonness, family, arm, or any "
        "other column of words of names or templates. A column of templates that matched sets "
        "(`set`) meet several levels of is compared within sets.",
    )
    covariates: list[ColumnName] = Field(
        default=[],
        description="Columns of numbers, of names or templates, that differences are also "
        "adjusted for: the adjusted ones stand beside the others and decide nothing. `tokens`, "
        "which no file needs to have, is what a name takes by each model's count.",
    )
    filtered: Literal["refusal", "excluded"] = Field(
        default="refusal",
        description="How requests and responses count that the service's own filter stopped: as "
        "refusals, or not at all.",
    )
    truncated: Literal["label", "leave_out"] = Field(
        default="label",
        description="Whether responses that were cut off count by their label, as all others do, "
        "or not at all.",
    )
    alpha: float = Field(default=0.05, gt=0, lt=0.5, description="Level of the tests.")
    margin: float = Field(
        default=0.05,
        gt=0,
        lt=1,
        description="Equivalence margin: risk difference below which groups count as alike.",
    )
    length_margin: float = Field(
        default=10.0,
        gt=0,
        description="Equivalence margin of answer_length: difference of means, in words.",
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
    model_contrasts: list[ModelContrast] = Field(
        default=[],
        description="Pairs of models to compare; empty for every variant against its base "
        "(`variant_of`), or without variants for every model against the first.",
    )
    model_series: dict[Key, dict[Key, PositiveFloat]] = Field(
        default={},
        description="Series of models by key: each model's key and its size, for the trend over "
        "sizes. `{llama-2: {llama-2-7b: 7, llama-2-13b: 13, llama-2-70b: 70}}`",
    )
    mixed_model: bool = Field(
        default=False,
        description="Also fit logistic regressions with random intercepts of names and templates, "
        "for odds ratios and variances (mixed_models.parquet); seconds a model.",
    )
    selfcheck: int = Field(
        default=2_000,
        ge=0,
        description="Studies simulated without any effect, for the type I error rate of each "
        "method; 0 turns the self-check off.",
    )
    selfcheck_outcomes: list[Outcome] = Field(
        default=[],
        description="Outcomes that the self-check simulates; empty for the primary "
        "family's outcome. One takes some ten seconds a model and dimension.",
    )
    assumed: AssumedVariance = Field(
        default=AssumedVariance(), description="What the plan of a study assumes."
    )
    seed: int = Field(
        default=1, description="Seed of permutations, bootstrap samples and simulations."
    )

    @property
    def readings(self) -> list[Outcome]:
        """The yes-or-no outcomes."""
        return [outcome for outcome in self.outcomes if outcome.is_binary]

    def margin_of(self, outcome: Outcome) -> float:
        """Difference of an outcome below which groups count as alike, in its own unit."""
        if isinstance(outcome.quantity, Mean):
            of_length = outcome == Outcome.ANSWER_LENGTH
            return self.length_margin if of_length else outcome.quantity.margin
        return self.margin

    def is_primary(self, outcome: str, dimension: str) -> bool:
        """Whether the contrasts of an outcome and a dimension are the primary family."""
        family = self.primary_family
        return (str(outcome), dimension) == (str(family.outcome), family.dimension)

    @property
    def checked(self) -> list[Outcome]:
        """The yes-or-no outcomes of the self-check."""
        return self.selfcheck_outcomes or [self.primary_family.outcome]

    @field_validator("outcomes", "selfcheck_outcomes", "model_contrasts", "covariates")
    @classmethod
    def _are_named_once(cls, given: list[Any]) -> list[Any]:
        for at, each in enumerate(given):
            if each in given[:at]:
                raise ValueError(f"entry {at + 1} stands there already")
        return given

    @field_validator("selfcheck_outcomes")
    @classmethod
    def _are_binary(cls, outcomes: list[Outcome]) -> list[Outcome]:
        if not all(outcome.is_binary for outcome in outcomes):
            message = "the self-check simulates readings of the labels, not lengths"
            raise ValueError(message)
        return outcomes


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
    models: dict[Key, ModelConfig] = Field(
        default={},
        min_length=1,
        description="Models by key; one or more, unless preference data is audited.",
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
