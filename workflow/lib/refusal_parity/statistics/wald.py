"""Tests and intervals from coefficients and their covariance."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.distributions import f_sf, t_isf, t_sf
from refusal_parity.statistics.results import Estimate, not_estimable, pairs_of
from refusal_parity.statistics.roots import quadratic, triangle
from refusal_parity.statistics.rounding import is_noise
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from refusal_parity.statistics.design import FloatArray


class Fit(NamedTuple):
    """Tested coefficients of a model under one covariance.

    Attributes:
        levels: the reference, then the level of each coefficient.
        coefficients: contrasts with the reference, shape (q,).
        root: of their covariance (`roots`), shape (rows, q).
        largest: the covariance that residuals as large as the outcomes could
            give at most, shape (q, q).
        df: degrees of freedom of t, and of F's denominator: the smallest
            number of clusters less 1.
        note: what to say about the covariance.
        pair_df: degrees of freedom of each pair's t, in the order of
            `pairs_of`, shape (q (q + 1) / 2,); None where they are all `df`.
    """

    levels: tuple[str, ...]
    coefficients: FloatArray
    root: FloatArray
    largest: FloatArray
    df: float
    note: str | None
    pair_df: FloatArray | None = None


def pair_weights(levels: int) -> FloatArray:
    """Weights that make the contrasts of all pairs out of those with the first level.

    In the order of `results.pairs_of`, shape (pairs, levels - 1).
    """
    full = np.eye(levels)
    rows = [full[at] - full[base] for base in range(levels) for at in range(base + 1, levels)]
    return np.array(rows, dtype=np.float64).reshape(-1, levels)[:, 1:]


def contrasts(fit: Fit, method: Method, estimand: Estimand, alpha: float) -> list[Estimate]:
    """A t test and an interval for each pair of levels.

    b -+ t(1 - alpha/2; df) se, with b = c' beta and se^2 = c' V c. For an odds
    ratio, estimate and interval are exp of it while `std_error` stays on the
    log scale.
    """
    scale = np.exp if estimand is Estimand.ODDS_RATIO else np.positive
    weights = pair_weights(len(fit.levels))
    coefficients = weights @ fit.coefficients
    variances = ((fit.root @ weights.T) ** 2).sum(axis=0)
    noise = is_noise(variances, np.einsum("pi,ij,pj->p", weights, fit.largest, weights))
    std_errors = np.where(noise, 0, np.sqrt(variances))
    degrees = np.full(len(weights), fit.df) if fit.pair_df is None else fit.pair_df
    half_width = t_isf(alpha / 2, degrees) * std_errors
    rows = []
    for pair, coefficient, std_error, half, df in zip(
        pairs_of(fit.levels), coefficients, std_errors, half_width, degrees, strict=True
    ):
        if std_error == 0:
            reason = "its standard error is 0: names and templates within it do not differ"
            rows.append(not_estimable(method, estimand, pair, reason))
            continue
        statistic = coefficient / std_error
        rows.append(
            Estimate(
                method=method,
                estimand=estimand,
                group=pair.group,
                reference=pair.reference,
                estimate=float(scale(coefficient)),
                std_error=std_error,
                df=float(df),
                ci_low=float(scale(coefficient - half)),
                ci_high=float(scale(coefficient + half)),
                statistic=statistic,
                p_value=float(2 * t_sf(abs(statistic), df)),
                note=fit.note,
            )
        )
    return rows


def wald_statistic(fit: Fit) -> float:
    """The form b' V^-1 b of all contrasts; NaN where V has no inverse, but for rounding."""
    if is_noise((fit.root**2).sum(axis=0), np.diag(fit.largest)).any():
        return np.nan
    return float(quadratic(triangle(fit.root), fit.coefficients))


def joint(fit: Fit, method: Method) -> Estimate:
    """Wald test that all coefficients are 0: b' V^-1 b / q as F with (q, df)."""
    q = len(fit.coefficients)
    statistic = wald_statistic(fit) / q
    if np.isnan(statistic):
        reason = f"the covariance of {q} contrasts has no inverse: too few clusters"
        return not_estimable(method, Estimand.GLOBAL, None, reason).noting(fit.note)
    return Estimate(
        method=method,
        estimand=Estimand.GLOBAL,
        df=q,
        df_denominator=fit.df,
        statistic=statistic,
        p_value=float(f_sf(statistic, q, fit.df)),
        note=fit.note,
    )
