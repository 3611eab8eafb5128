from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from refusal_parity.preference.differences import difference, own_interval
from refusal_parity.preference.moments import Observed, moments_of
from refusal_parity.statistics.proportions import wilson


def observed(value: Any, cluster: Any = None, stratum: Any = None, *, start: int = 0) -> Observed:
    value = np.asarray(value, np.float64)
    cluster = np.arange(len(value)) if cluster is None else np.asarray(cluster)
    stratum = np.zeros(len(value), np.intp) if stratum is None else np.asarray(stratum)
    return Observed(value=value, cluster=cluster + start, stratum=stratum)


def test_without_clusters_it_is_welchs_test() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(3, 2, 15), rng.normal(2, 1, 40)
    found = difference(observed(a), observed(b, start=15), binary=False, alpha=0.05)
    expected = stats.ttest_ind(a, b, equal_var=False)
    ends = expected.confidence_interval(0.95)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6)
    assert (found.ci_low, found.ci_high) == pytest.approx((ends.low, ends.high), rel=1e-6)


def test_variance_is_that_of_least_squares_with_cr2() -> None:
    """Against the definition: (I - H) of each cluster, in full."""
    rng = np.random.default_rng(2)
    n = 60
    cluster = rng.integers(0, 25, n)
    x = (rng.random(n) < 0.4).astype(float)
    stratum = rng.integers(0, 3, n)
    y = rng.normal(size=n) + cluster % 3
    design = np.zeros((n, 3))
    design[np.arange(n), stratum] = 1
    rest = x == 0
    fit = sm.OLS(y[rest], design[rest]).fit()
    share = np.bincount(stratum[~rest], minlength=3) / (~rest).sum()
    bread = np.linalg.inv(design[rest].T @ design[rest])
    meat = np.zeros((3, 3))
    for each in np.unique(cluster[rest]):
        rows = design[rest][cluster[rest] == each]
        values, vectors = np.linalg.eigh(np.eye(len(rows)) - rows @ bread @ rows.T)
        root = vectors @ np.diag(values**-0.5) @ vectors.T
        score = rows.T @ root @ fit.resid[cluster[rest] == each]
        meat += np.outer(score, score)
    expected = share @ bread @ meat @ bread @ share
    found = moments_of(
        observed(y[~rest], cluster[~rest], stratum[~rest]),
        observed(y[rest], cluster[rest], stratum[rest]),
    )
    assert found.mean[0, 1] == pytest.approx(fit.params @ share)
    assert found.variance[0, 1] == pytest.approx(expected)


def test_clusters_that_span_both_sides_are_taken_account_of() -> None:
    rng = np.random.default_rng(3)
    effect = np.repeat(rng.normal(0, 3, 30), 2)
    y = effect + rng.normal(size=60)
    cluster = np.repeat(np.arange(30), 2)
    first, second = np.arange(60) % 2 == 0, np.arange(60) % 2 == 1
    together = difference(
        observed(y[first], cluster[first]), observed(y[second], cluster[second]),
        binary=False, alpha=0.05,
    )  # fmt: skip
    paired = stats.ttest_rel(y[first], y[second])
    assert together.p_value == pytest.approx(paired.pvalue, rel=0.05)


def test_a_stratum_counts_as_often_as_in_the_group() -> None:
    group = observed([1] * 9 + [0] * 11, stratum=[0] * 15 + [1] * 5)
    other = observed(
        [1] * 30 + [0] * 70 + [1] * 20 + [0] * 20, stratum=[0] * 100 + [1] * 40, start=20
    )
    found = difference(group, other, binary=True, alpha=0.05)
    assert found.mean_group == pytest.approx(9 / 20)
    assert found.mean_other == pytest.approx(0.75 * 0.3 + 0.25 * 0.5)


def test_one_sides_interval_is_wilsons_where_all_are_independent() -> None:
    found = own_interval(observed([1] * 30 + [0] * 170), binary=True, alpha=0.05)
    expected = wilson(np.array([30.0]), np.array([200.0]), 0.05)
    assert found is not None
    assert (found.low[0, 0], found.high[0, 0]) == pytest.approx(
        (expected.low[0], expected.high[0]), abs=0.004
    )


@pytest.mark.parametrize(
    ("group", "other", "note"),
    [
        (observed([0, 1] * 4), observed([0, 1] * 30, start=8), "fewer than 10 different openings"),
        (observed([0, 1] * 9, [0] * 18), observed([0, 1] * 30, start=1), "fewer than 10"),
        (observed([0] * 20), observed([0] * 90, start=20), "the measure does not vary"),
        (
            observed([0, 1] * 10, stratum=[0] * 19 + [1]),
            observed([0, 1] * 30, start=20),
            "none to be compared with that seems as harmful",
        ),
        (observed([], []), observed([0, 1] * 30), "fewer than 10"),
    ],
)
def test_what_cannot_be_tested_says_why(group: Observed, other: Observed, note: str) -> None:
    found = difference(group, other, binary=True, alpha=0.05)
    assert found.p_value is None
    assert note in (found.note or "")


def test_nothing_among_few_is_no_zero_width_interval() -> None:
    found = difference(
        observed([0] * 20), observed([0] * 90 + [1] * 10, start=20), binary=True, alpha=0.05
    )
    assert found.ci_low is not None
    assert found.ci_high is not None
    assert found.ci_low < -0.1 < 0 < found.ci_high
    assert found.p_value is not None
