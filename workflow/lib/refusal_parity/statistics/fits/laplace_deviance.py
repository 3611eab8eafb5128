"""Laplace's deviance of a logistic regression with random names and templates, and its slope."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import Design, FloatArray

_STEPS = 100
_MODE = 1e-11
"""Newton step at which the mode counts as found: the next one is of its square."""

_RISE = 1e-13
"""Share of its value by which the penalised likelihood may fall by rounding."""


class _Mode(NamedTuple):
    """The likeliest intercepts u given the parameters, and what the likelihood is there.

    Attributes:
        u: of names, then of templates, standard normal before they are scaled.
        value: g(u).
        residual: k - n p of each cell.
        weight: n p (1 - p) of each cell.
        chance: p of each cell.
        factor: of M = -g''(u), by Cholesky.
    """

    u: FloatArray
    value: float
    residual: FloatArray
    weight: FloatArray
    chance: FloatArray
    factor: tuple[FloatArray, bool]


class Deviance:
    """-2 log L as a function of coefficients and standard deviations of names and templates.

    It is the same for a standard deviation and its negative, so that 0 is no
    border but a point like others, at which its slope is 0.

    Attributes:
        x: regressors of the coefficients, shape (cells, p).
    """

    def __init__(self, design: Design, *, levels: bool) -> None:
        """Set up regressors and codes.

        Args:
            design: counts of one outcome.
            levels: False for the intercept alone.
        """
        dummies = np.eye(len(design.levels))[design.level]
        self.x = np.column_stack([np.ones(len(design.n)), dummies[:, 1:]])
        if not levels:
            self.x = self.x[:, :1]
        self._n, self._k = design.n, design.k
        self._names = int(design.name.max()) + 1
        self._codes = (design.name, design.template + self._names)
        self._total = self._names + int(design.template.max()) + 1
        self._u = np.zeros(self._total)

    def start(self) -> FloatArray:
        """Overall logit, no contrasts, standard deviations of 1."""
        rate = self._k.sum() / self._n.sum()
        start = np.zeros(self.x.shape[1] + 2)
        start[0] = np.log(rate / (1 - rate))
        start[-2:] = 1
        return start

    def value(self, parameters: FloatArray) -> float:
        """The sum log det M - 2 g(u) at the mode u."""
        mode = self._mode(parameters)
        return float(2 * np.log(np.diag(mode.factor[0])).sum() - 2 * mode.value)

    def gradient(self, parameters: FloatArray) -> FloatArray:
        """Derivative of `value` in all parameters.

        With h the leverage of each cell, w' the derivative of its weight, and
        the mode moving with the parameters by M^-1 of what g' moves by. Shape
        (parameters,).
        """
        mode = self._mode(parameters)
        deviations = parameters[-2:]
        inverse = cho_solve(mode.factor, np.eye(self._total))
        name, template = self._codes
        own = (inverse[name, name], inverse[template, template])
        both = inverse[name, template]
        leverage = (
            deviations[0] ** 2 * own[0]
            + deviations[1] ** 2 * own[1]
            + 2 * deviations[0] * deviations[1] * both
        )
        curved = leverage * mode.weight * (1 - 2 * mode.chance)
        moved = inverse @ self._sums(curved, deviations)
        still = curved - mode.weight * self._at_cells(moved, deviations)
        slope = np.empty(len(parameters))
        slope[:-2] = self.x.T @ (still - 2 * mode.residual)
        scores = self._sums(mode.residual, np.ones(2))
        for at, codes in enumerate(self._codes):
            part = np.zeros(self._total)
            members = np.unique(codes)
            part[members] = scores[members]
            slope[at - 2] = (
                mode.u[codes] @ (still - 2 * mode.residual)
                + 2 * mode.weight @ (deviations[at] * own[at] + deviations[1 - at] * both)
                + part @ moved
            )
        return slope

    def _at_cells(self, u: FloatArray, deviations: FloatArray) -> FloatArray:
        """Names' and templates' values, scaled and added up in each cell, shape (cells,)."""
        name, template = self._codes
        return np.asarray(deviations[0] * u[name] + deviations[1] * u[template], dtype=np.float64)

    def _sums(self, values: FloatArray, deviations: FloatArray) -> FloatArray:
        """Sums of the cells of each name and template, scaled, shape (names + templates,)."""
        name, template = self._codes
        sums = deviations[0] * np.bincount(name, values, self._total)
        sums += deviations[1] * np.bincount(template, values, self._total)
        return np.asarray(sums, dtype=np.float64)

    def _mode(self, parameters: FloatArray) -> _Mode:
        """Newton's method with halved steps for the mode."""
        fixed, deviations = self.x @ parameters[:-2], parameters[-2:]
        u = self._u if np.isfinite(self._u).all() else np.zeros(self._total)
        found = self._evaluate(u, fixed, deviations)
        for _ in range(_STEPS):
            score = self._sums(found.residual, deviations) - found.u
            step = cho_solve(found.factor, score)
            size = 1.0
            while True:
                tried = self._evaluate(found.u + size * step, fixed, deviations)
                if tried.value >= found.value - _RISE * abs(found.value) or size < _MODE:
                    break
                size /= 2
            found = tried
            if np.abs(size * step).max() <= _MODE * (1 + np.abs(found.u).max()):
                break
        self._u = found.u
        return found

    def _evaluate(self, u: FloatArray, fixed: FloatArray, deviations: FloatArray) -> _Mode:
        linear = fixed + self._at_cells(u, deviations)
        chance = expit(linear)
        weight = self._n * chance * (1 - chance)
        value = float(self._k @ linear - self._n @ np.logaddexp(0, linear) - u @ u / 2)
        return _Mode(
            u, value, self._k - self._n * chance, weight, chance, self._factor(weight, deviations)
        )

    def _factor(self, weight: FloatArray, deviations: FloatArray) -> tuple[FloatArray, bool]:
        """M = I + Z' W Z, with Z the scaled indicators of names and templates, factored."""
        name, template = self._codes
        size = self._total
        matrix = np.zeros((size, size))
        # The half below the diagonal is all that is read.
        matrix.ravel()[:] = np.bincount(
            template * size + name, deviations[0] * deviations[1] * weight, size * size
        )
        at = np.arange(size)
        matrix[at, at] = 1 + self._sums(weight, np.asarray(deviations**2))
        factor, lower = cho_factor(matrix, lower=True, check_finite=False)
        return factor, lower
