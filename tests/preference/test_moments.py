"""Errors of standardised means, against their definition in full matrices."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy import stats

from refusal_parity.preference.differences import difference, own_interval
from refusal_parity.preference.moments import Observed, moments_of


def observed(value: Any, cluster: Any = None, stratum: Any = None, *, start: int = 0) -> Observed:
    value = np.asarray(value, np.float64)
    cluster = np.arange(len(value)) if cluster is None else np.asarray(cluster)
    stratum = np.zeros(len(value), np.intp) if stratum is None else np.asarray(stratum)
    return Observed(value=value, cluster=cluster + start, stratum=stratum)


class Side(NamedTuple):
    """One side in full: the terms of clusters are `terms` times the values."""

    terms: np.ndarray
    weights: np.ndarray


def in_full(side: Observed, share: np.ndarray, clusters: int) -> Side:
    """CR2 of the means of strata, weighed by `share` (Bell and McCaffrey 2002)."""
    cells = np.eye(len(share))[side.stratum]
    cells = cells[:, cells.any(axis=0)]
    share = share[np.unique(side.stratum)]
    hat = cells @ np.linalg.inv(cells.T @ cells) @ cells.T
    weights = share @ np.linalg.inv(cells.T @ cells) @ cells.T
    terms = np.zeros((clusters, len(side.value)))
    for each in np.unique(side.cluster):
        rows = np.flatnonzero(side.cluster == each)
        values, vectors = np.linalg.eigh(np.eye(len(rows)) - hat[np.ix_(rows, rows)])
        terms[each, rows] = weights[rows] @ vectors @ np.diag(values**-0.5) @ vectors.T
    return Side(terms @ (np.eye(len(side.value)) - hat), weights)


@pytest.mark.parametrize("seed", range(3))
def test_moments_are_those_of_full_matrices(seed: int) -> None:
    """Pustejovsky and Tipton (2018): degrees of freedom by traces, with errors that are alike."""
    rng = np.random.default_rng(seed)
    count, n = 20, 70
    cluster, stratum = rng.integers(0, count, n), rng.integers(0, 3, n)
    value = rng.normal(size=n) + stratum
    first = np.arange(n) < 25
    group = observed(value[first], cluster[first], stratum[first])
    other = observed(value[~first], cluster[~first], stratum[~first])
    share = np.bincount(group.stratum, minlength=3) / 25
    level = np.array([other.value[other.stratum == each].mean() for each in range(3)])
    apart = observed(group.value - level[group.stratum], group.cluster)
    sides = (in_full(apart, np.ones(1), count), in_full(other, share, count))
    terms = np.stack([sides[0].terms @ apart.value, sides[1].terms @ other.value])
    spread = [each.terms @ each.terms.T for each in sides]
    found = moments_of(group, other)
    assert found.mean[0] == pytest.approx([group.value.mean(), share @ level])
    assert found.covariance[0] == pytest.approx(terms @ terms.T)
    expected = np.array(
        [
            [np.trace(a @ b) / np.trace(a) / np.trace(b) for b in spread]
            for a in spread
        ]
    )  # fmt: skip
    assert found.shared == pytest.approx(expected)
    assert found.df == pytest.approx(1 / np.diag(expected))
    by_cluster = [
        np.bincount(each.cluster, side.weights, count)
        for each, side in zip((group, other), sides, strict=True)
    ]
    kish = [weights.sum() ** 2 / (weights**2).sum() for weights in by_cluster]
    assert found.effective == pytest.approx(kish)
    responses = [1 / (side.weights**2).sum() for side in sides]
    assert found.responses == pytest.approx(responses)
    units = [float((weights > 0).sum()) for weights in by_cluster]
    assert found.units.tolist() == found.rarer[0].tolist() == units


def test_strata_that_the_group_lacks_change_nothing() -> None:
    """One of them is a single cluster, whose own mean has no error to be known."""
    rng = np.random.default_rng(5)
    group = observed(rng.normal(size=12), stratum=[0, 1] * 6)
    value, stratum = rng.normal(size=30), np.array([0, 1, 1] * 10)
    alone = moments_of(group, observed(value, stratum=stratum, start=12))
    more = observed(
        [*value, 7.0, 9.0, 4.0],
        [*range(30), 30, 30, 31],
        [*stratum, 2, 2, 3],
        start=12,
    )
    found = moments_of(group, more)
    for field in ("mean", "covariance", "df", "shared", "units", "effective", "responses"):
        assert getattr(found, field) == pytest.approx(getattr(alone, field)), field


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("openings", [1, 2])
def test_a_single_opening_to_be_compared_with_tells_no_error(
    openings: int, *, binary: bool
) -> None:
    """Of four conversations as harmful as a half of the group's: then nothing is tested."""
    group = observed([0, 1] * 20, stratum=[0] * 20 + [1] * 20)
    other = observed(
        [0, 1] * 32, [*range(60), *np.arange(4) % openings + 60], [0] * 60 + [1] * 4, start=40
    )
    found = difference(group, other, binary=binary, alpha=0.05)
    assert np.isnan(moments_of(group, other).variance).tolist() == [[False, openings == 1]]
    told = [found.p_value, found.ci_low, found.ci_high]
    assert [each is None for each in told] == [openings == 1] * 3
    assert ("have a single opening to be compared with" in (found.note or "")) is (openings == 1)


def test_lengths_vary_where_their_errors_are_no_rounding() -> None:
    """Their errors are a billionth of their mean."""
    random = np.random.default_rng(8)
    one, two = (1000 + random.normal(0, 3e-6, size) for size in (15, 20))
    found = difference(observed(one), observed(two, start=15), binary=False, alpha=0.05)
    expected = stats.ttest_ind(one, two, equal_var=False)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-3)


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_one_sides_interval_of_a_length_is_students(alpha: float) -> None:
    value = np.random.default_rng(3).normal(50, 20, 9)
    found = own_interval(observed(value), binary=False, alpha=alpha)
    low, high = stats.ttest_1samp(value, 0).confidence_interval(1 - alpha)
    assert found is not None
    assert (found.low[0, 0], found.high[0, 0]) == pytest.approx((low, high))
    two = observed([3.0, 5.0, 4.0], [0, 0, 1])
    assert own_interval(two, binary=False, alpha=alpha) is not None
    assert own_interval(observed([3.0, 5.0], [0, 0]), binary=True, alpha=alpha) is None


def test_p_is_the_level_at_which_the_interval_ends_at_no_difference() -> None:
    group = observed([1] * 14 + [0] * 26)
    other = observed([1] * 20 + [0] * 100, start=40)
    found = difference(group, other, binary=True, alpha=0.05)
    assert found.p_value is not None
    assert found.estimate == pytest.approx(14 / 40 - 20 / 120)
    at = difference(group, other, binary=True, alpha=found.p_value)
    assert at.ci_low == pytest.approx(0, abs=1e-6)
    # The other way round all is the same with the other sign.
    turned = difference(other, group, binary=True, alpha=0.05)
    assert turned.p_value == pytest.approx(found.p_value)
    assert (turned.ci_high, turned.ci_low) == pytest.approx(
        (-(found.ci_low or 0), -(found.ci_high or 0))
    )


STILL = "the measure does not vary"


@pytest.mark.parametrize(
    ("group", "other", "binary", "note"),
    [
        (observed([0, 1] * 5), observed([0, 1] * 5, start=10), True, None),
        (observed([0, 1] * 5), observed([0, 1] * 4, start=10), True, "fewer than 10"),
        (observed([1] * 20), observed([1] * 30, start=20), True, STILL),
        (observed([1] * 20), observed([0] * 30, start=20), True, None),
        (observed([4.0] * 20), observed([4.0] * 30, start=20), False, f"{STILL} between clusters"),
        # What differs by rounding alone does not vary.
        (observed([0.1] * 23), observed([0.7] * 31, start=23), False, f"{STILL} between clusters"),
        # The other side may have strata that the group lacks.
        (observed([0, 1] * 9), observed([0, 1] * 9, stratum=[0, 0, 1] * 6, start=18), True, None),
    ],
)
def test_what_can_be_said(
    group: Observed, other: Observed, note: str | None, *, binary: bool
) -> None:
    found = difference(group, other, binary=binary, alpha=0.05)
    assert found.mean_group == pytest.approx(group.value.mean())
    assert (found.note or "").startswith(note or "")
    assert (found.note is None) == (note is None) == (found.p_value is not None)
    # Of rates that do not vary there is an interval all the same.
    assert (found.ci_low is not None) == (note in {None, STILL})


@pytest.mark.parametrize("size", [20, 23, 41])
def test_a_rate_of_one_is_no_hair_above_it(size: int) -> None:
    found = own_interval(observed([1] * size), binary=True, alpha=0.05)
    assert found is not None
    assert 0.7 < found.low[0, 0] < found.high[0, 0] == 1
    strata = np.arange(size) % 3
    moments = moments_of(
        observed([1] * size, stratum=strata),
        observed([1] * (size + 9), stratum=np.arange(size + 9) % 3, start=size),
    )
    assert moments.mean.tolist() == [[1, 1]]
