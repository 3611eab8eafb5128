"""Where responses went that count nowhere, or not as a label says."""

from __future__ import annotations

import dataframely as dy

from refusal_parity.tables.columns import outcome_key, probability
from refusal_parity.tables.registry import table
from refusal_parity.vocabulary import CutReading, Loss, Reading


@table("exclusions")
class Exclusions(dy.Schema):
    """Where every lost response went: rows asked for, labelled, and left out by reason."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    dimension = dy.String(
        primary_key=True, description="column whose levels are counted separately"
    )
    group = dy.String(primary_key=True, description="level of the dimension")
    reason = dy.String(primary_key=True, description="labelled, or why a response has no label")
    n = dy.Int64(min=0, description="responses")
    share = probability("of all responses of the level")


@table("losses")
class Losses(dy.Schema):
    """How often responses were left out, cut off or refused by the service, level by level."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    loss = dy.Enum(Loss, primary_key=True, description="what happened to the responses")
    dimension = dy.String(primary_key=True, description="column whose levels are compared")
    group = dy.String(primary_key=True, description="level compared")
    reference = dy.String(description="level compared with")
    n_group = dy.Int64(min=0, description="responses asked for of the group")
    n_reference = dy.Int64(min=0, description="the same of the reference")
    k_group = dy.Int64(min=0, description="of them befallen")
    k_reference = dy.Int64(min=0, description="of them befallen")
    estimate = dy.Float64(nullable=True, description="difference of the shares")
    std_error = dy.Float64(nullable=True, description="names and templates as samples")
    df = dy.Float64(nullable=True, description="degrees of freedom (Satterthwaite)")
    ci_low = dy.Float64(nullable=True, description="lower end of the interval")
    ci_high = dy.Float64(nullable=True, description="upper end of the interval")
    p_value = probability("t test, or all splits of the names")
    p_adjusted = probability("Holm, over the levels")
    note = dy.String(nullable=True, description="why a number is missing or not to be trusted")


@table("bounds")
class Bounds(dy.Schema):
    """Each difference with what was left out of its levels read one way and the other."""

    model = Losses.model
    outcome = outcome_key(primary_key=True, description="what is compared")
    dimension = Losses.dimension
    group = Losses.group
    reference = Losses.reference
    reading = dy.Enum(
        Reading,
        primary_key=True,
        description="highest: all that was left out of the group has the outcome and nothing of "
        "the reference; lowest: the reverse",
    )
    left_group = dy.Int64(min=0, description="responses left out of the group")
    left_reference = dy.Int64(min=0, description="the same of the reference")
    estimate = dy.Float64(nullable=True, description="risk difference so read")
    std_error = Losses.std_error
    df = Losses.df
    ci_low = Losses.ci_low
    ci_high = Losses.ci_high
    p_value = Losses.p_value
    p_adjusted = Losses.p_adjusted
    note = Losses.note


@table("cut_off")
class CutOff(dy.Schema):
    """Each difference with cut-off responses counted by their label, and with them left out."""

    model = Losses.model
    outcome = outcome_key(primary_key=True, description="what is compared")
    dimension = Losses.dimension
    group = Losses.group
    reference = Losses.reference
    reading = dy.Enum(
        CutReading, primary_key=True, description="how responses that were cut off count"
    )
    n_group = dy.Int64(min=0, description="responses that count of the group")
    n_reference = dy.Int64(min=0, description="the same of the reference")
    k_group = dy.Int64(min=0, description="of them with the outcome")
    k_reference = dy.Int64(min=0, description="of them with the outcome")
    estimate = dy.Float64(
        nullable=True, description="risk difference within templates, or of the two rates"
    )
    std_error = Losses.std_error
    ci_low = dy.Float64(nullable=True, description="lower end of its interval")
    ci_high = dy.Float64(nullable=True, description="upper end of its interval")
    p_value = probability("t test")
    p_adjusted = probability("corrected as in disparity.parquet")
    note = Losses.note
