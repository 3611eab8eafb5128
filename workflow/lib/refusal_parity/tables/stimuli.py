"""What the study's own names are like, before any model has answered."""

from __future__ import annotations

import dataframely as dy

from refusal_parity.tables.registry import table


@table("stimuli", per_model=False)
class Stimuli(dy.Schema):
    """How alike the names of two groups, or the prompts of a list, are in all but their group."""

    dimension = dy.String(primary_key=True, description="column whose levels are compared")
    group = dy.String(primary_key=True, description="level of the dimension")
    reference = dy.String(description="level that it is compared with")
    property = dy.String(
        primary_key=True,
        description="what is compared: a factor of the names, a level of one as a share "
        "(`gender: woman`), `letters`, or `tokens`",
    )
    model = dy.String(
        primary_key=True, description="key of the model that counted the tokens, else `all`"
    )
    n_names = dy.Int64(
        min=0,
        description="names, or prompts of a list, of the group for which the property is known",
    )
    n_reference = dy.Int64(min=0, description="the same of the reference")
    mean = dy.Float64(nullable=True, description="mean over the group's names")
    mean_reference = dy.Float64(nullable=True, description="the same of the reference")
    std = dy.Float64(nullable=True, min=0, description="standard deviation over the names")
    std_reference = dy.Float64(nullable=True, min=0, description="the same of the reference")
    std_difference = dy.Float64(
        nullable=True,
        description="difference of the means by the root of the mean of both variances",
    )
    note = dy.String(nullable=True, description="why a number is missing")
