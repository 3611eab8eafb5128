"""The table of designs: what this one finds, and what others would take."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from scipy.special import expit

from refusal_parity.dimensions import DIMENSIONS, Unit, composed
from refusal_parity.factors import is_listed, take_up, with_text_unit
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.designs.counts import build_designs
from refusal_parity.statistics.designs.grid import Grid, grid_of, in_grid
from refusal_parity.statistics.designs.kinds import DesignKind
from refusal_parity.statistics.designs.nested import unit_variance
from refusal_parity.statistics.disparity import levels_of
from refusal_parity.statistics.failures import Guard, unheard
from refusal_parity.statistics.planning.odds import assumed_odds, measured_odds
from refusal_parity.statistics.planning.power import Size
from refusal_parity.statistics.planning.rows import Question, common, rows_of
from refusal_parity.statistics.simulation.latent import fit_latent, latent_of
from refusal_parity.statistics.simulation.linear import fit_linear
from refusal_parity.statistics.variances.components import Components, components
from refusal_parity.tables import StudyDesign, conform
from refusal_parity.vocabulary import DesignQuantity, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.designs.counts import Design, IntArray
    from refusal_parity.statistics.failures import Say

ASSUMED: Final = "assumed"
"""Stands for the model in a plan."""

_SCOPES: Final = (Scope.NEW_NAMES, Scope.NEW_NAMES_AND_TEMPLATES)


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
        for levels in (levels_of(observations, dimension, config.reference),)
        for row in (
            *_measured(part, dimension, levels, analysis, Guard(say, (str(model), dimension))),
            *_of_odds(part, dimension, levels, analysis),
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
        listed = design.kind is DesignKind.NESTED
        if listed and design.meets_levels:
            # What sets have in common cancels out, and no variance here knows how far.
            sets = design.members(design.name).astype(np.float64)
            each = float(design.n.sum() / sets.sum())
            known = {Size(m, sets[0], 1.0, each): None for m in sets[1:]}
            rows = _unknown("sets meet several levels", known, analysis.alpha, _scopes(listed=True))
            yield from ({"outcome": str(outcome)} | row for row in rows)
            continue
        grid = grid_of(design)
        members = np.bincount(grid.level)
        templates = float(np.count_nonzero(grid.n.sum(axis=0)))
        samples = float(grid.n.sum() / np.count_nonzero(grid.n))
        sizes = {
            Size(float(m), float(members[0]), templates, samples): code
            for code, m in _first_of_each(members)
        }
        found = partial(
            _of_list if listed else _of_study,
            design,
            sizes=sizes,
            scopes=_scopes(listed=listed),
            alpha=analysis.alpha,
            decided=_is_primary(analysis, dimension, str(outcome)),
            seed=analysis.seed,
        )
        scopes = _scopes(listed=listed)
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
        say: hears what is simulated, and where that failed numerically.

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
        members = [int(counts[level]) for level in levels]
        level = np.repeat(np.arange(len(levels)), members)
        family = analysis.primary_family
        # What is planned are rates; of log-odds it says what their differences would be.
        outcome = str(family.outcome if family.outcome.is_binary else Outcome.REFUSAL)
        question = Question(
            parts=parts,
            levels=len(levels),
            latent=None if listed else latent_of(parts, len(levels)),
            grid=Grid(tuple(levels), level, np.full((len(level), int(templates)), np.rint(each))),
            sizes={
                Size(float(m), float(members[0]), templates, each): code
                for code, m in _first_of_each(members)
            },
            scopes=_scopes(listed=listed),
            alpha=analysis.alpha,
            decided=_is_primary(analysis, dimension, outcome),
            listed=listed,
            seed=analysis.seed,
        )
        if question.simulates:
            say(
                f"simulating studies of {len(level)} names x {templates:g} templates, to find the "
                f"smallest difference by {dimension} that the primary family shows"
            )
        key = {"model": ASSUMED, "dimension": dimension, "outcome": outcome}
        found = _guarded(
            lambda question=question: question,  # type: ignore[misc]
            question.sizes,
            analysis.alpha,
            Guard(say, (ASSUMED, dimension, outcome)),
            question.scopes,
        )
        rows += [key | row for row in found]
        if question.latent is not None:
            tests = len(levels) - 1 if dimension == family.dimension else 1
            of_odds = assumed_odds(
                question.latent,
                parts.rate,
                question.sizes,
                question.scopes,
                analysis.alpha / tests,
            )
            rows += [key | row for row in of_odds]
    return _table(rows)


def _of_odds(
    observations: pl.DataFrame, dimension: str, levels: list[str], analysis: AnalysisConfig
) -> Iterator[dict[str, Any]]:
    """What odds ratio the design finds, from the variances of the propensities themselves."""
    measured = observations.drop_nulls("log_odds")
    if Outcome.PROPENSITY not in analysis.outcomes or is_listed(measured):
        return
    if levels[0] not in measured[dimension].to_list() or measured[dimension].n_unique() < 2:  # noqa: PLR2004 - nothing to compare
        return
    design = build_designs(measured, dimension, levels, [Outcome.PROPENSITY])[Outcome.PROPENSITY]
    grid = grid_of(design)
    linear = fit_linear(grid, in_grid(design, design.k))
    if linear is None:
        return
    members = np.bincount(grid.level)
    templates = float(np.count_nonzero(grid.n.sum(axis=0)))
    sizes = [Size(float(m), float(members[0]), templates, 1.0) for _, m in _first_of_each(members)]
    decided = _is_primary(analysis, dimension, str(Outcome.PROPENSITY))
    level = analysis.alpha / (len(grid.levels) - 1) if decided else analysis.alpha
    rate = float(expit(measured["log_odds"].sort().to_numpy()).mean())
    yield from measured_odds(linear, rate, sizes, _SCOPES, level)


def _of_study(design: Design, **asked: Any) -> Question:
    grid = grid_of(design)
    hits = in_grid(design, design.k)
    latent = fit_latent(grid, hits)
    parts = components(grid, hits)
    return Question(
        parts=parts, levels=len(grid.levels), latent=latent, grid=grid, listed=False, **asked
    )


def _of_list(design: Design, **asked: Any) -> Question:
    """That of a prompt list: its prompts stand in the names' place."""
    found = unit_variance(design)
    parts = Components(found.rate, found.between, 0.0, 0.0, 0.0, found.within)
    levels = len(design.levels)
    return Question(
        parts=parts, levels=levels, latent=None, grid=grid_of(design), listed=True, **asked
    )


def _first_of_each(members: Sequence[int] | IntArray) -> list[tuple[int, int]]:
    """Codes and names of the groups, one of each number of names, without the reference."""
    found: dict[int, int] = {}
    for code, count in enumerate(members[1:], start=1):
        found.setdefault(int(count), code)
    return [(code, count) for count, code in found.items()]


def _is_primary(analysis: AnalysisConfig, dimension: str, outcome: str) -> bool:
    primary = analysis.primary_family
    return (dimension, outcome) == (primary.dimension, str(primary.outcome))


def _scopes(*, listed: bool) -> tuple[Scope, ...]:
    return (Scope.NEW_PROMPTS,) if listed else _SCOPES


def _table(rows: list[dict[str, Any]]) -> dy.DataFrame[StudyDesign]:
    schema = {
        name: pl.String() if isinstance(column.dtype, pl.Enum) else column.dtype
        for name, column in StudyDesign.columns().items()
    }
    return conform(pl.DataFrame(rows, schema=schema), StudyDesign, where="design")


def _guarded(
    question: Callable[[], Question],
    sizes: Iterable[Size],
    alpha: float,
    guard: Guard,
    scopes: Sequence[Scope],
) -> list[dict[str, Any]]:
    """Rows of all sizes and scopes; one without a number for each where that fails."""
    return guard.run(
        "differences that the design finds",
        lambda: rows_of(question()),
        lambda reason: _unknown(reason, sizes, alpha, scopes),
    )


def _unknown(
    reason: str, sizes: Iterable[Size], alpha: float, scopes: Sequence[Scope]
) -> list[dict[str, Any]]:
    quantity = str(DesignQuantity.MINIMUM_DETECTABLE)
    return [
        common(size, scope, alpha) | {"quantity": quantity, "note": f"not estimable: {reason}"}
        for size in sizes
        for scope in scopes
    ]
