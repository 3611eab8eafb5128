"""Differences of rates with limits that hold where outcomes are rare or common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from refusal_parity.dimensions import Unit
from refusal_parity.statistics.answers import Answers
from refusal_parity.statistics.distributions import t_isf, t_sf
from refusal_parity.statistics.fits.least_squares import regression
from refusal_parity.statistics.registry import Method, Needs
from refusal_parity.statistics.variances.effective import effective
from refusal_parity.statistics.variances.uneven import uneven
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.fits.least_squares import LeastSquares
    from refusal_parity.statistics.registry import Setting


def wilson_two_way(studies: Studies, setting: Setting) -> list[Answers]:
    """Wilson's limits of both rates at their effective numbers of responses, put together.

    The difference is that of `ols_cr2_two_way`, the effective numbers are those of
    `effective`, and the limits of the difference those of MOVER (`TwoRates.limits`) with the
    quantile of t that belongs to the degrees of freedom. p is where a limit reaches 0.

    Returns:
        The pairs of levels.
    """

    def tests(fit: LeastSquares) -> list[Answers]:
        return [limits_by_t(fit, WILSON_TWO_WAY, setting.alpha)]

    return regression(studies, WILSON_TWO_WAY, tests)


def limits_by_t(fit: LeastSquares, method: Method, alpha: float) -> Answers:
    """Limits at the quantile of t, and the level at which they reach 0."""
    found = effective(fit)
    ends = found.rates.limits(np.asarray(t_isf(alpha / 2, found.df)))
    distance = found.rates.distance()
    return Answers(
        method=method,
        estimand=Estimand.RISK_DIFFERENCE,
        studies=len(fit.studies),
        pairs=fit.studies.pairs,
        estimate=found.rates.difference,
        std_error=np.sqrt(found.variance),
        df=found.df,
        ci_low=ends.low,
        ci_high=ends.high,
        statistic=np.copysign(distance, found.rates.difference),
        p_value=np.minimum(2 * t_sf(distance, found.df), 1),
        effective_group=found.rates.n,
        effective_reference=found.rates.n_reference,
        remarks=tuple(uneven(fit)),
    )


WILSON_TWO_WAY: Final = Method(
    "wilson_two_way",
    heading="Wilson's limits at the effective number of responses",
    estimands=(Estimand.RISK_DIFFERENCE,),
    scope=Scope.NEW_NAMES_AND_TEMPLATES,
    needs=Needs(units=frozenset({Unit.NAME}), binary=True, names=2, templates=2),
    citation="Newcombe (1998), Interval estimation for the difference between independent "
    "proportions, Statistics in Medicine 17, 873-890.",
    run=wilson_two_way,
)
