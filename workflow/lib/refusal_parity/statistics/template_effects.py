"""The table of how differences between groups of names vary from template to template."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from refusal_parity.counting import counted
from refusal_parity.dimensions import ARM, DIMENSIONS, Unit
from refusal_parity.factors import is_listed
from refusal_parity.statistics.adjust import adjust_exploratory
from refusal_parity.statistics.designs.counts import build_designs
from refusal_parity.statistics.designs.grid import grid_of, in_grid
from refusal_parity.statistics.disparity import levels_of
from refusal_parity.statistics.enough import LEAST
from refusal_parity.statistics.failures import Guard, unheard
from refusal_parity.statistics.resampling.randomisation import Draws
from refusal_parity.statistics.results import NOT_ESTIMABLE
from refusal_parity.statistics.uncounted import absent_levels
from refusal_parity.statistics.variances.across_templates import across_templates
from refusal_parity.tables import TemplateEffects, conform

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.designs.counts import BoolArray, FloatArray, IntArray
    from refusal_parity.statistics.failures import Say

FEWEST: Final = 12
"""Templates without which nothing is said of how differences vary between them."""

LEAST_LEVEL: Final = 0.9
"""Share of new templates that an interval of theirs must hold to be given."""

_ALIKE: Final = " in the same arms and wordings"

_DECIMALS: Final = 12
"""Of differences of rates: those beyond hang on the processor."""

Row = dict[str, Any]


def template_effects(
    observations: pl.DataFrame, analysis: AnalysisConfig, say: Say = unheard
) -> dy.DataFrame[TemplateEffects]:
    """Spread of each difference over templates, and the interval of a new template's.

    See `across_templates`. Matched sets stand for templates where there are any.
    Templates that lack a labelled response of a name, in any arm or wording that others have
    there, are left out, and counted. All rows are
    exploratory, adjusted by Benjamini and Hochberg within model and outcome.

    Args:
        observations: rows of `observe`, of one model or several.
        analysis: outcomes, dimensions with their references, alpha, permutations, seed.
        say: hears what failed numerically.

    Raises:
        InputError: a reference level does not occur in the observations.
    """
    rows = [
        {"model": model, "dimension": dimension} | row
        for (model,), part in observations.group_by("model", maintain_order=True)
        if not is_listed(part)
        for dimension in analysis.dimensions
        if DIMENSIONS[dimension].unit is Unit.NAME
        for row in _of_dimension(part, dimension, analysis, Guard(say, (str(model), dimension)))
    ]
    schema = {
        name: pl.String() if isinstance(column.dtype, pl.Enum) else column.dtype
        for name, column in TemplateEffects.columns().items()
        if name not in {"family", "p_adjusted"}
    }
    family = pl.format("exploratory: {} across templates", "outcome")
    table = adjust_exploratory(pl.DataFrame(rows, schema=schema), family).with_columns(
        pl.col("estimate", "new_low", "new_high").round(_DECIMALS) + 0.0
    )
    return conform(table, TemplateEffects, where="template effects")


def _of_dimension(
    observations: pl.DataFrame, dimension: str, analysis: AnalysisConfig, guard: Guard
) -> Iterator[Row]:
    levels = levels_of(observations, dimension, analysis.dimensions[dimension].reference)
    designs = build_designs(observations, dimension, levels, analysis.readings)
    labelled = observations.drop_nulls([dimension, "label"])
    for outcome, design in designs.items():
        absent = absent_levels(observations, dimension, levels, design.levels, outcome)
        grid = grid_of(design)
        k = in_grid(design, design.k)
        for level in levels[1:]:
            row = {"outcome": str(outcome), "group": level, "reference": levels[0]}
            lost = [each for each in (levels[0], level) if each not in grid.levels]
            if lost:
                counts = dict.fromkeys(("names_group", "names_reference", "templates"), 0)
                note = f"{NOT_ESTIMABLE}{' and '.join(absent[each] for each in lost)}"
                yield row | counts | {"left_out": 0, "note": note}
                continue
            group, reference = grid.levels.index(level), grid.levels.index(levels[0])
            chosen = np.isin(grid.level, [group, reference])
            pair = labelled.filter(pl.col(dimension).is_in([level, levels[0]]))
            whole = (grid.n[chosen] > 0).all(axis=0) & _met_alike(labelled, pair)
            yield row | guard.of(str(outcome)).run(
                "differences across templates",
                partial(
                    _of_pair,
                    grid.n[chosen],
                    k[chosen],
                    grid.level[chosen] == group,
                    whole,
                    analysis,
                ),
                partial(_failed, grid.level, group, reference),
            )


def _met_alike(labelled: pl.DataFrame, pair: pl.DataFrame) -> BoolArray:
    """Templates of which all names of two levels have the same arms and wordings, in their order.

    What arms or wordings differ by would be in the differences of the others.
    """
    within = pl.struct(ARM.key, "template_id").n_unique()
    met = pair.group_by("text_id", "name_id").agg(within.alias("met")).group_by("text_id")
    least = met.agg(pl.col("met").min())
    there = pair.group_by("text_id").agg(within.alias("there"))
    alike = least.join(there, on="text_id").filter(pl.col("met") == pl.col("there"))
    texts = np.unique(labelled["text_id"].to_numpy().astype(np.str_))
    return np.isin(texts, alike["text_id"].to_numpy().astype(np.str_))


def _failed(level: IntArray, group: int, reference: int, reason: str) -> Row:
    return {
        "names_group": int((level == group).sum()),
        "names_reference": int((level == reference).sum()),
        "templates": 0,
        "left_out": 0,
        "note": f"{NOT_ESTIMABLE}{reason}",
    }


def _of_pair(
    n: FloatArray, k: FloatArray, ours: BoolArray, whole: BoolArray, analysis: AnalysisConfig
) -> Row:
    """A row of two groups of names, from counts of shape (names, templates)."""
    row: Row = {
        "names_group": int(ours.sum()),
        "names_reference": int((~ours).sum()),
        "templates": int(whole.sum()),
        "left_out": int(((n > 0).any(axis=0) & ~whole).sum()),
    }
    notes = []
    if row["left_out"]:
        lacking = "" if (n[:, ~whole] == 0).any(axis=0).all() else _ALIKE
        notes.append(
            f"{counted(row['left_out'], 'template')} without responses of every name{lacking}"
        )
    few = min(row["names_group"], row["names_reference"])
    if few < LEAST:
        notes.append(f"{NOT_ESTIMABLE}fewer than {LEAST} names in a group")
    elif row["templates"] < FEWEST:
        notes.append(f"{NOT_ESTIMABLE}fewer than {FEWEST} templates with all names")
    else:
        rates = (k[:, whole] / n[:, whole])[None]
        draws = Draws(analysis.permutations, analysis.seed)
        found = across_templates(rates, ours, draws, analysis.alpha)
        row["estimate"] = found.mean.item()
        varies = bool(np.isfinite(found.p_value.item()))
        if varies:
            row["p_value"] = found.p_value.item()
            row["sd"] = math.sqrt(max(found.variance.item(), 0.0))
        else:
            notes.append("no name differs between templates: no variance")
        if varies and np.isfinite(found.high.item()):
            row["sd_low"] = math.sqrt(found.low.item())
            row["sd_high"] = math.sqrt(found.high.item())
        elif varies:
            notes.append("one template or name has all of the variance: no interval of it")
        if found.new_level >= LEAST_LEVEL:
            row["new_low"], row["new_high"] = found.new_low.item(), found.new_high.item()
            row["new_level"] = found.new_level
        else:
            notes.append("too few templates for an interval of a new one")
    return row | {"note": "; ".join(notes) or None}
