"""The table of designs: what this one finds, and what others would take."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from refusal_parity.dimensions import DIMENSIONS, Unit, composed
from refusal_parity.factors import is_listed, take_up, with_text_unit
from refusal_parity.statistics.designs.counts import build_designs
from refusal_parity.statistics.designs.grid import grid_of, in_grid
from refusal_parity.statistics.designs.kinds import DesignKind
from refusal_parity.statistics.designs.nested import unit_variance
from refusal_parity.statistics.disparity import levels_of
from refusal_parity.statistics.failures import Guard, finite, unheard
from refusal_parity.statistics.planning.power import (
    Size,
    minimum_detectable,
    power_of,
    precision,
    smallest,
)
from refusal_parity.statistics.variances.components import Components, components
from refusal_parity.tables import StudyDesign, conform
from refusal_parity.vocabulary import DesignQuantity, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.designs.counts import Design
    from refusal_parity.statistics.failures import Say

POWER: Final = 0.8
SOUGHT: Final = (0.02, 0.05, 0.10)
"""Differences that designs are sought for."""

ASSUMED: Final = "assumed"
"""Stands for the model in a plan."""

_SCOPES: Final = (Scope.NEW_NAMES, Scope.NEW_NAMES_AND_TEMPLATES)
QUANTITIES: Final = {
    DesignQuantity.NAMES_NEEDED: "names",
    DesignQuantity.TEMPLATES_NEEDED: "templates",
    DesignQuantity.SAMPLES_NEEDED: "samples",
}
ONE_MORE: Final = {
    DesignQuantity.ONE_MORE_NAME: "names",
    DesignQuantity.ONE_MORE_TEMPLATE: "templates",
    DesignQuantity.ONE_MORE_SAMPLE: "samples",
}


def measured_design(
    observations: pl.DataFrame, analysis: AnalysisConfig, say: Say = unheard
) -> dy.DataFrame[StudyDesign]:
    """What differences a study can find, from its own components of variance.

    Args:
        observations: rows of `observe`, of one model or several.
        analysis: outcomes, dimensions with their references, alpha.
        say: hears where that failed numerically.

    Returns:
        Table of StudyDesign; groups of one size share their rows.
    """
    rows = [
        {"model": model, "dimension": dimension} | row
        for (model,), part in observations.group_by("model", maintain_order=True)
        for dimension, config in analysis.dimensions.items()
        if DIMENSIONS[dimension].unit in {Unit.NAME, Unit.LISTED}
        for row in _measured(
            part,
            dimension,
            levels_of(observations, dimension, config.reference),
            analysis,
            Guard(say, (str(model), dimension)),
        )
    ]
    return _table(rows)


def _measured(
    observations: pl.DataFrame,
    dimension: str,
    levels: list[str],
    analysis: AnalysisConfig,
    guard: Guard,
) -> Iterator[dict[str, Any]]:
    designs = build_designs(observations, dimension, levels, analysis.readings)
    for outcome, design in designs.items():
        if len(design.levels) < 2 or design.levels[0] != levels[0]:  # noqa: PLR2004 - nothing to compare
            continue
        grid = grid_of(design)
        members = np.bincount(grid.level)
        templates = float(np.count_nonzero(grid.n.sum(axis=0)))
        samples = float(grid.n.sum() / np.count_nonzero(grid.n))
        sizes = dict.fromkeys(
            Size(float(m), float(members[0]), templates, samples) for m in members[1:]
        )
        found = (
            partial(_of_list, design)
            if design.kind is DesignKind.NESTED
            else partial(components, grid, in_grid(design, design.k))
        )
        scopes = _scopes(listed=design.kind is DesignKind.NESTED)
        for row in _guarded(found, sizes, analysis.alpha, guard.of(str(outcome)), scopes):
            yield {"outcome": str(outcome)} | row


def planned_design(
    prompts: pl.DataFrame, analysis: AnalysisConfig, *, samples: int, say: Say = unheard
) -> dy.DataFrame[StudyDesign]:
    """What differences a study would find, from assumed components of variance.

    Args:
        prompts: table of Prompts.
        analysis: dimensions with their references, alpha, assumed variances.
        samples: responses to each prompt.
        say: hears where that failed numerically.

    Returns:
        Table of StudyDesign of the primary outcome, under the model `assumed`.
    """
    assumed = analysis.assumed
    parts = Components(
        rate=assumed.rate,
        name=assumed.name,
        template=assumed.template,
        template_group=assumed.template_group,
        cell=assumed.cell,
        sample=assumed.sample,
    )
    take_up(prompts, analysis.dimensions)
    prompts = with_text_unit(prompts).with_columns(composed())
    listed = is_listed(prompts)
    if listed:
        # All that moves one prompt and not another is a variance of prompts.
        among = parts.name + parts.template + parts.template_group + parts.cell
        parts = Components(parts.rate, among, 0.0, 0.0, 0.0, parts.sample)
    templates = 1.0 if listed else float(prompts["text_id"].n_unique())
    # Templates of one matched set are no further texts, but more responses to it.
    in_set = prompts["template_id"].n_unique() / prompts["text_id"].n_unique()
    each = float(samples * prompts["arm"].n_unique() * in_set)
    rows = []
    for dimension, config in analysis.dimensions.items():
        if DIMENSIONS[dimension].unit not in {Unit.NAME, Unit.LISTED}:
            continue
        unit = "text_id" if listed else "name_id"
        names = prompts.select(unit, dimension).unique().drop_nulls()
        counts = dict(names.group_by(dimension).len().iter_rows())
        levels = levels_of(prompts, dimension, config.reference)
        sizes = [
            Size(float(counts[level]), float(counts[levels[0]]), templates, each)
            for level in levels[1:]
        ]
        key = {
            "model": ASSUMED,
            "dimension": dimension,
            "outcome": str(analysis.primary_family.outcome),
        }
        found = _guarded(
            lambda: parts,
            dict.fromkeys(sizes),
            analysis.alpha,
            Guard(say, (ASSUMED, dimension, str(analysis.primary_family.outcome))),
            _scopes(listed=listed),
        )
        rows += [key | row for row in found]
    return _table(rows)


def _of_list(design: Design) -> Components:
    """Components of a prompt list: its prompts stand in the names' place."""
    found = unit_variance(design)
    return Components(found.rate, found.between, 0.0, 0.0, 0.0, found.within)


def _scopes(*, listed: bool) -> tuple[Scope, ...]:
    return (Scope.NEW_PROMPTS,) if listed else _SCOPES


def _table(rows: list[dict[str, Any]]) -> dy.DataFrame[StudyDesign]:
    schema = {
        name: pl.String() if isinstance(column.dtype, pl.Enum) else column.dtype
        for name, column in StudyDesign.columns().items()
    }
    return conform(pl.DataFrame(rows, schema=schema), StudyDesign, where="design")


def _guarded(
    parts: Callable[[], Components],
    sizes: Iterable[Size],
    alpha: float,
    guard: Guard,
    scopes: Sequence[Scope],
) -> list[dict[str, Any]]:
    """Rows of all sizes and scopes; one without a number for each where that fails."""

    def failed(reason: str) -> list[dict[str, Any]]:
        quantity = str(DesignQuantity.MINIMUM_DETECTABLE)
        return [
            _common(size, scope, alpha) | {"quantity": quantity, "note": f"not estimable: {reason}"}
            for size in sizes
            for scope in scopes
        ]

    return guard.run(
        "differences that the design finds", lambda: _rows(parts(), sizes, alpha, scopes), failed
    )


def _common(size: Size, scope: Scope, alpha: float) -> dict[str, Any]:
    return {
        "scope": str(scope),
        "alpha": alpha,
        "power": POWER,
        "names": size.names,
        "reference_names": size.reference,
        "templates": size.templates,
        "samples": size.samples,
    }


def _rows(
    parts: Components, sizes: Iterable[Size], alpha: float, scopes: Sequence[Scope]
) -> list[dict[str, Any]]:
    variances = {f"var_{key}": value for key, value in parts._asdict().items() if key != "rate"}
    return [
        finite(_common(size, scope, alpha) | {"rate": parts.rate} | variances | row)
        for size in sizes
        for scope in scopes
        for row in _of_size(parts, size, scope, alpha)
    ]


def _of_size(parts: Components, size: Size, scope: Scope, alpha: float) -> Iterator[dict[str, Any]]:
    if min(size.names, size.reference) < 2:  # noqa: PLR2004 - one name has no variance
        unit = "prompt" if scope is Scope.NEW_PROMPTS else "name"
        reason = f"not estimable: a group of one {unit}"
        yield {"quantity": str(DesignQuantity.MINIMUM_DETECTABLE), "note": reason}
        return

    def detectable(of: Size) -> float:
        return minimum_detectable(precision(parts, of, scope), alpha, POWER)

    own = detectable(size)
    yield {"quantity": str(DesignQuantity.MINIMUM_DETECTABLE), "value": own}
    alone = {"templates"} if scope is Scope.NEW_PROMPTS else set()
    for quantity, what in ONE_MORE.items():
        if what in alone:
            continue
        yield {"quantity": str(quantity), "value": detectable(_with(size, what, more=1)) - own}
    for difference in SOUGHT:
        for quantity, what in QUANTITIES.items():
            if what in alone:
                continue
            found = smallest(
                lambda count, what=what, difference=difference: (
                    power_of(  # type: ignore[misc]
                        precision(parts, _with(size, what, to=count), scope), difference, alpha
                    )
                    >= POWER
                ),
                2 if what == "names" else 1,
            )
            yield {
                "quantity": str(quantity),
                "difference": difference,
                "value": found,
                "note": None
                if found
                else f"no number of {what} is enough: the rest of the design limits it",
            }


def _with(size: Size, what: str, *, more: float = 0, to: float | None = None) -> Size:
    """The size with other names (in both groups), templates or samples."""
    if what == "names":
        return (
            replace(size, names=size.names + more, reference=size.reference + more)
            if to is None
            else size.of(to)
        )
    return replace(size, **{what: getattr(size, what) + more if to is None else to})
