"""What the responses show: rates, differences, and what these rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dataframely as dy
import polars as pl

from refusal_parity.tables.columns import method_key, outcome_key, probability
from refusal_parity.tables.registry import table
from refusal_parity.vocabulary import (
    Estimand,
    LeftOut,
    MixedQuantity,
    ModelEstimand,
    Scope,
)

if TYPE_CHECKING:
    from refusal_parity.config import StudyConfig


@table("rates")
class Rates(dy.Schema):
    """How often an outcome occurs at a level of a dimension, with intervals."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    outcome = outcome_key(primary_key=True, description="what is counted")
    dimension = dy.String(primary_key=True, description="column whose levels are counted apart")
    group = dy.String(primary_key=True, description="level of the dimension")
    within = dy.String(primary_key=True, description="second dimension, `all` for none")
    within_group = dy.String(primary_key=True, description="level of the second dimension")
    n = dy.Int64(min=0, description="labelled responses")
    k = dy.Int64(min=0, description="responses with the outcome")
    n_names = dy.Int64(min=0, description="names among them")
    n_templates = dy.Int64(min=0, description="templates among them")
    rate = probability("k / n")
    wilson_low = dy.Float64(nullable=True, description="95 % interval as if responses were iid")
    wilson_high = dy.Float64(nullable=True, description="its upper end")
    std_error = dy.Float64(nullable=True, description="two-way clustered standard error")
    ci_low = dy.Float64(
        nullable=True, description="Wilson interval at the effective number of responses"
    )
    ci_high = dy.Float64(nullable=True, description="its upper end")
    note = dy.String(nullable=True, description="why a number is missing or not to be trusted")


@table("lengths")
class Lengths(dy.Schema):
    """How long full answers are, in words, at each level of a dimension."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    dimension = dy.String(primary_key=True, description="column whose levels are set apart")
    group = dy.String(primary_key=True, description="level of the dimension")
    n = dy.Int64(min=0, description="full answers")
    n_names = dy.Int64(min=0, description="names among them")
    n_templates = dy.Int64(min=0, description="templates among them")
    mean = dy.Float64(nullable=True, min=0, description="words of an answer")
    median = dy.Float64(nullable=True, min=0, description="words of an answer")
    std_error = dy.Float64(nullable=True, description="two-way clustered, of the mean")
    ci_low = dy.Float64(nullable=True, description="two-way clustered interval of the mean")
    ci_high = dy.Float64(nullable=True, description="its upper end")
    note = dy.String(nullable=True, description="why a number is missing or not to be trusted")


def _has_quality(study: StudyConfig) -> bool:
    return any(each.is_quality for each in study.analysis.outcomes)


@table("quality", when=_has_quality)
class Quality(dy.Schema):
    """What answers are like beyond their length: means of what is measured of their texts."""

    model = Lengths.model
    outcome = outcome_key(primary_key=True, description="what is measured")
    dimension = Lengths.dimension
    group = Lengths.group
    n = dy.Int64(min=0, description="full answers that were not cut off")
    n_names = Lengths.n_names
    n_templates = Lengths.n_templates
    mean = dy.Float64(nullable=True, description="in the outcome's unit: points, or grades")
    median = dy.Float64(nullable=True, description="in the outcome's unit")
    std_error = Lengths.std_error
    ci_low = Lengths.ci_low
    ci_high = Lengths.ci_high
    n_judged = dy.Int64(
        nullable=True, min=0, description="of the answers, those that a judge read for the same"
    )
    judged_mean = dy.Float64(
        nullable=True, description="of these, the mean by the judge, in the outcome's unit"
    )
    measured_mean = dy.Float64(nullable=True, description="of these, the mean by what measures")
    judge_agreement = probability("share of these of which both say the same")
    judge_kappa = dy.Float64(
        nullable=True,
        min=-1,
        max=1,
        description="Cohen's kappa of both; null where one says one and the same of all",
    )
    note = Lengths.note


@table("disparity")
class Disparity(dy.Schema):
    """Differences between levels and their tests, one row for each pair and method."""

    model = dy.String(description="key of the model in the config")
    outcome = outcome_key(description="what is compared")
    scope = dy.Enum(Scope, description="to what the result generalises")
    dimension = dy.String(description="column whose levels are compared")
    group = dy.String(nullable=True, description="level compared, null in a global test")
    reference = dy.String(nullable=True, description="level compared with, null in a global test")
    method = method_key(description="how it was computed; see docs/method.md")
    estimand = dy.Enum(Estimand, description="what is estimated")
    n_group = dy.Int64(
        nullable=True, description="labelled responses of the group; answers in answer_length"
    )
    n_reference = dy.Int64(nullable=True, description="the same of the reference")
    k_group = dy.Int64(nullable=True, description="of them with the outcome, null in answer_length")
    k_reference = dy.Int64(nullable=True, description="the same of the reference")
    estimate = dy.Float64(nullable=True, allow_inf=True, description="value of the estimand")
    std_error = dy.Float64(nullable=True, description="on the scale of the interval's formula")
    df = dy.Float64(nullable=True, description="degrees of freedom (of the numerator)")
    df_denominator = dy.Float64(nullable=True, description="degrees of freedom of an F test")
    ci_low = dy.Float64(nullable=True, allow_inf=True, description="lower end of the interval")
    ci_high = dy.Float64(nullable=True, allow_inf=True, description="upper end of the interval")
    statistic = dy.Float64(nullable=True, allow_inf=True, description="test statistic")
    p_value = probability("p-value of this row alone")
    effective_group = dy.Float64(
        nullable=True,
        min=0,
        description="independent responses that would say as much of the group",
    )
    effective_reference = dy.Float64(nullable=True, min=0, description="the same of the reference")
    p_adjusted = probability("corrected within `family`")
    adjusted_low = dy.Float64(
        nullable=True, description="lower end of the interval that agrees with `p_adjusted`"
    )
    adjusted_high = dy.Float64(nullable=True, description="its upper end")
    family = dy.String(nullable=True, description="family of tests that are corrected together")
    family_null = dy.List(
        dy.Float64(),
        nullable=True,
        description="the largest distances of a calibrated family in simulated studies without a "
        "difference, for intervals at levels below alpha",
    )
    valid = dy.Bool(description="the method controls the type I error on templates x names")
    note = dy.String(nullable=True, description="why a number is missing or not to be trusted")

    @dy.rule()
    def key_is_unique(cls) -> pl.Expr:  # noqa: N805 - dataframely rules are class methods
        """One row for each model, outcome, contrast, method and estimand."""
        return (
            pl.struct(
                "model", "outcome", "dimension", "group", "reference", "method", "estimand"
            ).is_unique()
        )  # fmt: skip


@table("overview", per_model=False)
class Overview(dy.Schema):
    """The models side by side: overall rate and the spread between groups."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    outcome = outcome_key(primary_key=True, description="what is compared")
    dimension = dy.String(primary_key=True, description="column whose levels are compared")
    n = dy.Int64(description="labelled responses")
    rate = dy.Float64(nullable=True, description="rate over all of them")
    ci_low = dy.Float64(nullable=True, description="two-way clustered interval of the rate")
    ci_high = dy.Float64(nullable=True, description="its upper end")
    lowest_group = dy.String(nullable=True, description="level with the lowest rate")
    lowest_rate = dy.Float64(nullable=True, description="its rate")
    highest_group = dy.String(nullable=True, description="level with the highest rate")
    highest_rate = dy.Float64(nullable=True, description="its rate")
    spread = dy.Float64(nullable=True, description="highest less lowest rate")
    p_value = dy.Float64(nullable=True, description="randomisation over names, F")
    note = dy.String(nullable=True, description="why a number is missing")


@table("comparison", per_model=False)
class Comparison(dy.Schema):
    """Models against each other, paired by prompt: their rates and their disparities."""

    contrast = dy.String(description="`model - baseline`, or the key of a series of sizes")
    model = dy.String(nullable=True, description="model compared, null in a series")
    baseline = dy.String(nullable=True, description="model compared with, null in a series")
    outcome = outcome_key(description="what is compared")
    dimension = dy.String(description="column whose levels are compared, `all` for rates")
    group = dy.String(nullable=True, description="level compared, null for rates")
    reference = dy.String(nullable=True, description="level compared with, null for rates")
    estimand = dy.Enum(ModelEstimand, description="what is estimated")
    scope = dy.Enum(Scope, description="to what the result generalises")
    n_prompts = dy.Int64(min=0, description="prompts with a labelled response of every model")
    names_group = dy.Int64(min=0, description="names of the group among them, or of all levels")
    names_reference = dy.Int64(nullable=True, description="the same of the reference")
    templates_group = dy.Int64(min=0, description="templates of the group, or of all levels")
    templates_reference = dy.Int64(nullable=True, description="the same of the reference")
    estimate = dy.Float64(nullable=True, description="difference, or change a doubling in size")
    std_error = dy.Float64(nullable=True, description="names, and perhaps templates, as samples")
    df = dy.Float64(nullable=True, description="degrees of freedom (Satterthwaite)")
    ci_low = dy.Float64(nullable=True, description="lower end of the interval")
    ci_high = dy.Float64(nullable=True, description="upper end of the interval")
    statistic = dy.Float64(nullable=True, description="t")
    p_value = probability("p-value of this row alone")
    p_adjusted = probability("corrected within `family`")
    family = dy.String(nullable=True, description="family of tests that are corrected together")
    left_out = dy.Int64(
        nullable=True,
        min=0,
        description="responses left out of these levels, of all that is compared; null where "
        "none was",
    )
    lowest = dy.Float64(
        nullable=True, description="difference if all that was left out speaks against it"
    )
    lowest_ci_low = dy.Float64(nullable=True, description="lower end of its interval")
    highest = dy.Float64(nullable=True, description="difference if all of it speaks for it")
    highest_ci_high = dy.Float64(nullable=True, description="upper end of its interval")
    note = dy.String(nullable=True, description="why a number is missing or not to be trusted")

    @dy.rule()
    def key_is_unique(cls) -> pl.Expr:  # noqa: N805 - dataframely rules are class methods
        """One row for each contrast, outcome, pair of levels, estimand and scope."""
        return (
            pl.struct(
                "contrast", "outcome", "dimension", "group", "reference", "estimand", "scope"
            ).is_unique()
        )  # fmt: skip


@table("influence")
class Influence(dy.Schema):
    """Each difference again without one name, or without one template or listed prompt."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    outcome = outcome_key(primary_key=True, description="what is compared")
    dimension = dy.String(primary_key=True, description="column whose levels are compared")
    group = dy.String(primary_key=True, description="level compared")
    reference = dy.String(description="level compared with")
    left_out_kind = dy.Enum(LeftOut, primary_key=True, description="what is left out")
    left_out = dy.String(primary_key=True, description="its key")
    n_group = dy.Int64(min=0, description="labelled responses left of the group")
    n_reference = dy.Int64(min=0, description="labelled responses left of the reference")
    k_group = dy.Int64(min=0, description="of them with the outcome")
    k_reference = dy.Int64(min=0, description="of them with the outcome")
    estimate = dy.Float64(nullable=True, description="risk difference without it")
    change = dy.Float64(nullable=True, description="less the difference with everything")
    p_value = probability("permutation of the names left, all splits or many")
    note = dy.String(nullable=True, description="why a number is missing")


@table("mixed_models", when=lambda study: study.analysis.mixed_model)
class MixedModels(dy.Schema):
    """Logistic regressions with random intercepts of names and templates, by Laplace."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    outcome = outcome_key(primary_key=True, description="what is compared")
    dimension = dy.String(primary_key=True, description="column whose levels are compared")
    quantity = dy.Enum(MixedQuantity, primary_key=True, description="what the row holds")
    term = dy.String(
        primary_key=True, description="level of an odds ratio; name or template of a variance"
    )
    reference = dy.String(nullable=True, description="level compared with")
    estimate = dy.Float64(nullable=True, allow_inf=True, description="odds ratio, or variance")
    std_error = dy.Float64(nullable=True, description="of the logarithm of the odds ratio")
    ci_low = dy.Float64(nullable=True, description="lower end of Wald's interval")
    ci_high = dy.Float64(nullable=True, allow_inf=True, description="its upper end")
    statistic = dy.Float64(nullable=True, description="z, or the likelihood ratio")
    df = dy.Float64(nullable=True, description="degrees of freedom of the likelihood ratio")
    p_value = probability("normal, or chi-square")
    share = probability("of the latent variance")
    note = dy.String(nullable=True, description="why a number is missing or not to be trusted")
