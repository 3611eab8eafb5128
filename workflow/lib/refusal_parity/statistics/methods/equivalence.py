"""Whether a difference is shown to be small: one-sided tests against a margin on either side."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from refusal_parity.statistics.designs.within_templates import partly_shared
from refusal_parity.statistics.equivalence import TwoOneSided, rates_within, two_one_sided
from refusal_parity.statistics.fits.least_squares import regression
from refusal_parity.statistics.methods.bias_reduced import OLS_CR2_TWO_WAY, two_way_tests
from refusal_parity.statistics.proportions import TwoRates
from refusal_parity.statistics.registry import Method
from refusal_parity.statistics.variances.level_errors import level_errors
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from refusal_parity.statistics.answers import Answers
    from refusal_parity.statistics.designs.counts import BoolArray
    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.fits.least_squares import LeastSquares
    from refusal_parity.statistics.registry import Setting


def equivalence(studies: Studies, setting: Setting) -> list[Answers]:
    """Whether each difference of `ols_cr2_two_way` is shown to lie within the margin.

    Of rates by `rates_within`, Wilson's limits at the sizes and correlations of
    `level_errors`; of other means by `two_one_sided`. Estimate and degrees of freedom are
    those of `ols_cr2_two_way`, and there is no answer where that has none.
    """

    def tests(fit: LeastSquares) -> list[Answers]:
        row = two_way_tests(fit, setting.alpha)
        if not setting.binary:
            return [tested(row, EQUIVALENCE, setting.margin, setting.alpha)]
        errors, (group, reference) = level_errors(fit), fit.studies.codes
        rates = TwoRates(
            difference=row.values("estimate"),
            rate=errors.rate[:, group],
            reference=errors.rate[:, reference],
            n=errors.size[:, group],
            n_reference=errors.size[:, reference],
            correlation=errors.correlation[:, group, reference],
        )
        df = np.maximum(row.values("df"), 1)
        found = rates_within(rates, df, margin=setting.margin, alpha=setting.alpha)
        partly = partly_shared(fit.studies)
        if partly.any():
            error = row.values("std_error")
            by_t = two_one_sided(
                rates.difference,
                np.where(error > 0, error, np.nan),
                df,
                margin=setting.margin,
                alpha=setting.alpha,
            )
            found = _where(partly, by_t, found)
        return [_answered(row, EQUIVALENCE, found)]

    return regression(studies, EQUIVALENCE, tests)


def _where(chosen: BoolArray, careful: TwoOneSided, usual: TwoOneSided) -> TwoOneSided:
    """The less certain of two tests for some pairs, else the usual one.

    What rates are known by holds templates that one of two levels lacks for as telling as the
    others; the linear model's error does not, and is too sure where few have the outcome.
    """
    more = chosen & ~(usual.p_value > careful.p_value)
    return TwoOneSided(
        low=np.where(chosen, np.fmin(usual.low, careful.low), usual.low),
        high=np.where(chosen, np.fmax(usual.high, careful.high), usual.high),
        statistic=np.where(more, careful.statistic, usual.statistic),
        p_value=np.where(more, careful.p_value, usual.p_value),
    )


def tested(row: Answers, method: Method, margin: float, alpha: float) -> Answers:
    """The two one-sided tests of differences that have a standard error and df."""
    assert row.estimate is not None  # noqa: S101 - t tests
    assert row.std_error is not None  # noqa: S101
    assert row.df is not None  # noqa: S101
    found = two_one_sided(row.estimate, row.std_error, row.df, margin=margin, alpha=alpha)
    return _answered(row, method, found)


def _answered(row: Answers, method: Method, found: TwoOneSided) -> Answers:
    return replace(
        row,
        method=method,
        ci_low=found.low,
        ci_high=found.high,
        statistic=found.statistic,
        p_value=found.p_value,
    )


EQUIVALENCE: Final = Method(
    "equivalence",
    heading="Equivalence test of the linear model",
    estimands=(Estimand.RISK_DIFFERENCE,),
    scope=Scope.NEW_NAMES_AND_TEMPLATES,
    needs=OLS_CR2_TWO_WAY.needs,
    citation="Zou and Donner (2008), Construction of confidence limits about effect measures: a "
    "general approach, Statistics in Medicine 27, 1693-1702.",
    run=equivalence,
    of_margin=True,
)
