"""What propensities show: levels, odds ratios, and how well they stand for refusals."""

from __future__ import annotations

import dataframely as dy

from refusal_parity.tables.columns import method_key, probability
from refusal_parity.tables.openings import weighed, weighs
from refusal_parity.tables.registry import table


@table("propensity_levels", when=weighs, models=weighed)
class PropensityLevels(dy.Schema):
    """Log-odds of refusal at each level of a dimension, and the rates that they mean."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    dimension = dy.String(primary_key=True, description="column whose levels are set apart")
    group = dy.String(primary_key=True, description="level of the dimension")
    n = dy.Int64(min=0, description="prompts with a log-odds")
    n_missing = dy.Int64(min=0, description="prompts without one")
    n_names = dy.Int64(min=0, description="names among the former")
    n_templates = dy.Int64(min=0, description="templates among them")
    log_odds = dy.Float64(nullable=True, description="mean of the prompts' log-odds")
    std_error = dy.Float64(nullable=True, description="two-way clustered, of that mean")
    ci_low = dy.Float64(nullable=True, description="two-way clustered interval of that mean")
    ci_high = dy.Float64(nullable=True, description="its upper end")
    typical_rate = probability("rate at the mean log-odds: the typical prompt's")
    mean_rate = probability(
        "mean over prompts of the rate at each one's log-odds: the hot prompts' most"
    )
    n_weighed = dy.Int64(min=0, description="prompts with a weighed rate")
    weighed_rate = dy.Float64(
        nullable=True, description="mean over prompts of the weighed rate, as responses are drawn"
    )
    weighed_rate_error = dy.Float64(
        nullable=True, min=0, description="standard error of it from drawing alone"
    )
    human_labels = dy.Int64(
        min=0,
        description="responses that people labelled of a probability sample, ordinary draws and "
        "those that were given their opening",
    )
    human_leaf_labels = dy.Int64(min=0, description="of these, those that were given their opening")
    corrected_rate = dy.Float64(
        nullable=True,
        description="the weighed rate by the machine's labels, corrected by people's",
    )
    corrected_error = dy.Float64(
        nullable=True,
        min=0,
        description="standard error of it, with names, templates and people's labels as samples",
    )
    corrected_low = probability("lower end of its interval")
    corrected_high = probability("its upper end")
    corrected_note = dy.String(
        nullable=True, description="why it is missing, where people labelled anything"
    )
    note = dy.String(nullable=True, description="why a number is missing or not to be trusted")


@table("propensity_effects", when=weighs, models=weighed)
class PropensityEffects(dy.Schema):
    """Odds ratios of refusal propensity against the reference, and what they vary with."""

    model = PropensityLevels.model
    dimension = dy.String(primary_key=True, description="column whose levels are compared")
    group = dy.String(primary_key=True, description="level compared")
    reference = dy.String(primary_key=True, description="level compared with")
    method = method_key(
        nullable=True, description="of the row of disparity.parquet that this is exp of"
    )
    odds_ratio = dy.Float64(
        nullable=True, min=0, description="exp of the difference of mean log-odds"
    )
    ci_low = dy.Float64(
        nullable=True, min=0, description="lower end of the interval that agrees with `p_adjusted`"
    )
    ci_high = dy.Float64(nullable=True, min=0, description="its upper end")
    p_adjusted = probability("corrected within the family of disparity.parquet")
    typical_rate_group = probability("rate at the mean log-odds of the group")
    typical_rate_reference = probability("the same of the reference")
    mean_rate_group = probability("mean over the group's prompts of their rates")
    mean_rate_reference = probability("the same of the reference")
    opposed = dy.Bool(
        nullable=True, description="odds put one of the two first, and mean rates the other"
    )
    template_deviation = dy.Float64(
        nullable=True,
        min=0,
        description="standard deviation over templates of the log odds ratio, without the noise of "
        "names and cells; of all levels together",
    )
    name_deviation = dy.Float64(
        nullable=True, min=0, description="standard deviation of log-odds between names of a level"
    )
    cell_deviation = dy.Float64(
        nullable=True,
        min=0,
        description="standard deviation between prompts beyond their name and template",
    )
    note = PropensityLevels.note


@table("propensity_checks", when=weighs, models=weighed)
class PropensityChecks(dy.Schema):
    """How well propensities stand for refusals: against responses that were drawn, by level."""

    model = PropensityLevels.model
    dimension = PropensityLevels.dimension
    group = PropensityLevels.group
    reference = dy.String(
        nullable=True, description="level compared with; null of the reference and of `all`"
    )
    drawn = dy.Int64(min=0, description="ordinary draws that have a label")
    drawn_refusals = dy.Int64(min=0, description="refusals among them")
    drawn_rate = probability("share of refusals")
    tree_rate = probability("rate that the trees of other templates expect of the same prompts")
    gap = dy.Float64(
        nullable=True, description="mean over prompts of the drawn rate less the tree's"
    )
    gap_low = dy.Float64(nullable=True, description="lower end of its interval, two-way clustered")
    gap_high = dy.Float64(nullable=True, description="its upper end")
    gap_difference = dy.Float64(
        nullable=True, description="gap less that of the reference, within templates"
    )
    gap_difference_low = dy.Float64(nullable=True, description="lower end of its interval")
    gap_difference_high = dy.Float64(nullable=True, description="its upper end")
    gap_difference_p = probability("test that it is 0, Holm over the levels")
    outside_refusals = dy.Int64(
        min=0, description="drawn refusals that open outside the tree of other templates"
    )
    outside_share = probability("share of them among drawn refusals")
    outside_low = probability("Wilson's, as if refusals were independent")
    outside_high = probability("its upper end")
    outside_difference = dy.Float64(nullable=True, description="share less that of the reference")
    outside_difference_low = dy.Float64(nullable=True, description="lower end of its interval")
    outside_difference_high = dy.Float64(nullable=True, description="its upper end")
    outside_difference_p = probability("test that it is 0, Holm over the levels")
    odds_factor = dy.Float64(
        nullable=True,
        min=0,
        allow_inf=True,
        description="what the odds ratio would be multiplied by if the shares outside were those "
        "seen: (1 - share of the reference) / (1 - share)",
    )
    note = PropensityLevels.note
