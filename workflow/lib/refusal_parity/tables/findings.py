"""What a study answers: one row for each question."""

from __future__ import annotations

import dataframely as dy
import polars as pl

from refusal_parity.tables.columns import method_key, outcome_key, probability
from refusal_parity.tables.registry import table
from refusal_parity.vocabulary import Correction, ModelEstimand, Scope, Verdict


@table("findings", per_model=False)
class Findings(dy.Schema):
    """Each question that the report answers: what was decided, by which test, and how surely."""

    model = dy.String(
        nullable=True, description="key of the model in the config, null for a series of sizes"
    )
    outcome = outcome_key(description="what is compared")
    dimension = dy.String(
        description="column whose levels are compared; `all` for the rates of two models"
    )
    group = dy.String(nullable=True, description="level compared, null for all levels together")
    reference = dy.String(nullable=True, description="level compared with, null for all together")
    factor = dy.String(
        nullable=True,
        description="crossed factor at whose levels they are compared; null for all responses",
    )
    factor_level = dy.String(nullable=True, description="its level")
    factor_base = dy.String(
        nullable=True,
        description="its level whose difference is taken away; null for the difference at "
        "`factor_level` alone",
    )
    contrast = dy.String(
        nullable=True,
        description="of models against each other, as in comparison.parquet; null for one model",
    )
    baseline = dy.String(nullable=True, description="model that `model` is compared with")
    estimand = dy.Enum(
        ModelEstimand, nullable=True, description="what models are compared in; null for one model"
    )
    primary = dy.Bool(description="belongs to the outcome and dimension of the primary family")
    verdict = dy.Enum(Verdict, description="equivalent: shown to be smaller than the margin")
    reason = dy.String(nullable=True, description="why it is not estimable")
    method = method_key(
        nullable=True,
        description="of the row of disparity.parquet that is reported; null where none has a "
        "number, for all levels together where the pairs decide alone, and between models, of "
        "which comparison.parquet has one test",
    )
    fallback = dy.String(
        nullable=True, description="why the method that comes first is not the one reported"
    )
    scope = dy.Enum(Scope, nullable=True, description="to what the reported row generalises")
    names_group = dy.Int64(
        nullable=True, description="names of the group, or of all levels, with a counted response"
    )
    names_reference = dy.Int64(nullable=True, description="the same of the reference")
    templates_group = dy.Int64(
        nullable=True, description="templates of the group, or of all, with a counted response"
    )
    templates_reference = dy.Int64(nullable=True, description="the same of the reference")
    n_group = dy.Int64(nullable=True, description="responses behind the reported row")
    n_reference = dy.Int64(nullable=True, description="the same of the reference")
    k_group = dy.Int64(nullable=True, description="of them with the outcome")
    k_reference = dy.Int64(nullable=True, description="the same of the reference")
    n_prompts = dy.Int64(
        nullable=True, description="prompts to which every model compared has a labelled response"
    )
    estimate = dy.Float64(
        nullable=True,
        description="difference, or between models its difference or trend; for all levels, the "
        "highest less the lowest rate",
    )
    ci_low = dy.Float64(
        nullable=True, description="lower end of the interval that agrees with `p_adjusted`"
    )
    ci_high = dy.Float64(nullable=True, description="its upper end")
    p_value = probability("of the reported row alone")
    p_adjusted = probability(
        "corrected within `family`, over the methods that decide in a model, and with "
        "`analysis.across_models` over models; decides"
    )
    p_one_model = probability("corrected within `family` alone; null where that is `p_adjusted`")
    shared_alpha = probability(
        "where models or methods share alpha, what `p_one_model` is held against, and 1 less the "
        "level of the interval"
    )
    family = dy.String(nullable=True, description="tests that are corrected together")
    correction = dy.Enum(Correction, nullable=True, description="how they are corrected")
    names_ci_low = dy.Float64(
        nullable=True, description="lower end of the interval for these templates and new names"
    )
    names_ci_high = dy.Float64(nullable=True, description="its upper end")
    names_p_adjusted = probability(
        "its p-value: the exact permutation of names; between models, the contrast's"
    )
    covariates = dy.String(
        nullable=True, description="what the difference is also adjusted for, and without whom"
    )
    covariates_estimate = dy.Float64(nullable=True, description="the difference so adjusted")
    covariates_ci_low = dy.Float64(nullable=True, description="lower end of its interval")
    covariates_ci_high = dy.Float64(nullable=True, description="its upper end")
    covariates_p_adjusted = probability(
        "its p-value, corrected for several tests; null where it only describes"
    )
    margin = dy.Float64(min=0, description="difference below which levels count as alike")
    p_small = probability("test that the difference is smaller, corrected")
    within_margin = dy.Bool(description="that test shows it")
    human_labels = dy.Int64(
        nullable=True, description="labels of people that correct the difference; null for none"
    )
    uncorrected = dy.String(
        nullable=True, description="why people's labels do not correct it, where there are some"
    )
    machine_estimate = dy.Float64(
        nullable=True, description="difference by the machine's labels, where people correct it"
    )
    machine_p_adjusted = probability(
        "its p-value, corrected for several tests; null where it only describes"
    )
    type_i_error = probability("of the reported test in the self-check")
    liberal = dy.Bool(description="that rate is shown to be above the nominal level")
    left_out = dy.Int64(
        nullable=True, description="responses left out of both levels; null where none is"
    )
    lowest = dy.Float64(
        nullable=True, description="difference if what was left out spoke for the reference alone"
    )
    lowest_p_adjusted = probability("its p-value")
    highest = dy.Float64(
        nullable=True, description="difference if what was left out spoke for the group alone"
    )
    highest_p_adjusted = probability("its p-value")
    overturned = dy.Bool(
        description="it would not be shown, or not be shown to be small, under one of these two "
        "readings"
    )
    warning = dy.String(nullable=True, description="what it says of who was left out, in words")
    note = dy.String(nullable=True, description="why a number is missing or not to be trusted")

    @dy.rule()
    def key_is_unique(cls) -> pl.Expr:  # noqa: N805 - dataframely rules are class methods
        """One row for each question."""
        return pl.struct(
            "model", "contrast", "outcome", "dimension", "group", "reference", "estimand",
            "factor", "factor_level", "factor_base",
        ).is_unique()  # fmt: skip
