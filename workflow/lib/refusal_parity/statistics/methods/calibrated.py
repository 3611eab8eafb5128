"""Differences of rates tested against studies like this one that have none."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from refusal_parity.dimensions import Unit
from refusal_parity.statistics.answers import Remark
from refusal_parity.statistics.distributions import t_isf
from refusal_parity.statistics.fits.least_squares import regression
from refusal_parity.statistics.methods.wilson_two_way import limits_by_t
from refusal_parity.statistics.proportions import Interval, TwoRates
from refusal_parity.statistics.registry import Method, Needs
from refusal_parity.statistics.simulation.calibration import (
    Null,
    family_tails,
    null_distances,
    simulations,
    too_few,
)
from refusal_parity.statistics.variances.effective import effective
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from refusal_parity.statistics.answers import Answers
    from refusal_parity.statistics.designs.counts import BoolArray, FloatArray
    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.fits.least_squares import LeastSquares
    from refusal_parity.statistics.registry import Setting

TEMPLATES: Final = 20
NAMES: Final = 24
"""Of a study whose null model is known well enough to test against."""


def calibrated(studies: Studies, setting: Setting) -> list[Answers]:
    """The distance from no difference, held against studies simulated without one.

    The difference and its limits are those of `wilson_two_way`, and the distance is the
    quantile z at which a limit reaches 0. p is the share of studies simulated from the
    study's own null model whose distance is as large (`calibration.null_distances`),
    and for a family of pairs that whose largest distance is; those with the first level
    are one family, the others another.

    An interval has the larger quantile of t's and the calibrated one, so that it holds
    for differences other than 0 as well. Where the test rejects, its end towards 0
    has the calibrated quantile alone: it leaves 0 out exactly where p < alpha. Of a
    family of m, t's quantile is that at alpha / m.

    Returns:
        The pairs of levels, each alone and within its family.
    """

    def tests(fit: LeastSquares) -> list[Answers]:
        return [_tested(fit, setting)]

    return regression(studies, CALIBRATED, tests)


def _tested(fit: LeastSquares, setting: Setting) -> Answers:
    studies = fit.studies
    found = limits_by_t(fit, CALIBRATED, setting.alpha)
    few = too_few(studies, names=NAMES, templates=TEMPLATES)
    if few is not None:
        return found.remarking(Remark.missing(few))
    first = studies.grid.levels[0]
    against = np.array([pair.reference == first for pair in studies.pairs])
    alone, together = _Numbers.none(fit), _Numbers.none(fit)
    tails: list[FloatArray] = []
    for at in range(len(studies)):
        random = np.random.default_rng([setting.draws.seed, *map(ord, CALIBRATED)])
        null = null_distances(studies, at, simulations(setting), random)
        tails.append(family_tails(null, against, setting))
        if null is not None:
            test = partial(_of_study, fit, at, null, setting.alpha)
            alone.fill(at, test(np.ones_like(against), together=False))
            for family in (against, ~against):
                together.fill(at, test(family, together=True))
    return replace(
        found,
        p_value=alone.p_value,
        ci_low=alone.low,
        ci_high=alone.high,
        p_family=together.p_value,
        family_low=together.low,
        family_high=together.high,
        family_null=np.stack(tails),
    )


class _Numbers(NamedTuple):
    """p-values and intervals, shape (studies, pairs)."""

    p_value: FloatArray
    low: FloatArray
    high: FloatArray

    @classmethod
    def none(cls, fit: LeastSquares) -> _Numbers:
        shape = (len(fit.studies), len(fit.studies.pairs))
        return cls(*(np.full(shape, np.nan) for _ in range(3)))

    def fill(self, at: int, of_study: tuple[BoolArray, _Numbers]) -> None:
        pairs, numbers = of_study
        for own, given in zip(self, numbers, strict=True):
            own[at, pairs] = given


def _of_study(  # noqa: PLR0913 - what is tested in full
    fit: LeastSquares, at: int, null: Null, alpha: float, pairs: BoolArray, *, together: bool
) -> tuple[BoolArray, _Numbers]:
    """The numbers of some pairs of one study, each alone or as one family."""
    if not pairs.any():
        return pairs, _Numbers(*(np.empty(0) for _ in range(3)))
    found = effective(fit)
    rates = TwoRates(*(each[at, pairs] for each in found.rates))
    tested = Null(null.distances[:, pairs])
    distance, tests = rates.distance(), np.count_nonzero(pairs) if together else 1
    p_value = tested.exceeded(distance, together=together)
    critical = np.broadcast_to(tested.critical(alpha, together=together), distance.shape)
    by_t = t_isf(alpha / (2 * tests), found.df[at, pairs])
    ends = ends_around(rates, critical, np.asarray(by_t), p_value < alpha)
    return pairs, _Numbers(p_value, ends.low, ends.high)


def ends_around(
    rates: TwoRates, critical: FloatArray, by_t: FloatArray, shown: BoolArray
) -> Interval:
    """The interval of a calibrated difference: see `calibrated`; arrays of one shape.

    Args:
        rates: the difference.
        critical: the calibrated quantile.
        by_t: t's.
        shown: where the test rejects.
    """
    wide, narrow = rates.limits(np.maximum(critical, by_t)), rates.limits(critical)
    is_more = rates.difference > 0
    low = np.where(shown & is_more, narrow.low, wide.low)
    high = np.where(shown & ~is_more, narrow.high, wide.high)
    return Interval(
        np.where(shown, low, np.minimum(low, 0)), np.where(shown, high, np.maximum(high, 0))
    )


CALIBRATED: Final = Method(
    "calibrated",
    heading="Wilson's limits, calibrated by simulated studies without a difference",
    estimands=(Estimand.RISK_DIFFERENCE,),
    scope=Scope.NEW_NAMES_AND_TEMPLATES,
    needs=Needs(units=frozenset({Unit.NAME}), binary=True, names=2, templates=2, primary=True),
    citation="Westfall and Young (1993), Resampling-Based Multiple Testing, Wiley.",
    run=calibrated,
    checked=False,
)
