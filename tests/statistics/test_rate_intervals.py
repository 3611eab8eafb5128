"""Intervals at numbers of independent responses: against their formulas, solved another way."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import chi2, norm, t

from refusal_parity.statistics.designs.nested import LevelMoments
from refusal_parity.statistics.rate_intervals import (
    Differences,
    UnitRate,
    rates_of_units,
    two_sided,
)


class Rate(NamedTuple):
    """A rate, and what is known of its error; the least and the largest effective number."""

    p: float
    variance: float
    df: float = 12.0
    least: float = 20.0
    responses: float = 100.0

    def unit_rate(self) -> UnitRate:
        return UnitRate(*(np.array([each]) for each in self))

    def effective(self, z: float) -> float:
        """Independent responses: p (1 - p) / V by (z / t)^2, between units and responses."""
        if self.p * (1 - self.p) == 0:
            return self.least
        shrunk = (z / t.isf(norm.sf(z), self.df)) ** 2
        n = self.p * (1 - self.p) / self.variance * shrunk if self.variance > 0 else np.inf
        return float(min(max(n, self.least), self.responses))

    def ends(self, z: float) -> tuple[float, float]:
        """Where the score test of a rate says p, and the Poisson limit of few occurrences."""
        n, p = self.effective(z), self.p

        def beyond(rate: float) -> float:
            return n * (p - rate) ** 2 - z**2 * rate * (1 - rate)

        if p in {0, 1}:
            edge = z**2 / (n + z**2)
            return (0.0, edge) if p == 0 else (1 - edge, 1.0)
        low, high = (brentq(beyond, *ends, xtol=1e-14) for ends in ((0, p), (p, 1)))
        alpha = 2 * norm.sf(z)
        if n * p <= 6:
            low = min(low, chi2.ppf(alpha, 2 * n * p) / 2 / n)
        if n * (1 - p) <= 6:
            high = max(high, 1 - chi2.ppf(alpha, 2 * n * (1 - p)) / 2 / n)
        return low, high


@pytest.mark.parametrize("z", [1.0, 1.96, 3.0])
@pytest.mark.parametrize(
    "rate",
    [
        Rate(0.3, 0.004),
        Rate(0.3, 0.004, df=2.0, least=5.0),
        Rate(0.3, 0.2),
        Rate(0.7, 0.0001),
        Rate(0.7, 0.0),
        Rate(0.0, 0.0),
        Rate(1.0, 0.0),
        Rate(0.01, 0.0, least=90.0),
        Rate(0.06, 0.0),
        Rate(0.07, 0.0),
        Rate(0.98, 0.0),
        Rate(0.94, 0.0),
        Rate(0.93, 0.0),
    ],
    ids=str,
)
def test_a_rate_has_the_limits_of_its_formula(rate: Rate, z: float) -> None:
    found = rate.unit_rate().interval(np.array([z]))
    assert (found.low[0], found.high[0]) == pytest.approx(rate.ends(z), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("group", "reference", "correlation"),
    [
        (Rate(0.4, 0.004), Rate(0.25, 0.003), 0.0),
        (Rate(0.25, 0.004), Rate(0.4, 0.003), 0.4),
        (Rate(0.02, 0.0002), Rate(0.3, 0.003, df=30.0), -0.3),
        (Rate(0.99, 0.0001), Rate(0.01, 0.0001), 0.2),
    ],
    ids=str,
)
def test_a_difference_has_newcombes_limits_and_the_distance_at_which_they_end(
    group: Rate, reference: Rate, correlation: float
) -> None:
    both = Differences(
        group=group.unit_rate(),
        reference=reference.unit_rate(),
        correlation=np.array([correlation]),
    )
    z = 2.5
    (low, high), (below, above) = group.ends(z), reference.ends(z)

    def apart(one: float, other: float) -> float:
        return float(np.sqrt(one**2 + other**2 - 2 * correlation * one * other))

    estimate = group.p - reference.p
    expected = (
        max(estimate - apart(group.p - low, above - reference.p), -1),
        min(estimate + apart(high - group.p, reference.p - below), 1),
    )
    for found in (both.limits(np.array(z)), both.interval(2 * norm.sf(z))):
        assert (found.low[0], found.high[0]) == pytest.approx(expected, rel=1e-8)
    for end, sign in zip(expected, (1, -1), strict=True):
        if abs(end) < 1:
            assert both.reach(end)[0] == pytest.approx(sign * z, rel=1e-7)
    assert both.reach(estimate)[0] == 0


def test_no_distance_is_beyond_eight_errors() -> None:
    none, every = (Rate(p, 0.0, least=1e6, responses=1e6).unit_rate() for p in (0.0, 1.0))
    apart = Differences(group=every, reference=none, correlation=np.zeros(1))
    assert apart.reach(0.0)[0] == pytest.approx(8, rel=1e-6)
    assert two_sided(apart.reach(0.0))[0] == pytest.approx(2 * norm.sf(8), rel=1e-4)
    turned = Differences(group=none, reference=every, correlation=np.zeros(1))
    assert two_sided(turned.reach(0.0))[0] == two_sided(apart.reach(0.0))[0]


def test_of_a_variance_that_is_not_known_there_is_no_p_value() -> None:
    for sides in ((0.2, np.nan), (np.nan, 0.2)):
        one, other = (Rate(0.4, variance).unit_rate() for variance in sides)
        unknown = Differences(group=one, reference=other, correlation=np.zeros(1))
        assert np.isnan(two_sided(unknown.reach(0.0))).tolist() == [True]


def test_correlations_are_drawn_in_by_half_a_squared_unit() -> None:
    """Of unlike pairs of levels: with 5 units the least, 1 / 50 is taken off the covariance."""
    covariance = np.array(
        [[0.04, 0.03, -0.03, 0.01, 0.0], [0.03, 0.09, 0, 0, 0], [-0.03, 0, 0.0625, 0, 0],
         [0.01, 0, 0, 0.01, 0], [0.0, 0, 0, 0, 0.0]]
    )  # fmt: skip
    moments = LevelMoments(
        mean=np.array([[0.1, 0.2, 0.3, 0.4, 0.5]]),
        covariance=covariance[None],
        df=np.array([9.0, 4.0, 30.0, 7.0, 8.0]),
        shared=np.eye(5),
        units=np.full(5, 12.0),
        effective=np.array([5.0, 8.0, 6.0, 9.0, 3.0]),
        responses=np.array([40.0, 50.0, 60.0, 70.0, 80.0]),
        rarer=np.array([[3.0, 9.0, 7.0, 8.0, 2.0]]),
    )
    group, reference = np.array([1, 0, 3, 4]), np.array([0, 2, 0, 1])
    found = Differences.of(moments, group, reference)
    drawn = [0.03 - 1 / 50, -(0.03 - 1 / 50), 0.0, 0.0]
    sizes = [0.2 * 0.3, 0.2 * 0.25, 1.0, 1.0]
    assert found.correlation[0] == pytest.approx(np.array(drawn) / sizes)
    assert found.estimate[0] == pytest.approx([0.1, -0.2, 0.3, 0.3])
    for rates, at in ((found.group, group), (found.reference, reference)):
        assert rates.rate[0] == pytest.approx(moments.mean[0, at])
        assert rates.variance[0] == pytest.approx(np.diag(covariance)[at])
        # No more degrees of freedom than units in which the rarer answer occurs.
        assert rates.df[0].tolist() == np.array([3.0, 4.0, 7.0, 7.0, 2.0])[at].tolist()
        assert rates.least[0].tolist() == moments.effective[at].tolist()
        assert rates.responses[0].tolist() == moments.responses[at].tolist()


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_cells_of_a_set_are_one_unit(alpha: float) -> None:
    """Sets of two prompts, of four responses each: errors as of the sets' means."""
    random = np.random.default_rng(4)
    sizes = (6, 9)
    level = np.repeat([0, 1], [2 * each for each in sizes])
    unit = np.repeat(np.arange(sum(sizes)), 2)
    k = random.binomial(4, 0.4, len(level)).astype(float)
    found = rates_of_units(level, unit, np.full(len(level), 4.0), k, alpha)
    z = float(norm.isf(alpha / 2))
    for at, size in enumerate(sizes):
        means = k[level == at].reshape(size, 2).sum(axis=1) / 8
        error = means.std(ddof=1) / np.sqrt(size)
        assert found.std_error[at] == pytest.approx(error)
        varied = ((means > 0).sum(), (means < 1).sum())
        rate = Rate(means.mean(), error**2, min(size - 1, *varied), size, 8 * size)
        assert (found.low[at], found.high[at]) == pytest.approx(rate.ends(z))
