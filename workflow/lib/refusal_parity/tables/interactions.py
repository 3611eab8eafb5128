"""Whether differences between groups hang on a wording, a form or a system prompt."""

from __future__ import annotations

import dataframely as dy
import polars as pl

from refusal_parity.tables.columns import outcome_key
from refusal_parity.tables.registry import table
from refusal_parity.tables.statistics import Comparison, Disparity


@table("interactions")
class Interactions(dy.Schema):
    """Differences between groups at each level of a crossed factor, and how these differ."""

    model = Disparity.model
    outcome = outcome_key(description="what is compared")
    dimension = Disparity.dimension
    group = dy.String(description="level compared")
    reference = dy.String(description="level compared with")
    factor = dy.String(
        description="column that names and texts meet every level of: a wording, a form, the arm",
    )
    factor_level = dy.String(description="its level at which they are compared")
    factor_base = dy.String(
        nullable=True,
        description="its level whose difference is taken away; null for the difference at "
        "`factor_level` alone",
    )
    scope = Disparity.scope
    n_group = dy.Int64(min=0, description="pairs of name and text of the group")
    n_reference = dy.Int64(min=0, description="the same of the reference")
    estimate = dy.Float64(
        nullable=True, description="difference of rates, or of such differences at both levels"
    )
    std_error = dy.Float64(nullable=True, description="names and texts as samples")
    df = dy.Float64(nullable=True, description="degrees of freedom")
    ci_low = dy.Float64(nullable=True, description="lower end of the interval")
    ci_high = dy.Float64(nullable=True, description="upper end of the interval")
    statistic = dy.Float64(nullable=True, description="t")
    p_value = Disparity.p_value
    p_adjusted = Disparity.p_adjusted
    family = Disparity.family
    left_out = Comparison.left_out
    lowest = Comparison.lowest
    lowest_ci_low = Comparison.lowest_ci_low
    highest = Comparison.highest
    highest_ci_high = Comparison.highest_ci_high
    note = Disparity.note

    @dy.rule()
    def key_is_unique(cls) -> pl.Expr:  # noqa: N805 - dataframely rules are class methods
        """One row for each model, outcome, pair of groups, and level or pair of levels."""
        return (
            pl.struct(
                "model", "outcome", "dimension", "group", "factor",
                "factor_level", "factor_base"
            ).is_unique()
        )  # fmt: skip
