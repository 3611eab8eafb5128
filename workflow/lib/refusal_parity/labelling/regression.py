"""Logistic regression that is run to its end, so that all processors meet in one model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, cg
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_class_weight

if TYPE_CHECKING:
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

_NEAR: Final = 1e-5
"""A step of Newton's method after which what is left is about its square."""
_ROUNDS: Final = 50
_HALVINGS: Final = 30
_ROUGH: Final = 1e-2
_EXACT: Final = 1e-8
"""To what share of a slope its step is solved, far from the end and near it."""
_FLAT: Final = 1e-11
"""A slope that is rounding of sums over thousands of rows."""
_UNIT: Final = 2.0**-10
"""Weights are multiples of this: far above what is left of the fit, and far below what matters."""


class SettledRegression(LogisticRegression):  # type: ignore[misc]
    """scikit-learn's logistic regression with an L2 penalty, at the lowest point of its loss.

    A fit that stops where its loss hardly falls any more hangs, in the second or third decimal of
    its weights, on the last digits of sums, which differ between processors. From there on Newton's
    method finds the one lowest point that there is, and weights are rounded to multiples of 1/1024.
    """

    coef_: FloatArray
    intercept_: FloatArray

    def fit(self, X: Any, y: Any, sample_weight: npt.ArrayLike | None = None) -> Self:  # noqa: N803
        """Fit to rows of features, as scikit-learn's does.

        Raises:
            ArithmeticError: no lowest point was found.
        """
        super().fit(X, y, sample_weight)
        counted = np.ones(X.shape[0]) if sample_weight is None else np.asarray(sample_weight)
        codes = np.searchsorted(self.classes_, y)
        if self.class_weight is not None:
            given = {"classes": self.classes_, "y": y, "sample_weight": sample_weight}
            counted = counted * compute_class_weight(self.class_weight, **given)[codes]
        # Of two classes scikit-learn has weights of the second alone.
        kept = np.arange(len(self.classes_))[-len(self.coef_) :]
        loss = _Loss(
            sparse.csr_matrix(X, dtype=np.float64),
            (codes[:, None] == kept).astype(np.float64),
            counted[:, None].astype(np.float64),
            1 / self.C,
        )
        found = loss.lowest(np.column_stack([self.coef_, self.intercept_]).T)
        weights = np.round(found.T / _UNIT) * _UNIT
        self.coef_, self.intercept_ = weights[:, :-1].copy(), weights[:, -1].copy()
        return self

    def plain(self) -> LogisticRegression:
        """The fitted model as scikit-learn's own class, which files hold without a type of ours."""
        own = LogisticRegression(**self.get_params())
        vars(own).update(vars(self))
        return own


class _Loss:
    """The loss of logistic (one class) or softmax regression (all classes), and where it is lowest.

    Weights are of shape (features + 1, classes); the last row holds the intercepts, which cost
    nothing.
    """

    def __init__(
        self, features: sparse.csr_matrix, truth: FloatArray, counted: FloatArray, penalty: float
    ) -> None:
        self.features, self.truth, self.counted = features, truth, counted
        self.across = features.T.tocsr()
        self.squares = features.multiply(features).T.tocsr()
        self.costs = np.full((features.shape[1] + 1, 1), penalty)
        self.costs[-1] = 0.0

    def lowest(self, weights: FloatArray) -> FloatArray:
        """Weights at which the loss has no slope, found from others nearby.

        Raises:
            ArithmeticError: there is none within `_ROUNDS` steps.
        """
        shares, slope = self._slope_at(weights)
        far = 1.0
        for _ in range(_ROUNDS):
            # The next step mends what this one leaves, which need not be less than its square.
            step = self._step(shares, slope, exact=max(_EXACT, min(_ROUGH, far**2)))
            for _ in range(_HALVINGS):
                shares, after = self._slope_at(weights - step)
                if np.linalg.norm(after) <= max(float(np.linalg.norm(slope)), _FLAT):
                    break
                step /= 2
            weights, slope, far = weights - step, after, float(np.abs(step).max())
            if far < _NEAR:
                # Of all classes, all intercepts may be moved by one amount.
                moved = weights.mean(axis=1, keepdims=True) if weights.shape[1] > 1 else 0.0
                return np.asarray(weights - moved, dtype=np.float64)
        raise ArithmeticError(f"a regression has not come to its end in {_ROUNDS} steps")

    def _slope_at(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        scores = self._scores(weights)
        shares = expit(scores) if scores.shape[1] == 1 else softmax(scores, axis=1)
        return shares, self._summed(shares - self.truth) + self.costs * weights

    def _step(self, shares: FloatArray, slope: FloatArray, *, exact: float) -> FloatArray:
        def bent(flat: FloatArray) -> FloatArray:
            moved = flat.reshape(slope.shape)
            pulled = shares * self._scores(moved)
            pulled -= shares * pulled.sum(axis=1, keepdims=True)
            return np.asarray(self._summed(pulled) + self.costs * moved).ravel()

        spread = shares * (1 - shares) * self.counted
        diagonal = np.vstack([self.squares @ spread, spread.sum(axis=0)]) + self.costs
        scale = np.where(diagonal > 0, diagonal, 1.0).ravel()
        shape = (slope.size, slope.size)
        solved, _ = cg(
            LinearOperator(shape, matvec=bent, dtype=np.float64),
            slope.ravel(),
            rtol=exact,
            atol=_FLAT,
            M=LinearOperator(shape, matvec=lambda flat: flat / scale, dtype=np.float64),
        )
        step: FloatArray = solved.reshape(slope.shape)
        return step

    def _scores(self, weights: FloatArray) -> FloatArray:
        return np.asarray(self.features @ weights[:-1] + weights[-1], dtype=np.float64)

    def _summed(self, by_row: FloatArray) -> FloatArray:
        counted = by_row * self.counted
        return np.vstack([self.across @ counted, counted.sum(axis=0)])
