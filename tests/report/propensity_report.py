"""Inputs of a report on made-up propensities: every table as the jobs make it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
from report_study import make_responses, tables_by_schema, with_findings

from propensity_study import config_of, made_up
from refusal_parity.report import ReportInputs
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.losses.exclusions import exclusions
from refusal_parity.statistics.overview import overview
from refusal_parity.statistics.propensity.checks import propensity_checks
from refusal_parity.statistics.propensity.effects import propensity_effects
from refusal_parity.statistics.propensity.levels import propensity_levels
from refusal_parity.statistics.propensity.measured import measured
from refusal_parity.statistics.rates import rates

if TYPE_CHECKING:
    from pathlib import Path


def propensity_inputs(root: Path, *, templates: int = 10, **analysis: Any) -> ReportInputs:
    """A study of two models that refuse rarely, one of them some groups more often.

    Args:
        root: of the repository.
        templates: how many of its templates are asked.
        analysis: settings beside those of a fast study.
    """
    tables = made_up(root)
    kept = tables["prompts"]["template_id"].unique(maintain_order=True)[:templates]
    prompts = tables["prompts"].filter(pl.col("template_id").is_in(kept.implode()))
    tables = {
        key: frame.filter(pl.col("prompt_id").is_in(prompts["prompt_id"].implode()))
        if "prompt_id" in frame.columns
        else frame
        for key, frame in tables.items()
    }
    config = config_of(**analysis)
    seen = observe(
        *(prompts, tables["labels"], config.analysis),
        propensity=tables["propensity"],
        weighed=tables["weighed"],
    )
    rows = measured(prompts, tables["propensity"], tables["weighed"], config.analysis)
    tested = disparities(seen, config.analysis)
    levels = propensity_levels(rows, config.analysis)
    rated = rates(seen, config.analysis)
    made = ReportInputs(
        config=config,
        tables=tables_by_schema(
            **tables,
            rates=rated,
            disparity=tested,
            exclusions=exclusions(seen, config.analysis),
            overview=overview([rated], [tested]),
            responses=make_responses(tables["labels"], prompts),
            propensity_levels=levels,
            propensity_effects=propensity_effects(rows, levels, tested, config.analysis),
            propensity_checks=propensity_checks(rows, config.analysis),
        ),
    )
    return with_findings(made)
