"""What each method's p-values are worth in this very study.

Studies without any effect are simulated with the study's own names,
templates, missing rows and variances, and every method is run on each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.dimensions import DIMENSIONS, Unit
from refusal_parity.statistics.checking.error_rates import monte_carlo
from refusal_parity.statistics.checking.verdicts import Key, null_verdicts
from refusal_parity.statistics.designs.counts import build_designs
from refusal_parity.statistics.designs.grid import grid_of, in_grid
from refusal_parity.statistics.designs.kinds import DesignKind
from refusal_parity.statistics.disparity import levels_of
from refusal_parity.statistics.failures import Guard, finite, unheard
from refusal_parity.statistics.methods import METHODS
from refusal_parity.statistics.results import join_notes
from refusal_parity.statistics.running import methods_for
from refusal_parity.statistics.simulation.latent import fit_latent
from refusal_parity.statistics.simulation.nested import NestedNull, nested_null
from refusal_parity.tables import SelfCheck, conform
from refusal_parity.vocabulary import NameVariance

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dataframely as dy

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.statistics.answers import Verdicts
    from refusal_parity.statistics.designs.counts import Design
    from refusal_parity.statistics.failures import Say
    from refusal_parity.statistics.simulation.latent import Latent


_AT_MARGIN: Final = (
    "in studies where every level differs from the reference by the margin, in which the test "
    "must not find equivalence"
)
_NO_VARIATION: Final = "the outcome does not vary"


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
    if design.kind is DesignKind.NESTED and design.meets_levels:
        return none("sets meet several levels, and no such studies are simulated")
    grid = grid_of(design)
    hits = in_grid(design, design.k)
    own = float(pattern is NameVariance.BY_GROUP)

    def fitted() -> Latent | NestedNull | str:
        if design.kind is DesignKind.NESTED:
            return nested_null(design) or _NO_VARIATION
        latent = fit_latent(grid, hits, own=own)
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


def _row(verdicts: Verdicts, method: str) -> dict[str, Any]:
    studies, answered = len(verdicts.known), int(verdicts.known.any(axis=1).sum())
    missing = (
        f"no answer in {studies - answered} of {studies} simulated studies"
        if answered < studies
        else None
    )
    meaning = _AT_MARGIN if METHODS[method].of_margin else None
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
