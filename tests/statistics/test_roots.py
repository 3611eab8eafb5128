"""Covariances by their roots: digits that the covariance itself would lose, and rounding."""

from __future__ import annotations

import numpy as np
import pytest

from refusal_parity.statistics.variances.roots import (
    covariance,
    quadratic,
    root_of_difference,
    size,
    triangle,
)


@pytest.mark.parametrize("rows", [1, 3, 8])
def test_a_triangle_has_the_same_covariance(rows: int) -> None:
    terms = np.random.default_rng(rows).normal(size=(5, rows, 3))
    found = triangle(terms)
    assert found.shape == (5, 3, 3)
    np.testing.assert_allclose(covariance(found), covariance(terms), atol=1e-12)


@pytest.mark.parametrize(
    ("whole", "part", "there"),
    [
        ([[2, 1], [1, 2]], [[1, 0], [0, 1]], False),
        ([[2, 1], [1, 2]], [[0.5, 0], [0, 0.5]], True),
        ([[2e-9, 1e-9], [1e-9, 2e-9]], [[0.5e-9, 0], [0, 0.5e-9]], True),
        ([[1, 0], [0, 1e-12]], [[0, 0], [0, 0]], True),
        ([[1, 0], [0, 1]], [[1 - 1e-15, 0], [0, 0]], False),
        ([[1, 1], [1, 1 + 1e-15]], [[0, 0], [0, 0]], False),
        ([[0, 0], [0, 1]], [[0, 0], [0, 0]], False),
        ([[np.nan, 0], [0, 1]], [[0, 0], [0, 0]], False),
    ],
    ids=["singular", "left", "small", "unlike", "rounding", "alike", "zero", "unknown"],
)
def test_what_a_difference_leaves(
    whole: list[list[float]], part: list[list[float]], *, there: bool
) -> None:
    given = np.array(whole, dtype=float), np.array(part, dtype=float)
    root = root_of_difference(*given)
    assert np.isnan(root).all() != there
    if there:
        np.testing.assert_allclose(covariance(root), given[0] - given[1], rtol=1e-12)


def test_differences_of_stacks_are_those_of_each() -> None:
    random = np.random.default_rng(4)
    terms = random.normal(size=(5, 6, 2))
    whole, part = covariance(terms), 0.25 * covariance(terms[:, :3])
    whole[1, 0, 0] = np.nan
    part[3] = whole[3]
    found = root_of_difference(whole, part)
    assert np.isnan(found).all(axis=(1, 2)).tolist() == [False, True, False, True, False]
    for at in (0, 2, 4):
        np.testing.assert_allclose(covariance(found[at]), whole[at] - part[at], rtol=1e-9)


@pytest.mark.parametrize(("largest", "there"), [([1e-22, 1], True), ([1, 1], False), (1, False)])
def test_a_variance_that_is_rounding_of_its_outcomes_leaves_none(
    largest: list[float] | float, *, there: bool
) -> None:
    root = root_of_difference(np.diag([1e-22, 1.0]), 0.0, np.asarray(largest, dtype=float))
    assert np.isnan(root).all() != there


def test_the_size_is_that_of_all_pairs_whichever_is_the_reference() -> None:
    terms = np.random.default_rng(3).normal(size=(9, 3))
    full = np.column_stack([np.zeros(9), terms])
    pairs = [((full[:, a] - full[:, b]) ** 2).sum() for a in range(4) for b in range(a)]
    assert size(terms) == pytest.approx(sum(pairs))
    others = np.delete(full - full[:, [2]], 2, axis=1)
    assert size(others) == pytest.approx(sum(pairs))
    some = np.array([True, False, True])
    assert size(terms, some) == pytest.approx(size(terms[:, [0, 2]]))


def test_quadratic_forms_of_stacks() -> None:
    random = np.random.default_rng(2)
    roots, b = random.normal(size=(6, 3, 3)), random.normal(size=(6, 3))
    expected = [
        each @ np.linalg.solve(root.T @ root, each) for root, each in zip(roots, b, strict=True)
    ]
    np.testing.assert_allclose(quadratic(roots, b), expected, rtol=1e-9)
    roots[1, :, 2] = 0
    roots[2, :, 2] = roots[2, :, 1] * (1 + 1e-15)
    b[3, 0] = np.nan
    assert np.isnan(quadratic(roots, b)).tolist() == [False, True, True, True, False, False]


def test_variances_of_unlike_sizes_are_no_rounding_of_each_other() -> None:
    # R' R is diagonal, with 2e-18 and 2: what is rounding is asked of each contrast's own size.
    root = np.array([[1e-9, 1.0], [1e-9, -1.0]])
    assert quadratic(root, np.array([1e-9, 1.0])) == pytest.approx(1.0, rel=1e-9)


def test_a_variance_that_is_rounding_of_another_counts_as_none() -> None:
    # Clusters of the reference move both contrasts alike, and nothing moves their difference.
    shared = np.random.default_rng(1).normal(size=7)
    terms = np.column_stack([shared, shared * (1 + 1e-16)])
    assert np.isnan(quadratic(triangle(terms), np.array([0.1, 0.2])))
