"""How differences between groups vary from template to template."""

from __future__ import annotations

import dataframely as dy

from refusal_parity.tables.columns import outcome_key, probability
from refusal_parity.tables.registry import table


@table("template_effects")
class TemplateEffects(dy.Schema):
    """How the difference between two groups of names varies from template to template."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    outcome = outcome_key(primary_key=True, description="what is compared")
    dimension = dy.String(primary_key=True, description="column whose levels are compared")
    group = dy.String(primary_key=True, description="level compared")
    reference = dy.String(description="level compared with")
    names_group = dy.Int64(min=0, description="names of the group")
    names_reference = dy.Int64(min=0, description="names of the reference")
    templates = dy.Int64(
        min=0, description="templates, or matched sets, with labelled responses of all these names"
    )
    left_out = dy.Int64(
        min=0,
        description="templates that lack those of a name, in an arm or wording too, and are left "
        "out",
    )
    estimate = dy.Float64(nullable=True, description="mean difference over these templates")
    sd = dy.Float64(
        nullable=True, min=0, description="standard deviation of the difference between templates"
    )
    sd_low = dy.Float64(nullable=True, min=0, description="lower end of its interval")
    sd_high = dy.Float64(nullable=True, min=0, description="upper end of its interval")
    p_value = probability("names permuted: whether the difference varies between templates at all")
    p_adjusted = probability("corrected within `family`")
    family = dy.String(nullable=True, description="family of tests that are corrected together")
    new_low = dy.Float64(
        nullable=True,
        description="lower end of what these names would show in a new template like these",
    )
    new_high = dy.Float64(nullable=True, description="its upper end")
    new_level = probability("share of new templates that it holds at least")
    note = dy.String(nullable=True, description="why a number is missing or not to be trusted")
