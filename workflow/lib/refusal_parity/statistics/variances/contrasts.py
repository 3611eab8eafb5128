"""Tests and intervals from coefficients and their covariance, for many studies at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from refusal_parity.counting import counted
from refusal_parity.statistics.answers import Answers, Remark
from refusal_parity.statistics.distributions import f_sf, t_isf, t_sf
from refusal_parity.statistics.results import pairs_of
from refusal_parity.statistics.rounding import is_noise
from refusal_parity.statistics.variances.roots import quadratic, triangle
from refusal_parity.vocabulary import Estimand

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.registry import Method
    from refusal_parity.statistics.results import Pair
    from refusal_parity.statistics.variances.sandwich import TwoWay

NO_ERROR: Final = "its standard error is 0: names and templates within it do not differ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Tested coefficients of many studies under one covariance.

    Attributes:
        levels: the reference, then the level of each coefficient.
        coefficients: contrasts with the reference, shape (studies, q).
        root: of their covariance (`roots`), shape (studies, rows, q).
        largest: the covariance that residuals as large as the outcomes could
            give at most, shape (studies, q, q).
        df: degrees of freedom of t; of every pair in the order of `pairs_of`, or one
            for all, broadcasts to (studies, every pair).
        df_joint: of F's denominator, or eta, broadcasts to (studies,).
        fallback: the covariance's, where it is a two-way one.
    """

    levels: tuple[str, ...]
    coefficients: FloatArray
    root: FloatArray
    largest: FloatArray
    df: FloatArray
    df_joint: FloatArray
    fallback: TwoWay | None = None

    @property
    def wald(self) -> FloatArray:
        """The form b' V^-1 b of all contrasts, shape (studies,).

        NaN where V has no inverse, but for rounding.
        """
        found = quadratic(triangle(self.root), self.coefficients)
        noise = is_noise((self.root**2).sum(axis=1), np.diagonal(self.largest, axis1=1, axis2=2))
        return np.where(noise.any(axis=1), np.nan, found)

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """Where a one-way covariance stands in for the two-way one."""
        if self.fallback is None:
            return ()
        return tuple(
            Remark(fallback_note(which), where[:, None])
            for which, where in (
                ("name", self.fallback.by_name),
                ("template", self.fallback.by_template),
            )
        )


def fallback_note(which: str) -> str:
    """What to say where a one-way covariance stands in for the two-way one."""
    return f"two-way covariance is not positive definite: clustered by {which} alone"


def pair_weights(levels: int) -> FloatArray:
    """Weights that make the contrasts of all pairs out of those with the first level.

    In the order of `results.pairs_of`, shape (pairs, levels - 1).
    """
    full = np.eye(levels)
    rows = [full[at] - full[base] for base in range(levels) for at in range(base + 1, levels)]
    return np.array(rows, dtype=np.float64).reshape(-1, levels)[:, 1:]


def contrasts(fitted: Fitted, method: Method, pairs: tuple[Pair, ...], alpha: float) -> Answers:
    """A t test and an interval for each pair of levels.

    b -+ t(1 - alpha/2; df) se, with b = c' beta and se^2 = c' V c. For an odds
    ratio, estimate and interval are exp of it while `std_error` stays on the
    log scale.
    """
    every = pairs_of(fitted.levels)
    at = [every.index(pair) for pair in pairs]
    weights = pair_weights(len(fitted.levels))[at]
    variance = ((fitted.root @ weights.T) ** 2).sum(axis=1)
    largest = np.einsum("pi,rij,pj->rp", weights, fitted.largest, weights)
    df = np.broadcast_to(fitted.df, (len(variance), len(every)))[:, at]
    coefficients = fitted.coefficients @ weights.T
    noise = is_noise(variance, largest)
    found = t_tests(method, pairs, coefficients, np.where(noise, 0, variance), df, alpha)
    return found.remarking(*(each._replace(where=each.where & ~noise) for each in fitted.remarks))


def t_tests(  # noqa: PLR0913, PLR0917 - a table's columns
    method: Method,
    pairs: tuple[Pair, ...],
    estimate: FloatArray,
    variance: FloatArray,
    df: FloatArray,
    alpha: float,
) -> Answers:
    """T tests and intervals of differences, or of log odds ratios; missing where variance is 0."""
    ratio = Estimand.ODDS_RATIO in method.estimands
    scale = np.exp if ratio else np.positive
    std_error = np.sqrt(np.where(variance > 0, variance, np.nan))
    half_width = t_isf(alpha / 2, df) * std_error
    statistic = estimate / std_error
    return Answers(
        method=method,
        estimand=Estimand.ODDS_RATIO if ratio else Estimand.RISK_DIFFERENCE,
        studies=len(estimate),
        pairs=pairs,
        estimate=scale(estimate),
        std_error=std_error,
        df=df,
        ci_low=scale(estimate - half_width),
        ci_high=scale(estimate + half_width),
        statistic=statistic,
        p_value=np.asarray(2 * t_sf(np.abs(statistic), df), dtype=np.float64),
        remarks=(Remark.missing(NO_ERROR, variance == 0),),
    )


def joint(fitted: Fitted, method: Method) -> Answers:
    """Wald test that all coefficients are 0: b' V^-1 b / q as F with (q, df)."""
    q = fitted.coefficients.shape[1]
    found = _f_test(fitted, method, fitted.wald / q, fitted.df_joint, "clusters")
    return found.remarking(*fitted.remarks)


def hotelling(fitted: Fitted, method: Method) -> Answers:
    """Hotelling's T^2 of all contrasts, with `df_joint` as eta (HTZ).

    F = (eta - q + 1) / (eta q) b' V^-1 b with (q, eta - q + 1).
    """
    q, eta = fitted.coefficients.shape[1], fitted.df_joint
    rest = np.where(eta - q + 1 > 0, eta - q + 1, np.nan)
    return _f_test(fitted, method, rest / (eta * q) * fitted.wald, rest, "names")


def _f_test(
    fitted: Fitted, method: Method, statistic: FloatArray, rest: FloatArray, units: str
) -> Answers:
    q = fitted.coefficients.shape[1]
    statistic = np.broadcast_to(statistic, (len(fitted.coefficients),))
    return Answers(
        method=method,
        estimand=Estimand.GLOBAL,
        studies=len(statistic),
        df=np.array(float(q)),
        df_denominator=np.broadcast_to(rest, statistic.shape)[:, None],
        statistic=statistic[:, None],
        p_value=np.asarray(f_sf(statistic, q, rest), dtype=np.float64)[:, None],
        remarks=(
            Remark.missing(
                f"the covariance of {counted(q, 'contrast')} has no inverse: too few {units}",
                np.isnan(statistic)[:, None],
            ),
        ),
    )
