"""Regressions that are run to their end, against scikit-learn's on the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from refusal_parity.labelling import regression
from refusal_parity.labelling.regression import SettledRegression

STEP = 1 / 1024


def rows(classes: int, *, apart: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sparse features of three times as many columns as a class has rows, classes, and weights."""
    random = np.random.default_rng(classes)
    labels = np.repeat([f"c{at}" for at in range(classes)], 20)
    features = random.random((len(labels), 60)) * (random.random((len(labels), 60)) < 0.2)
    features[:, 0] += apart * (labels == "c0")
    return features, labels, random.choice([1.0, 2.0, 6.0], len(labels))


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("penalty", [0.5, 30.0])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("weighed", [False, True])
def test_the_lowest_point_is_that_of_scikit_learn(
    classes: int, penalty: float, class_weight: Any, *, weighed: bool
) -> None:
    features, labels, counted = rows(classes)
    weights = counted if weighed else None
    found = SettledRegression(C=penalty, class_weight=class_weight).fit(features, labels, weights)
    expected = LogisticRegression(
        C=penalty, class_weight=class_weight, solver="newton-cholesky", tol=1e-12
    ).fit(features, labels, weights)
    assert found.classes_.tolist() == expected.classes_.tolist()
    assert found.coef_ == pytest.approx(expected.coef_, abs=0.51 * STEP)
    # A sum over all classes is free in scikit-learn's intercepts.
    free = expected.intercept_.mean() if classes > 2 else 0.0
    assert found.intercept_ == pytest.approx(expected.intercept_ - free, abs=0.51 * STEP)
    np.testing.assert_allclose(
        found.predict_proba(features), expected.predict_proba(features), atol=5e-3
    )


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("apart", [1.0, 50.0])
def test_order_and_start_leave_no_trace(classes: int, apart: float) -> None:
    features, labels, counted = rows(classes, apart=apart)
    order = np.random.default_rng(1).permutation(len(labels))
    first = SettledRegression(C=30.0).fit(features, labels, counted)
    for tolerance in (0.3, 1e-3, 1e-8):
        other = SettledRegression(C=30.0, tol=tolerance, max_iter=3_000).fit(
            sparse.csr_matrix(features[order]), labels[order], counted[order]
        )
        assert other.coef_.tolist() == first.coef_.tolist()
        assert other.intercept_.tolist() == first.intercept_.tolist()
    assert np.array_equal(first.coef_, np.round(first.coef_ / STEP) * STEP)


def test_a_regression_that_comes_to_no_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regression, "_ROUNDS", 1)
    features, labels, _ = rows(3)
    with pytest.raises(ArithmeticError, match="not come to its end in 1 steps"):
        SettledRegression(C=30.0, tol=0.3).fit(features, labels)
