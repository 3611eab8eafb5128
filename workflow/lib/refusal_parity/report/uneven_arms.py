"""Pooled arms of which nothing counts, or less for some levels than for others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.counting import enumerated
from refusal_parity.dimensions import ARM
from refusal_parity.quantities import Mean, Share
from refusal_parity.statistics.losses.left_out import WORTH_SAYING
from refusal_parity.tables import Labels
from refusal_parity.text import level_words, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.report.inputs import ReportInputs


def uneven_arms(inputs: ReportInputs, model: str) -> list[str]:
    """Sentences on what is said to pool arms and does not, or not alike for all levels.

    Templates are taken off a difference, arms are not: what a level lacks of one arm looks like a
    difference between levels.
    """
    if inputs.pooled_arms is None or not isinstance(inputs.outcome.quantity, Share | Mean):
        return []
    prompts = inputs.compared()
    counted = _counted(inputs, model, prompts)
    arms = prompts["arm"].unique(maintain_order=True).to_list()
    there = set(counted["arm"])
    lost = [level_words(ARM.key, arm) for arm in arms if arm not in there]
    uneven = [
        sentence
        for dimension in inputs.dimensions
        if dimension != ARM.key and dimension in counted.columns
        for sentence in _between_levels(inputs, dimension, counted)
    ]
    if not lost or not there:
        return uneven
    return [
        f"No response for {enumerated(lost)} counts: what pools arms is about the others alone.",
        *uneven,
    ]


def _counted(inputs: ReportInputs, model: str, prompts: pl.DataFrame) -> pl.DataFrame:
    """The prompts of the responses that count, one row for each response."""
    of_label = pl.col("label").is_not_null()
    counts = pl.when("filtered").then(inputs.counts_filtered).otherwise(of_label)
    whole = pl.lit(inputs.config.analysis.truncated == "label") | ~pl.col("truncated")
    rows = inputs.scan(Labels, model).filter(counts, whole).select("prompt_id").collect()
    return rows.join(prompts, on="prompt_id")


def _between_levels(inputs: ReportInputs, dimension: str, counted: pl.DataFrame) -> Iterator[str]:
    """For each level whose responses are otherwise spread over arms than the reference's."""
    shares = {
        str(level): dict(part["arm"].value_counts(normalize=True).iter_rows())
        for (level,), part in counted.drop_nulls(dimension).group_by(dimension, maintain_order=True)
    }
    reference = inputs.reference(dimension)
    if reference is None or reference not in shares:
        return
    of_reference = shares.pop(reference)
    for level, of_level in shares.items():
        lacking = {arm: share - of_level.get(arm, 0.0) for arm, share in of_reference.items()}
        arm = max(lacking, key=lambda each: lacking[each])
        if lacking[arm] > WORTH_SAYING:
            yield (
                f"Of the responses that count for {level_words(dimension, level)}, "
                f"{percent(of_level.get(arm, 0.0))} are for {level_words(ARM.key, arm)}, of those "
                f"for {level_words(dimension, reference)} {percent(of_reference[arm])}: arms are "
                "not taken off a difference, and where they move one there is no test of it."
            )
