"""Logistic regression with crossed random intercepts of names and templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import minimize

from refusal_parity.statistics.fits.laplace_deviance import Deviance

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import BoolArray, Design, FloatArray

_STEPS = 30
_CLOSE = 1e-10
"""Newton step, as a share of the parameter, at which the maximum counts as found."""

_FARTHEST = 20.0
"""A coefficient or standard deviation beyond this has run away: a logit of 20 is certainty."""

_DIFFERENCE = 0.05
"""Step of the differences of gradients, in standard errors: its sixth power is below 1e-7, and
rounding over it below 1e-11."""

NO_VARIANCE = 1e-6
"""A random intercept's variance below this lies on the border of what is possible, and is 0:
it moves a response's chance by less than a thousandth of a logit."""


class MixedModel(NamedTuple):
    """Maximum of the Laplace likelihood.

    Attributes:
        coefficients: intercept, then the contrast of each level with the
            first, on the logit scale, shape (levels,).
        covariance: of them, shape (levels, levels).
        name_variance: of the names' intercepts, on the logit scale.
        template_variance: of the templates'.
        log_likelihood: by Laplace's approximation.
        converged: whether the likelihood has a proper maximum, and Newton's
            method found it; else no number means anything.
    """

    coefficients: FloatArray
    covariance: FloatArray
    name_variance: float
    template_variance: float
    log_likelihood: float
    converged: bool


def fit_mixed_model(design: Design, *, levels: bool = True) -> MixedModel:
    """Fit logit P(y = 1) = level + name + template by maximum likelihood.

    Names and templates are normal with variances of their own. Their integral
    is Laplace's: with g(u) = log f(y | u) - u'u / 2 and its mode u,
    log L = g(u) - log det(-g''(u)) / 2 (Pinheiro and Chao 2006, Journal of
    Computational and Graphical Statistics 15:58-81; `glmer` of R's lme4 with
    nAGQ = 1). The covariance is the inverse of the second derivatives in all
    parameters, as there.

    A quasi-Newton search comes near, and where it stops hangs on the last
    digits; Newton's own steps end at the same number on every machine.

    No library serves: statsmodels' mixed GLM is variational and diverged on
    crossed designs of this size.

    Args:
        design: counts of one outcome, which varies.
        levels: False for the intercept alone, the null model.
    """
    problem = Deviance(design, levels=levels)
    near = minimize(problem.value, problem.start(), jac=problem.gradient, method="BFGS").x
    fixed = problem.x.shape[1]
    at, hessian, converged = _polish(problem, near, np.full(len(near), fill_value=True))
    # A variance on its border has no curvature: the others are taken as if it were 0.
    border = np.append(np.full(fixed, fill_value=False), at[fixed:] ** 2 <= NO_VARIANCE)
    if converged and border.any():
        at, hessian, converged = _polish(problem, np.where(border, 0.0, at), ~border)
    covariance = np.full((fixed, fixed), np.nan)
    if converged:
        covariance = 2 * np.linalg.inv(hessian)[:fixed, :fixed]
    sizes = np.where(border[fixed:], 0.0, at[fixed:] ** 2)
    return MixedModel(
        coefficients=at[:fixed],
        covariance=covariance,
        name_variance=float(sizes[0]),
        template_variance=float(sizes[1]),
        log_likelihood=-problem.value(at) / 2,
        converged=converged,
    )


def _polish(
    problem: Deviance, at: FloatArray, free: BoolArray
) -> tuple[FloatArray, FloatArray, bool]:
    """Newton's method from near the minimum of the deviance, and its second derivatives there.

    Without a proper maximum of the likelihood, steps do not come to an end or lead
    to where the deviance has no curvature.

    Args:
        problem: the deviance.
        at: where to begin, shape (parameters,).
        free: which of them may move; the second derivatives are in these.
    """
    hessian = _second_derivatives(problem, at, np.ones(len(at)), free)
    for _ in range(_STEPS):
        if not np.isfinite(hessian).all() or np.linalg.eigvalsh(hessian)[0] <= 0:
            break
        step = np.zeros(len(at))
        step[free] = np.linalg.solve(hessian, problem.gradient(at)[free])
        at = at - step
        if np.abs(at).max() > _FARTHEST:
            break
        errors = np.ones(len(at))
        errors[free] = np.sqrt(2 / np.diag(hessian))
        hessian = _second_derivatives(problem, at, errors, free)
        if (np.abs(step) <= _CLOSE * (1 + np.abs(at))).all():
            return at, hessian, bool(np.linalg.eigvalsh(hessian)[0] > 0)
    return at, hessian, False


def _second_derivatives(
    problem: Deviance, at: FloatArray, errors: FloatArray, free: BoolArray
) -> FloatArray:
    """Of the deviance, by differences of its gradient, in the free parameters.

    (45 d(h) - 9 d(2h) + d(3h)) / 60h with d(h) = f(h) - f(-h) is wrong by the order of h^6.

    Args:
        problem: the deviance.
        at: where.
        errors: what the parameters' standard errors are about.
        free: which parameters.
    """
    steps = np.diag(_DIFFERENCE * np.minimum(errors, 1 / _DIFFERENCE))[free]
    found = np.empty((len(steps), len(steps)))
    for row, step in enumerate(steps):
        near, far, farther = (
            problem.gradient(at + size * step) - problem.gradient(at - size * step)
            for size in (1, 2, 3)
        )
        found[row] = ((45 * near - 9 * far + farther) / (60 * step.sum()))[free]
    return (found + found.T) / 2
