"""Differences of log-odds tested against studies like this one that have none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from refusal_parity.dimensions import Unit
from refusal_parity.statistics.answers import Remark
from refusal_parity.statistics.distributions import norm_isf, norm_sf, t_isf, t_sf
from refusal_parity.statistics.fits.least_squares import least_squares, regression
from refusal_parity.statistics.methods.bias_reduced import two_way_tests
from refusal_parity.statistics.registry import Method, Needs
from refusal_parity.statistics.simulation.calibration import (
    Null,
    family_tails,
    in_batches,
    simulations,
    too_few,
)
from refusal_parity.statistics.simulation.linear import fit_linear, simulate_linear
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from refusal_parity.statistics.answers import Answers
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.fits.least_squares import LeastSquares
    from refusal_parity.statistics.registry import Setting

TEMPLATES: Final = 8
NAMES: Final = 12
"""Of a study whose variances are known well enough to test against."""

_LEAST: Final = 1e-300
"""Smallest p that has a normal quantile."""


def calibrated_linear(studies: Studies, setting: Setting) -> list[Answers]:
    """The p of `ols_cr2_two_way`, held against studies drawn from the study's own variances.

    Log-odds of prompts add up over names, templates and cells, so that a study without a
    difference is drawn from a linear model (`simulate_linear`). p is the share of such studies
    whose t test has as small a p, and for a family of pairs whose smallest p is (Westfall and
    Young 1993), but alone no less than that of t; those with the first level are one family, the
    others another. A difference moves all by as much, so intervals are estimate -+ the
    simulated quantile times the standard error, each alone or of a family together, and leave
    0 out exactly where p < alpha.

    Returns:
        The pairs of levels, each alone and within its family.
    """

    def tests(fit: LeastSquares) -> list[Answers]:
        return [
            against_null(fit, setting, CALIBRATED_LINEAR, null_of, names=NAMES, templates=TEMPLATES)
        ]

    return regression(studies, CALIBRATED_LINEAR, tests)


class NullOf(Protocol):
    """What simulates studies without a difference: see `null_of`."""

    def __call__(
        self, studies: Studies, at: int, count: int, random: np.random.Generator
    ) -> Null | None:
        """How far from none they are."""
        ...


def against_null(  # noqa: PLR0913 - what is tested, and against what
    fit: LeastSquares,
    setting: Setting,
    method: Method,
    null_of: NullOf,
    *,
    names: int,
    templates: int,
    at_least_t: bool = True,
) -> Answers:
    """The t tests of differences, held against studies without one.

    Args:
        fit: the linear model.
        setting: alpha and seed.
        method: whose answers these are.
        null_of: simulates such studies.
        names: that a study must have, for its null model to be known well enough.
        templates: likewise.
        at_least_t: whether no single p is smaller than that of t. Else only intervals are
            as wide as t's, but for their end towards 0 where the test rejects, which agrees
            with p.
    """
    studies = fit.studies
    found = replace(two_way_tests(fit, setting.alpha), method=method)
    few = too_few(studies, names=names, templates=templates)
    if few is not None:
        return found.remarking(Remark.missing(few))
    first = studies.grid.levels[0]
    against = np.array([pair.reference == first for pair in studies.pairs])
    estimate, error = found.values("estimate"), found.values("std_error")
    distance, df = distance_of(found), found.values("df")
    by_t, shape = found.values("p_value"), (2, *distance.shape)
    p_value, quantile = np.full(shape, np.nan), np.full(shape, np.nan)
    tails: list[FloatArray] = []
    for at in range(len(studies)):
        random = np.random.default_rng([setting.draws.seed, *map(ord, method)])
        null = null_of(studies, at, simulations(setting), random)
        tails.append(family_tails(null, against, setting))
        if null is None:
            continue
        p_value[0, at] = null.exceeded(distance[at], together=False)
        quantile[0, at] = null.critical(setting.alpha, together=False)
        if at_least_t:
            p_value[0, at] = np.maximum(p_value[0, at], by_t[at])
            quantile[0, at] = np.maximum(quantile[0, at], norm_isf(setting.alpha / 2))
        for family in (against, ~against):
            if family.any():
                of_family = Null(null.distances[:, family])
                p_value[1, at, family] = of_family.exceeded(distance[at, family], together=True)
                quantile[1, at, family] = of_family.critical(setting.alpha, together=True)
    tests = np.where(against, against.sum(), (~against).sum())
    by_normal = np.stack([np.ones_like(tests), tests])[:, None]
    least = np.zeros(()) if at_least_t else norm_isf(setting.alpha / (2 * by_normal))
    near = half_widths(quantile, df, error)
    far = half_widths(np.maximum(quantile, least), df, error)
    shown = p_value < setting.alpha
    low = estimate - np.where(shown & (estimate > 0), near, far)
    high = estimate + np.where(shown & (estimate < 0), near, far)
    return replace(
        found,
        p_value=p_value[0],
        ci_low=low[0],
        ci_high=high[0],
        p_family=p_value[1],
        family_low=low[1],
        family_high=high[1],
        family_null=np.stack(tails),
    )


def half_widths(quantile: FloatArray, df: FloatArray, error: FloatArray) -> FloatArray:
    """How far intervals reach from the estimate: t's quantile of the same p as the normal one."""
    return np.asarray(t_isf(norm_sf(quantile), df)) * error


def null_of(studies: Studies, at: int, count: int, random: np.random.Generator) -> Null | None:
    """How far from none studies without a difference, from the variances of one study.

    Args:
        studies: of one design.
        at: which of them.
        count: how many are simulated.
        random: where draws come from.

    Returns:
        None where nothing varies.
    """
    linear = fit_linear(studies.grid, studies.k[at])
    if linear is None:
        return None

    def distances(number: int) -> FloatArray:
        drawn = least_squares(simulate_linear(studies, linear, number, random))
        return distance_of(two_way_tests(drawn, 0.05))

    return in_batches(count, studies.grid, distances)


def distance_of(answers: Answers) -> FloatArray:
    """|t| as the normal quantile of the same p, so that few degrees of freedom weigh no more.

    No spread at all is no distance from no difference.
    """
    t, df = np.abs(np.nan_to_num(answers.values("statistic"))), answers.values("df")
    found = np.asarray(norm_isf(np.maximum(t_sf(t, df), _LEAST)), dtype=np.float64)
    return np.where(np.isfinite(found), found, 0.0)


CALIBRATED_LINEAR: Final = Method(
    "calibrated_linear",
    heading="Linear model, calibrated by simulated studies without a difference",
    estimands=(Estimand.RISK_DIFFERENCE,),
    scope=Scope.NEW_NAMES_AND_TEMPLATES,
    needs=Needs(units=frozenset({Unit.NAME}), log_odds=True, names=2, templates=2, primary=True),
    citation="Westfall and Young (1993), Resampling-Based Multiple Testing, Wiley.",
    run=calibrated_linear,
    checked=False,
)
