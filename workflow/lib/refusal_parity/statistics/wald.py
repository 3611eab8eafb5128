"""Tests and intervals from coefficients and their covariance."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.stats import f, t

from refusal_parity.statistics.clusters import is_positive_definite
from refusal_parity.statistics.results import Estimate, not_estimable
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from refusal_parity.statistics.design import FloatArray


_NO_ERROR = 1e-10
"""A standard error below this is rounding."""


class Fit(NamedTuple):
    """Tested coefficients of a model under one covariance.

    Attributes:
        groups: level of each coefficient.
        coefficients: shape (q,).
        covariance: shape (q, q).
        df: degrees of freedom of t, and of F's denominator: the smallest
            number of clusters less 1, or an estimate.
        note: what to say about the covariance.
    """

    groups: tuple[str, ...]
    coefficients: FloatArray
    covariance: FloatArray
    df: float
    note: str | None


def contrasts(fit: Fit, method: Method, estimand: Estimand, alpha: float) -> list[Estimate]:
    """A t test and an interval for each coefficient.

    b -+ t(1 - alpha/2; df) se. For an odds ratio, estimate and interval are
    exp of it while `std_error` stays on the log scale.
    """
    scale = np.exp if estimand is Estimand.ODDS_RATIO else np.positive
    std_errors = np.sqrt(np.diag(fit.covariance))
    reach = t.isf(alpha / 2, fit.df) * std_errors
    rows = []
    for group, coefficient, std_error, half in zip(
        fit.groups, fit.coefficients, std_errors, reach, strict=True
    ):
        if not std_error > _NO_ERROR:
            reason = "its standard error is 0: names and templates within it do not differ"
            rows.append(not_estimable(method, estimand, group, reason))
            continue
        statistic = coefficient / std_error
        rows.append(
            Estimate(
                method=method,
                estimand=estimand,
                group=group,
                estimate=float(scale(coefficient)),
                std_error=std_error,
                df=fit.df,
                ci_low=float(scale(coefficient - half)),
                ci_high=float(scale(coefficient + half)),
                statistic=statistic,
                p_value=float(2 * t.sf(abs(statistic), fit.df)),
                note=fit.note,
            )
        )
    return rows


def joint(fit: Fit, method: Method) -> Estimate:
    """Wald test that all coefficients are 0: b' V^-1 b / q as F with (q, df)."""
    q = len(fit.groups)
    if not is_positive_definite(fit.covariance):
        reason = f"the covariance of {q} contrasts has no inverse: too few clusters"
        return not_estimable(method, Estimand.GLOBAL, None, reason).noting(fit.note)
    solved = np.linalg.solve(fit.covariance, fit.coefficients)
    statistic = float(fit.coefficients @ solved) / q
    return Estimate(
        method=method,
        estimand=Estimand.GLOBAL,
        df=q,
        df_denominator=fit.df,
        statistic=statistic,
        p_value=float(f.sf(statistic, q, fit.df)),
        note=fit.note,
    )
