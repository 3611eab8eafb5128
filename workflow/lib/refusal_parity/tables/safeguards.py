"""What is done to requests, and what that costs whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dataframely as dy

from refusal_parity.tables.columns import outcome_key, probability
from refusal_parity.tables.registry import table
from refusal_parity.tables.statistics import Comparison
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from refusal_parity.config import StudyConfig


def _has_safeguards(study: StudyConfig) -> bool:
    return len(study.prompts.arms) > 1


@table("safeguard_rates", per_model=False, when=_has_safeguards)
class SafeguardRates(dy.Schema):
    """How often each outcome occurs in each arm, of harmless and of unsafe requests."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    arm = dy.String(primary_key=True, description="key of the arm")
    kind = dy.String(primary_key=True, description="`harmless` or `unsafe`, of the requests")
    outcome = outcome_key(primary_key=True, description="what is counted")
    dimension = dy.String(primary_key=True, description="column whose levels are counted apart")
    group = dy.String(primary_key=True, description="level of the dimension, `all` for all")
    n = dy.Int64(min=0, description="labelled responses")
    k = dy.Int64(min=0, description="responses with the outcome")
    n_stopped = dy.Int64(min=0, description="stopped by a guard or the service's own filter")
    n_cut = dy.Int64(min=0, description="of the labelled ones, those that were cut off")
    n_left_out = dy.Int64(min=0, description="without a label, for whatever reason")
    rate = probability("k / n")
    ci_low = dy.Float64(nullable=True, description="lower end of the interval")
    ci_high = dy.Float64(nullable=True, description="its upper end")
    note = dy.String(nullable=True, description="why a number is missing or not to be trusted")


@table("safeguards", per_model=False, when=_has_safeguards)
class Safeguards(dy.Schema):
    """What each arm changes, paired by prompt: for all, for each group, and between groups."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    arm = dy.String(primary_key=True, description="key of the arm")
    baseline = dy.String(description="arm that it is compared with")
    kind = dy.String(primary_key=True, description="`harmless` or `unsafe`, of the requests")
    outcome = outcome_key(primary_key=True, description="what is compared")
    dimension = dy.String(primary_key=True, description="column whose levels are compared")
    group = dy.String(primary_key=True, description="level, `all` for all requests")
    reference = dy.String(nullable=True, description="level whose cost is taken off")
    estimand = dy.Enum(
        ["rate_difference", "disparity_difference"],
        primary_key=True,
        description="what is estimated: the change of a rate, or of its difference from the "
        "reference's",
    )
    scope = dy.Enum(Scope, primary_key=True, description="to what the result generalises")
    n_prompts = dy.Int64(min=0, description="prompts with a labelled response in both arms")
    names_group = Comparison.names_group
    names_reference = Comparison.names_reference
    templates_group = Comparison.templates_group
    templates_reference = Comparison.templates_reference
    estimate = dy.Float64(nullable=True, description="change from the baseline to the arm")
    std_error = Comparison.std_error
    df = Comparison.df
    ci_low = Comparison.ci_low
    ci_high = Comparison.ci_high
    statistic = Comparison.statistic
    p_value = Comparison.p_value
    p_adjusted = Comparison.p_adjusted
    family = Comparison.family
    left_arm = dy.Int64(min=0, description="responses left out in the arm, for whatever reason")
    left_baseline = dy.Int64(min=0, description="the same in the baseline")
    left_change = dy.Float64(
        nullable=True, description="change of the share left out, null where nothing was"
    )
    left_p_value = probability("of that change")
    left_p_adjusted = probability("Holm, over the rows of one family")
    lowest = dy.Float64(
        nullable=True, description="change if all that was left out speaks against it"
    )
    lowest_ci_low = dy.Float64(nullable=True, description="lower end of its interval")
    highest = dy.Float64(nullable=True, description="change if all of it speaks for it")
    highest_ci_high = dy.Float64(nullable=True, description="upper end of its interval")
    note = Comparison.note
