"""One row for each prompt whose propensity was measured, with its groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from refusal_parity.counting import agreed
from refusal_parity.dimensions import composed, with_factors
from refusal_parity.errors import InputError
from refusal_parity.factors import with_text_unit
from refusal_parity.statistics.designs.counts import clusters_of
from refusal_parity.statistics.designs.observations import ordinary
from refusal_parity.statistics.variances.clusters import mean_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.designs.counts import FloatArray, IntArray
    from refusal_parity.statistics.variances.clusters import MeanErrors

ALL: Final = "all"

_WEIGHED: Final = ("weighed_rate", "weighed_rate_error")


def measured(
    prompts: pl.DataFrame,
    propensity: pl.DataFrame,
    weighed: pl.DataFrame,
    analysis: AnalysisConfig,
) -> pl.DataFrame:
    """The rows of a table of Propensity beside weighed rates and the groups of their prompts.

    Args:
        prompts: table of Prompts.
        propensity: table of Propensity, of one model or several.
        weighed: table of Weighed, of the same.
        analysis: its dimensions.

    Raises:
        InputError: a prompt is not among the prompts.
    """
    unknown = propensity.join(prompts, on="prompt_id", how="anti")
    if unknown.height:
        raise InputError(
            f"{unknown.height:,} {agreed(unknown.height, 'propensity has', 'propensities have')} "
            f"no prompt, the first one {unknown['prompt_id'][0]!r}",
            where="propensity",
            remedy="Measure them of these very prompts: run the workflow again from there.",
        )
    kept = prompts.filter(ordinary(prompts, analysis.dimensions))
    columns = ["name_id", "template_id", "text_id", *with_factors(analysis.dimensions)]
    return (
        propensity.join(with_text_unit(kept), on="prompt_id", how="inner", maintain_order="left")
        .join(
            weighed.select("model", "prompt_id", *_WEIGHED),
            on=["model", "prompt_id"],
            how="left",
            maintain_order="left",
        )
        .with_columns(*composed())
        .select(*propensity.columns, *_WEIGHED, *dict.fromkeys(columns))
        .sort("model", "prompt_id")
    )


def by_dimension(
    rows: pl.DataFrame, analysis: AnalysisConfig
) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """Model, dimension and the rows of each, with the level as `group`; first all of a model."""
    levels = {ALL: pl.lit(ALL)} | {str(key): pl.col(key) for key in analysis.dimensions}
    for (model,), part in rows.group_by("model", maintain_order=True):
        for dimension, level in levels.items():
            yield (
                str(model),
                dimension,
                part.with_columns(level.alias("group")).drop_nulls("group"),
            )


def errors_of(rows: pl.DataFrame, level: IntArray, values: FloatArray) -> MeanErrors:
    """Clustered standard errors of the mean of each level; of a prompt list by its units.

    Args:
        rows: prompts with `name_id`, `text_id` and `template_id`.
        level: code of each one's level, shape (rows,).
        values: what is averaged, shape (rows,).
    """
    name, template = clusters_of(rows)
    listed = not template.any() and rows["text_id"].n_unique() > 1
    n = np.ones(len(values))
    return mean_errors(level, name, name if listed else template, n, values)
