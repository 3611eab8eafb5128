"""Rates of names and templates, each pooled with the others of its kind."""

from __future__ import annotations

import dataframely as dy

from refusal_parity.tables.columns import outcome_key
from refusal_parity.tables.registry import table
from refusal_parity.vocabulary import PooledUnit


@table("pooled")
class Pooled(dy.Schema):
    """The primary outcome's rate of each name and each template, pooled with others like it."""

    model = dy.String(primary_key=True, description="key of the model in the config")
    outcome = outcome_key(primary_key=True, description="what is counted")
    unit = dy.Enum(PooledUnit, primary_key=True, description="what the row is of")
    key = dy.String(primary_key=True, description="`name_id` or `template_id`")
    group = dy.String(
        nullable=True, description="group that a name is pooled towards; null of templates"
    )
    n = dy.Int64(min=0, description="labelled responses")
    k = dy.Int64(min=0, description="responses with the outcome")
    rate = dy.Float64(nullable=True, min=0, max=1, description="k / n, as seen")
    pooled = dy.Float64(
        nullable=True,
        min=0,
        max=1,
        description="estimated rate over all these templates (of a name) or names (of a template)",
    )
    pooled_low = dy.Float64(nullable=True, min=0, max=1, description="lower end of its interval")
    pooled_high = dy.Float64(nullable=True, min=0, max=1, description="its upper end")
    note = dy.String(nullable=True, description="why a number is missing or not to be trusted")
