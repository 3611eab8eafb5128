"""What a study compares, and how strictly."""

from __future__ import annotations

from math import log
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat, StringConstraints, field_validator

from refusal_parity.config.section import Key, Section
from refusal_parity.config.stopping import StopRule
from refusal_parity.outcomes import OUTCOMES, Outcome
from refusal_parity.quantities import Mean

ColumnName = Annotated[str, StringConstraints(min_length=1)]
"""Name of a dimension of every study, or of a column of names, templates or a prompt list."""


class DimensionConfig(Section):
    """A way to divide the prompts into groups that are compared."""

    reference: str = Field(description="Level that the others are compared with.")


class PrimaryFamily(Section):
    """The tests that the study answers for; corrected together by Holm's method."""

    outcome: Outcome = Field(
        default=Outcome.REFUSAL,
        description="Outcome of the family: a reading of the labels, weighed_refusal or "
        "propensity; no mean.",
    )
    dimension: ColumnName = Field(default="group", description="Dimension of the family.")

    @field_validator("outcome")
    @classmethod
    def _is_tested(cls, outcome: Outcome) -> Outcome:
        if not outcome.is_rate and not outcome.is_log_odds:
            message = (
                "the primary outcome must be a reading of the labels, weighed_refusal or propensity"
            )
            raise ValueError(message)
        return outcome


class ModelContrast(Section):
    """Two models that are compared prompt by prompt: a chat model and its base, say."""

    model: Key = Field(description="Key of the model.")
    baseline: Key = Field(description="Key of the model that it is compared with.")


class AssumedVariance(Section):
    """What a plan (`results/<study>/plan.parquet`) assumes before there are any responses.

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
        "harmful_answer and harmful_content are analysed where they are named, as are caveat, "
        "moralising and reading_grade, which are means over full answers; propensity and "
        "weighed_refusal wherever a model's openings are weighed.",
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
        description="Columns of numbers, of names, templates or a prompt list, that differences "
        "are also adjusted for: the adjusted ones stand beside the others and decide nothing. "
        "`tokens`, which no file needs to have, is what a name, or a prompt of a list, takes by "
        "each model's count.",
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
    odds_margin: float = Field(
        default=1.5,
        gt=1,
        description="Equivalence margin of propensity: odds ratio below which, and above whose "
        "inverse, groups count as alike.",
    )
    primary_family: PrimaryFamily = Field(
        default=PrimaryFamily(), description="The declared family of tests."
    )
    across_models: Literal["none", "fdr_bh", "fdr_by"] = Field(
        default="none",
        description="What is controlled over the models' primary families: `none`, each by itself "
        "at alpha; `fdr_bh` (Benjamini-Hochberg) or `fdr_by` (Benjamini-Yekutieli, valid however "
        "the models hang together), the expected share of models called different wrongly.",
    )
    stop_when: StopRule | None = Field(
        default=None,
        description="Draw in stages that are fixed here, until the primary family's intervals are "
        "narrow enough; null draws everything at once.",
    )
    permutations: int = Field(
        default=100_000,
        ge=99,
        le=10_000_000,
        description="Random permutations of the names' groups.",
    )
    bootstraps: int = Field(
        default=20_000,
        ge=99,
        le=10_000_000,
        description="Bootstrap samples of the names and templates.",
    )
    model_contrasts: list[ModelContrast] = Field(
        default=[],
        description="Pairs of models to compare; empty for every variant against its base "
        "(`variant_of`), or without variants for every model against the first. Those given, and "
        "variants, are corrected by Holm's method for each outcome.",
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
        "method; fewer where names times templates exceed 17,000, in proportion. 0 turns the "
        "self-check off.",
    )
    selfcheck_outcomes: list[Outcome] = Field(
        default=[],
        description="Outcomes that the self-check simulates; empty for the primary "
        "family's outcome (the first of the others, where that is no reading). One "
        "takes some ten seconds a model and dimension.",
    )
    assumed: AssumedVariance = Field(
        default=AssumedVariance(), description="What the plan of a study assumes."
    )
    seed: int = Field(
        default=1, ge=0, description="Seed of permutations, bootstrap samples and simulations."
    )

    @property
    def readings(self) -> list[Outcome]:
        """The yes-or-no outcomes."""
        return [outcome for outcome in self.outcomes if outcome.is_binary]

    def margin_of(self, outcome: Outcome) -> float:
        """Difference of an outcome below which groups count as alike, in its own unit."""
        if outcome.is_log_odds:
            return log(self.odds_margin)
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
        primary = self.primary_family.outcome
        return self.selfcheck_outcomes or ([primary] if primary.is_binary else self.readings[:1])

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
