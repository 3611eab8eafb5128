"""Limits of two rates against published ones, and what they have in common with a test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from refusal_parity.statistics.proportions import TwoRates, wilson, wilson_limits

PUBLISHED = [
    ((56, 70), (48, 80), (0.0524, 0.3339)),
    ((9, 10), (3, 10), (0.1705, 0.8090)),
    ((6, 7), (2, 7), (0.0582, 0.8062)),
    ((5, 56), (0, 29), (-0.0381, 0.1926)),
    ((0, 10), (0, 20), (-0.1611, 0.2775)),
    ((10, 10), (0, 20), (0.6791, 1.0)),
]
"""Newcombe (1998), Statistics in Medicine 17:873-890, table II, method 10."""


def two(group: tuple[int, int], reference: tuple[int, int]) -> TwoRates:
    (k, n), (k_reference, n_reference) = group, reference
    rate, other = k / n, k_reference / n_reference
    return TwoRates(*map(np.array, (rate - other, rate, other, float(n), float(n_reference))))


@pytest.mark.parametrize(("group", "reference", "expected"), PUBLISHED)
def test_limits_of_a_difference_are_newcombe_s(
    group: tuple[int, int], reference: tuple[int, int], expected: tuple[float, float]
) -> None:
    found = two(group, reference).limits(norm.isf(0.025))
    assert (float(found.low), float(found.high)) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(("k", "n"), [(0, 12), (1, 768), (3, 40), (767, 768), (12, 12)])
@pytest.mark.parametrize("alpha", [0.05, 0.0071])
def test_wilson_is_statsmodels(k: int, n: int, alpha: float) -> None:
    expected = proportion_confint(k, n, alpha, method="wilson")
    found = wilson_limits(np.array(k / n), np.array(float(n)), np.array(norm.isf(alpha / 2)))
    assert (float(found.low), float(found.high)) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("group", "reference"), [((6, 300), (1, 280)), ((0, 50), (9, 41))])
@pytest.mark.parametrize("alpha", [0.05, 0.0071])
def test_limits_are_statsmodels(
    group: tuple[int, int], reference: tuple[int, int], alpha: float
) -> None:
    expected = confint_proportions_2indep(*group, *reference, method="newcomb", alpha=alpha)
    found = two(group, reference).limits(np.array(norm.isf(alpha / 2)))
    assert (float(found.low), float(found.high)) == pytest.approx(expected, rel=1e-9)


def test_limits_never_leave_what_rates_can_differ_by() -> None:
    adjusted = two((9, 10), (1, 10))._replace(difference=np.array(0.95))
    found = adjusted.limits(np.array(8.0))
    assert -1 <= found.low < found.high == 1


@pytest.mark.parametrize(("group", "reference", "_"), PUBLISHED)
def test_a_limit_reaches_0_at_the_distance(
    group: tuple[int, int], reference: tuple[int, int], _: object
) -> None:
    for rates in (two(group, reference), two(reference, group)):
        distance = rates.distance()
        if rates.difference == 0:
            assert distance == 0
            continue
        near = rates.limits(distance)
        end = near.low if rates.difference > 0 else near.high
        assert end == pytest.approx(0, abs=1e-9)
        for closer, outside in ((0.999, True), (1.001, False)):
            low, high = rates.limits(distance * closer)
            assert (not low <= 0 <= high) is outside


def test_wilson_has_no_end_without_responses() -> None:
    found = wilson(np.array([0.0, 0.0, 4.0]), np.array([0.0, 8.0, 8.0]), 0.05)
    assert np.isnan(found.low[0])
    assert np.isnan(found.high[0])
    # Wilson's upper limit of 0 of 8 is z^2 / (8 + z^2).
    z2 = norm.isf(0.025) ** 2
    assert found.high[1] == pytest.approx(z2 / (8 + z2), rel=1e-12)
    assert found.low[2] + found.high[2] == pytest.approx(1, rel=1e-12)
