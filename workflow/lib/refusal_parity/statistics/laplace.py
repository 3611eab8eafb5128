"""Logistic regression with crossed random intercepts of names and templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from scipy.special import expit

if TYPE_CHECKING:
    from refusal_parity.statistics.design import Design, FloatArray

_STEPS = 100
_MODE = 1e-10
"""Largest Newton step at which the mode counts as found."""

_DIFFERENCE = 1e-4
"""Step of the second differences that give the covariance."""

NO_VARIANCE = 1e-6
"""A random intercept's variance below this lies on the border of what is possible."""


class MixedModel(NamedTuple):
    """Maximum of the Laplace likelihood.

    Attributes:
        coefficients: intercept, then the contrast of each level with the
            first, on the logit scale, shape (levels,).
        covariance: of them, shape (levels, levels); NaN where the likelihood
            has no proper maximum.
        name_variance: of the names' intercepts, on the logit scale.
        template_variance: of the templates'.
        log_likelihood: by Laplace's approximation.
        converged: whether the optimiser found a maximum.
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

    No library serves: statsmodels' mixed GLM is variational and diverged on
    crossed designs of this size. Names and templates are some hundred
    columns, so that dense matrices suffice.

    Args:
        design: counts of one outcome, which varies.
        levels: False for the intercept alone, the null model.
    """
    problem = _Problem(design, levels=levels)
    found = minimize(problem.deviance, problem.start(), method="BFGS", options={"gtol": 1e-5})
    # BFGS ends where rounding hides further descent; a simplex makes sure of it.
    found = minimize(
        problem.deviance, found.x, method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-8}
    )
    fixed = problem.x.shape[1]
    hessian = _second_differences(problem, found.x) / 2
    sizes = np.exp(2 * found.x[fixed:])
    # A variance on its border has no curvature: the others are taken as if it were 0.
    free = np.append(np.full(fixed, fill_value=True), sizes > NO_VARIANCE)
    covariance = np.full((fixed, fixed), np.nan)
    part = hessian[np.ix_(free, free)]
    if np.linalg.eigvalsh(part)[0] > 0:
        covariance = np.linalg.inv(part)[:fixed, :fixed]
    return MixedModel(
        coefficients=found.x[:fixed],
        covariance=covariance,
        name_variance=float(sizes[0]),
        template_variance=float(sizes[1]),
        log_likelihood=-float(found.fun) / 2,
        converged=bool(found.success),
    )


class _Problem:
    """The deviance as a function of coefficients and log standard deviations."""

    def __init__(self, design: Design, *, levels: bool) -> None:
        """Set up regressors and the indicators of names and templates."""
        dummies = np.eye(len(design.levels))[design.level]
        self.x = np.column_stack([np.ones(len(design.n)), dummies[:, 1:]])
        if not levels:
            self.x = self.x[:, :1]
        self.n, self.k = design.n, design.k
        names, templates = int(design.name.max()) + 1, int(design.template.max()) + 1
        self.z = np.column_stack([np.eye(names)[design.name], np.eye(templates)[design.template]])
        self.sizes = (names, templates)
        self.mode = np.zeros(names + templates)

    def start(self) -> FloatArray:
        """Overall logit, no contrasts, standard deviations of 1."""
        rate = self.k.sum() / self.n.sum()
        start = np.zeros(self.x.shape[1] + 2)
        start[0] = np.log(rate / (1 - rate))
        return start

    def deviance(self, parameters: FloatArray) -> float:
        """-2 log L of coefficients, then log standard deviations of names and templates."""
        fixed = self.x.shape[1]
        scale = np.repeat(np.exp(np.clip(parameters[fixed:], -20, 20)), self.sizes)
        z, base = self.z * scale, self.x @ parameters[:fixed]
        mode = self.mode
        value = self._penalised(base + z @ mode, mode)
        for _ in range(_STEPS):
            share = expit(base + z @ mode)
            information = z.T @ ((self.n * share * (1 - share))[:, None] * z)
            factor = cho_factor(information + np.eye(len(mode)))
            step = cho_solve(factor, z.T @ (self.k - self.n * share) - mode)
            size = 1.0
            while size > _MODE:
                tried = mode + size * step
                reached = self._penalised(base + z @ tried, tried)
                if reached >= value - 1e-12 * abs(value):
                    break
                size /= 2
            mode, value = tried, reached
            if np.abs(size * step).max() < _MODE:
                break
        self.mode = mode
        share = expit(base + z @ mode)
        information = z.T @ ((self.n * share * (1 - share))[:, None] * z)
        logdet = 2 * np.log(np.diag(cho_factor(information + np.eye(len(mode)))[0])).sum()
        return float(logdet - 2 * value)

    def _penalised(self, linear: FloatArray, mode: FloatArray) -> float:
        """Log-likelihood of the responses less half the squared length of the intercepts."""
        likelihood = self.k @ linear - self.n @ np.logaddexp(0, linear)
        return float(likelihood - mode @ mode / 2)


def _second_differences(problem: _Problem, at: FloatArray) -> FloatArray:
    """Second derivatives of the deviance, shape (parameters, parameters)."""
    count = len(at)
    steps = np.eye(count) * _DIFFERENCE * 10
    found = np.empty((count, count))
    for i in range(count):
        for j in range(i + 1):
            corners = [
                sign * problem.deviance(at + a * steps[i] + b * steps[j])
                for a, b, sign in ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))
            ]
            found[i, j] = found[j, i] = sum(corners) / (4 * steps[i, i] * steps[j, j])
    return found
