"""The table of how precisely differences are known, stage by stage."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from refusal_parity.statistics.designs.counts import build_designs
from refusal_parity.statistics.designs.mixtures import mixtures
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.disparity import levels_of
from refusal_parity.statistics.enough import sizes_of
from refusal_parity.statistics.failures import Guard, unheard
from refusal_parity.statistics.half_widths import half_widths
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws
from refusal_parity.statistics.results import Pair
from refusal_parity.tables import Precision, conform
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.failures import Say

_COMPARED: Final = 2
"""Levels without which there is nothing to compare."""


def precisions(
    observations: pl.DataFrame,
    analysis: AnalysisConfig,
    stages: Sequence[tuple[int, pl.Expr]],
    say: Say = unheard,
) -> dy.DataFrame[Precision]:
    """Half-widths of the primary family's intervals, at each stage so far.

    Those of earlier stages are of the responses that they had, with the labels of today. None
    where losses leave a level too few names or templates for a finding, or another mixture of
    arms or wordings than the reference (`mixtures`).

    Args:
        observations: rows of `observe`, of one model or several.
        analysis: the primary family, alpha, seed, and the stopping rule.
        stages: of each so far its size, and whether a row of the observations is of it.
        say: hears what failed numerically.

    Returns:
        Table of Precision.

    Raises:
        InputError: the reference does not occur in the observations.
    """
    rule = analysis.stop_when
    if rule is None:
        raise TypeError("only a study with a stopping rule has stages")
    dimension = analysis.primary_family.dimension
    levels = levels_of(observations, dimension, analysis.dimensions[dimension].reference)
    rows = [
        {"model": str(model), "stage": stage, "size": size, "dimension": dimension}
        | {"outcome": str(analysis.primary_family.outcome), "reference": levels[0]}
        | row
        | {"enough": row["half_width"] is not None and row["half_width"] <= rule.half_width}
        for (model,), part in observations.group_by("model", maintain_order=True)
        for stage, (size, of_stage) in enumerate(stages, start=1)
        for row in _of_stage(part.filter(of_stage), levels, analysis, Guard(say, (str(model),)))
    ]
    return conform(pl.DataFrame(rows, infer_schema_length=None), Precision, where="precision")


def _of_stage(
    observations: pl.DataFrame, levels: list[str], analysis: AnalysisConfig, guard: Guard
) -> list[dict[str, Any]]:
    """Rows of one model and stage, one for each level but the reference."""
    primary = analysis.primary_family
    design = build_designs(observations, primary.dimension, levels, [primary.outcome])[
        primary.outcome
    ]
    n = dict(zip(design.levels, design.level_n.astype(int).tolist(), strict=True))
    rows: dict[str, dict[str, Any]] = {
        level: {
            "group": level,
            "responses": n.get(level, 0) + n.get(levels[0], 0),
            "half_width": None,
        }
        for level in levels[1:]
    }
    if len(design.levels) < _COMPARED or levels[0] not in n:
        return list(rows.values())
    setting = Setting(
        analysis.alpha,
        analysis.margin,
        Draws(analysis.permutations, analysis.seed),
        Resamples(analysis.bootstraps, analysis.seed),
    )
    studies = replace(Studies.of([design]), every_pair=False)

    def measured() -> dict[str, float]:
        [widths] = half_widths(studies, setting)
        of_pair = dict(zip((pair.group for pair in studies.pairs), widths.tolist(), strict=True))
        return {level: width for level, width in of_pair.items() if np.isfinite(width)}

    found = guard.run("half-widths", measured, lambda _: {})
    # However narrow: an interval of what is no finding is not what the rule asks for.
    torn = mixtures(observations, primary.dimension, levels, primary.outcome).torn
    sizes = sizes_of(design)
    for level, width in found.items():
        pair = Pair(level, levels[0])
        if pair not in torn and sizes.lacking(Scope.NEW_NAMES_AND_TEMPLATES, pair) is None:
            rows[level]["half_width"] = width
    return list(rows.values())
