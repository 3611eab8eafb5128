"""What a study can find, and how often its methods would find what is not there."""

from __future__ import annotations

import dataframely as dy

from refusal_parity.tables.columns import method_key, outcome_key, probability
from refusal_parity.tables.registry import table
from refusal_parity.vocabulary import DesignQuantity, Estimand, NameVariance, Scope


@table("design", per_model=False)
class StudyDesign(dy.Schema):
    """What differences a design can find, and what smaller ones would take."""

    model = dy.String(
        description="key of the model, or `assumed` in a plan, but for what weighing takes"
    )
    outcome = outcome_key(description="what is compared")
    dimension = dy.String(description="column whose levels are compared")
    scope = dy.Enum(Scope, description="to what the result generalises")
    names = dy.Float64(description="names of the group, or prompts of a list")
    reference_names = dy.Float64(description="the same of the reference")
    templates = dy.Float64(description="templates of the design; 1 of a list")
    samples = dy.Float64(description="labelled responses to each prompt, on average")
    quantity = dy.Enum(
        DesignQuantity,
        description="smallest difference found; how many are needed for a difference; what one "
        "more adds to the smallest difference found; the smallest odds ratio found where "
        "propensities are measured; or what weighing openings takes (requests of one token, "
        "responses that are given an opening, tokens at most) and how far intervals of a "
        "difference of rates reach to each side, drawn and weighed",
    )
    difference = dy.Float64(nullable=True, description="difference that is to be found")
    value = dy.Float64(
        nullable=True, description="a number of units, a difference of rates, or a ratio"
    )
    alpha = dy.Float64(description="level of the test")
    power = dy.Float64(description="share of studies that find the difference")
    rate = dy.Float64(nullable=True, description="rate over all responses")
    var_name = dy.Float64(nullable=True, description="variance between names of a group, of rates")
    var_template = dy.Float64(nullable=True, description="variance between templates")
    var_template_group = dy.Float64(
        nullable=True, description="variance between templates within groups"
    )
    var_cell = dy.Float64(nullable=True, description="variance between cells")
    var_sample = dy.Float64(nullable=True, description="variance between responses to one prompt")
    note = dy.String(
        nullable=True, description="why a number is missing, or known less well than usual"
    )


@table("selfcheck", per_model=False, when=lambda study: study.analysis.selfcheck > 0)
class SelfCheck(dy.Schema):
    """How often each method finds an effect in studies like this one that have none."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    outcome = outcome_key(primary_key=True, description="what is compared")
    dimension = dy.String(primary_key=True, description="column whose levels are compared")
    name_variance = dy.Enum(
        NameVariance, primary_key=True, description="names of all groups vary alike, or by group"
    )
    method = method_key(primary_key=True, description="the method that was run")
    estimand = dy.Enum(Estimand, primary_key=True, description="what it estimates or tests")
    n_simulations = dy.Int64(min=0, description="simulated studies that it gave an answer for")
    nominal = dy.Float64(description="nominal type I error rate")
    false_positive_rate = probability("share of tests that reject; mean over groups")
    ci_low = dy.Float64(nullable=True, description="95 % Monte Carlo interval of that rate")
    ci_high = dy.Float64(nullable=True, description="its upper end")
    highest = probability("rate of the worst group")
    rate = dy.Float64(nullable=True, description="rate of all groups in the simulated studies")
    var_name = dy.Float64(nullable=True, description="latent variance of names, mean over groups")
    var_template = dy.Float64(nullable=True, description="latent variance of templates")
    var_template_group = dy.Float64(
        nullable=True, description="latent variance of templates within groups"
    )
    var_cell = dy.Float64(nullable=True, description="latent variance of cells")
    var_sample = dy.Float64(nullable=True, description="latent variance of single responses")
    note = dy.String(nullable=True, description="why a number is missing, or what it means")
