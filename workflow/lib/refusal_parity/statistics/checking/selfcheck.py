"""What each method's p-values are worth in this very study.

Studies without any effect are simulated with the study's own names,
templates, missing rows and variances, and every method is run on each.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from refusal_parity.dimensions import DIMENSIONS, Unit
from refusal_parity.statistics.answers import Verdicts
from refusal_parity.statistics.checking.error_rates import monte_carlo
from refusal_parity.statistics.designs.counts import build_designs
from refusal_parity.statistics.designs.grid import grid_of, in_grid
from refusal_parity.statistics.designs.kinds import DesignKind
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.disparity import levels_of
from refusal_parity.statistics.failures import Guard, finite, unheard
from refusal_parity.statistics.methods import METHODS
from refusal_parity.statistics.methods.equivalence import EQUIVALENCE
from refusal_parity.statistics.methods.nested import (
    UNIT_SCORE_EQUIVALENCE,
    UNIT_WELCH_EQUIVALENCE,
)
from refusal_parity.statistics.registry import Setting, suited_to
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws
from refusal_parity.statistics.results import join_notes
from refusal_parity.statistics.running import methods_for
from refusal_parity.statistics.simulation.drawing import simulate
from refusal_parity.statistics.simulation.latent import fit_latent
from refusal_parity.statistics.simulation.nested import NestedNull, nested_null
from refusal_parity.tables import SelfCheck, conform
from refusal_parity.vocabulary import Estimand, NameVariance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.answers import Answers
    from refusal_parity.statistics.designs.counts import Design, FloatArray
    from refusal_parity.statistics.designs.grid import Grid
    from refusal_parity.statistics.failures import Say
    from refusal_parity.statistics.registry import Method
    from refusal_parity.statistics.simulation.latent import Latent

_AT_ONCE: Final = 250
"""Studies held at a time at most."""

_CELLS: Final = 2_000_000
"""Names x templates x studies held at a time: 16 MB an array."""

_DESCRIBED: Final = 500
"""Studies that methods are run on of which no finding is made; all others are run on all."""

_DRAWS: Final = 999
"""Permutations and bootstrap samples of each study: 1,000 alpha is a whole number."""

_AT_MARGIN: Final = (
    "in studies where every level differs from the reference by the margin, in which the test "
    "must not find equivalence"
)
_NO_VARIATION: Final = "the outcome does not vary"
_EQUIVALENCE: Final = frozenset({EQUIVALENCE, UNIT_SCORE_EQUIVALENCE, UNIT_WELCH_EQUIVALENCE})

Key = tuple[str, Estimand]


def selfcheck(
    observations: pl.DataFrame, analysis: AnalysisConfig, say: Say = unheard
) -> dy.DataFrame[SelfCheck]:
    """Count how often each method rejects in studies that have no effect.

    For each model, outcome of `analysis.checked` and dimension of names, or of a prompt
    list (`nested_null`, one variance of prompts for all levels), `analysis.selfcheck`
    studies are drawn from `latent.fit_latent` with one rate for all groups,
    twice: with one variance of names for all groups, and with each group's
    own. Methods that only describe are run on some 500 of them. A test rejects
    where p <= alpha, an interval where it leaves no difference out; of the pairs,
    those with the reference are run. The equivalence test is held against its own
    null hypothesis, in studies of the same model where every level differs from the
    reference by the margin.

    Args:
        observations: rows of `observe`, of one model or several.
        analysis: outcomes, dimensions, alpha, margin, seed, and how many studies.
        say: hears which methods failed numerically.

    Returns:
        Table of SelfCheck.
    """
    schema = {
        name: pl.String() if isinstance(column.dtype, pl.Enum) else column.dtype
        for name, column in SelfCheck.columns().items()
    }
    rows = [
        {"model": model, "dimension": dimension} | row
        for (model,), part in observations.group_by("model", maintain_order=True)
        for dimension, config in analysis.dimensions.items()
        if DIMENSIONS[dimension].unit in {Unit.NAME, Unit.LISTED}
        for row in _of_dimension(
            part,
            dimension,
            levels_of(observations, dimension, config.reference),
            analysis,
            Guard(say, (str(model), dimension)),
        )
    ]
    return conform(pl.DataFrame(rows, schema=schema), SelfCheck, where="selfcheck")


def _of_dimension(
    observations: pl.DataFrame,
    dimension: str,
    levels: list[str],
    analysis: AnalysisConfig,
    guard: Guard,
) -> Iterator[dict[str, Any]]:
    designs = build_designs(observations, dimension, levels, analysis.checked)
    for outcome, design in designs.items():
        comparable = len(design.levels) > 1 and design.levels[0] == levels[0]
        nested = design.kind is DesignKind.NESTED
        for pattern in (NameVariance.COMMON,) if nested else NameVariance:
            key = {"outcome": str(outcome), "name_variance": str(pattern)}
            keys = [
                (str(method), estimand)
                for method, estimands in methods_for(dimension, outcome, design.kind).items()
                for estimand in estimands
                if method.checked
            ]
            found = _of_design(
                design if comparable else None, keys, pattern, analysis, guard.of(str(outcome))
            )
            for row in found:
                yield key | row


def _of_design(
    design: Design | None,
    keys: list[Key],
    pattern: NameVariance,
    analysis: AnalysisConfig,
    guard: Guard,
) -> list[dict[str, Any]]:
    common: dict[str, Any] = {"nominal": analysis.alpha}

    def none(reason: str) -> list[dict[str, Any]]:
        return [
            common | _key(key) | {"n_simulations": 0, "note": f"not estimable: {reason}"}
            for key in keys
        ]

    if design is None:
        return none("there is one level only")
    grid = grid_of(design)
    hits = in_grid(design, design.k)
    by_group = pattern is NameVariance.BY_GROUP

    def fitted() -> Latent | NestedNull | str:
        if design.kind is DesignKind.NESTED:
            return nested_null(design) or _NO_VARIATION
        latent = fit_latent(grid, hits, by_group=by_group)
        if latent is None:
            return _NO_VARIATION
        finite({"rate": float(latent.rates[0]), "var_name": float(latent.name.sum())})
        return latent

    latent = guard.run("model of studies without an effect", fitted, str)
    if isinstance(latent, str):
        return none(latent)
    common |= _of_model(latent)
    failures: dict[str, str] = {}
    methods = [METHODS[key] for key in dict.fromkeys(method for method, _ in keys)]
    verdicts = null_verdicts(grid, latent, analysis, methods, failures)
    for method, reason in failures.items():
        guard.tell(f"self-check of {method}", reason)
    return [
        common
        | _key(key)
        | (
            {"n_simulations": 0, "note": f"not estimable: {failures[key[0]]}"}
            if key[0] in failures
            else _row(verdicts[key], key[0])
        )
        for key in keys
    ]


def _of_model(latent: Latent | NestedNull) -> dict[str, float]:
    if isinstance(latent, NestedNull):
        return {"rate": latent.rate, "var_name": latent.variance}
    return {
        "rate": float(latent.rates[0]),
        "var_name": float(latent.name.mean()),
        "var_template": latent.template,
        "var_template_group": latent.template_group,
        "var_cell": latent.cell,
        "var_sample": latent.sample,
    }


def _key(key: Key) -> dict[str, str]:
    method, estimand = key
    return {"method": str(method), "estimand": str(estimand)}


def null_verdicts(
    grid: Grid,
    latent: Latent | NestedNull,
    analysis: AnalysisConfig,
    methods: Iterable[Method] | None = None,
    failures: dict[str, str] | None = None,
) -> dict[Key, Verdicts]:
    """Each method's verdicts on studies drawn from a model where it should not reject.

    Args:
        grid: names, templates and responses.
        latent: the model; one rate for all groups.
        analysis: alpha, margin, seed, and how many studies.
        methods: those that are run; by default all that the self-check runs where names meet
            templates.
        failures: filled with the methods that failed numerically, and why;
            they have no verdicts. Without it such an error is raised.

    Returns:
        By method and estimand, arrays of shape (studies, groups); of some 500 studies
        where a method only describes.
    """
    random, other = (
        np.random.default_rng([analysis.seed, *map(ord, key)]) for key in ("selfcheck", "margin")
    )
    at_margin = latent.planted(analysis.margin)
    parts: dict[Key, list[Verdicts]] = {}
    run = [each for each in methods or suited_to(DesignKind.CROSSED) if each.checked]
    at_once = min(_AT_ONCE, max(1, _CELLS // grid.n.size))
    for start in range(0, analysis.selfcheck, at_once):
        size = min(at_once, analysis.selfcheck - start)
        if start >= _DESCRIBED:
            run = [method for method in run if method.decides]
        studies, planted = (
            Studies(grid, _drawn(grid, law, size, source))
            for law, source in ((latent, random), (at_margin, other))
        )
        setting = Setting(
            analysis.alpha,
            analysis.margin,
            Draws(_DRAWS, analysis.seed + start),
            Resamples(_DRAWS, analysis.seed + start),
            deciding=True,
        )
        for method in run:
            of_null = planted if method in _EQUIVALENCE else studies
            for row in _guarded(method, of_null, setting, failures):
                ratio = row.estimand in {Estimand.RISK_RATIO, Estimand.ODDS_RATIO}
                verdicts = row.rejects(analysis.alpha, null=1 if ratio else 0)
                parts.setdefault((str(row.method), row.estimand), []).append(verdicts)
    return {
        key: Verdicts(*(np.concatenate(each) for each in zip(*part, strict=True)))
        for key, part in parts.items()
    }


def _drawn(
    grid: Grid, law: Latent | NestedNull, studies: int, random: np.random.Generator
) -> FloatArray:
    if isinstance(law, NestedNull):
        return law.draw(studies, random)
    return simulate(grid, law, studies, random).k


def _guarded(
    method: Method, studies: Studies, setting: Setting, failures: dict[str, str] | None
) -> list[Answers]:
    """What a method gives; nothing where it fails, as it then does in all studies."""
    assert method.run is not None  # noqa: S101 - of `methods_for`
    run = partial(method.run, studies, setting)
    if failures is None:
        return run()
    if method in failures:
        return []

    def failed(reason: str) -> list[Answers]:
        failures[method] = reason
        return []

    return Guard().run("", run, failed)


def _row(verdicts: Verdicts, method: str) -> dict[str, Any]:
    studies, answered = len(verdicts.known), int(verdicts.known.any(axis=1).sum())
    missing = (
        f"no answer in {studies - answered} of {studies} simulated studies"
        if answered < studies
        else None
    )
    meaning = _AT_MARGIN if method in _EQUIVALENCE else None
    if not answered:
        return {"n_simulations": 0, "note": join_notes(missing, meaning)}
    rate = monte_carlo(verdicts)
    tested = verdicts.known.sum(axis=0)
    rejected = (verdicts.wrong & verdicts.known).sum(axis=0)
    by_group = rejected[tested > 0] / tested[tested > 0]
    return {
        "n_simulations": answered,
        "false_positive_rate": rate.mean,
        "ci_low": rate.low,
        "ci_high": rate.high,
        "highest": float(by_group.max()),
        "note": join_notes(missing, meaning),
    }
