"""The regression without a column for each template, against the one with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from random_designs import incidence, random_design
from scipy.optimize import linprog

from refusal_parity.statistics.designs.counts import Design, codes_of
from refusal_parity.statistics.designs.regressors import (
    absorb,
    are_told_apart,
    is_separated,
    of_one_cluster,
    too_few_clusters,
)
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.fits.least_squares import least_squares
from refusal_parity.statistics.results import Pair
from refusal_parity.statistics.variances.cr2 import bias_reduced

SEEDS = range(6)


def design_of(rows: list[tuple[str, int, int]]) -> Design:
    """One response for each level, name and template; levels in the order of the alphabet."""
    level, name, template = zip(*rows, strict=True)
    levels, codes = np.unique(level, return_inverse=True)
    counts = np.ones(len(rows))
    name, template = codes_of(np.array(name)), codes_of(np.array(template))
    return Design(tuple(map(str, levels)), codes, name, template, counts, 0 * counts)


@pytest.mark.parametrize("seed", SEEDS)
def test_least_squares_is_that_of_all_columns(seed: int) -> None:
    design = random_design(seed)
    x, root = incidence(design), np.sqrt(design.n)
    expected = np.linalg.lstsq(root[:, None] * x, design.k / root)[0]
    studies = Studies.of([design])
    found = least_squares(studies)
    assert found.coefficients[0] == pytest.approx(expected[:2], rel=1e-11, abs=1e-13)
    residual = design.k - design.n * (x @ expected)
    assert found.residual[0][design.name, design.template] == pytest.approx(
        residual, rel=1e-10, abs=1e-12
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_influence_is_that_of_all_columns(seed: int) -> None:
    design = random_design(seed)
    variance = np.random.default_rng(seed).uniform(0.01, 0.25, len(design.n))
    # A fit has one variance for a level and template.
    at = design.level * 6 + design.template
    variance = (np.bincount(at, variance) / np.maximum(np.bincount(at), 1))[at]
    x = incidence(design)
    bread = np.linalg.inv(x.T @ ((design.n * variance)[:, None] * x))
    assert absorb(design, variance=variance).influence == pytest.approx(
        x @ bread[:, :2], rel=1e-10, abs=1e-12
    )
    assert absorb(design, variance=variance).parameters == x.shape[1]


@pytest.mark.parametrize("clusters", ["name", "template"])
@pytest.mark.parametrize("seed", SEEDS)
def test_bias_reduction_is_that_of_all_columns(seed: int, clusters: str) -> None:
    """CR2 with every matrix written out (Pustejovsky and Tipton 2018, equations 8 to 14)."""
    design = random_design(seed)
    at = design.level * 6 + design.template
    variance = np.random.default_rng(seed).uniform(0.01, 0.25, 18)[at]
    absorbed = absorb(design, variance=variance)
    residual = np.random.default_rng(seed).normal(size=len(design.n))
    cluster = getattr(design, clusters)
    found = bias_reduced(absorbed, residual, cluster)

    root = np.sqrt(design.n)
    x, e = (root * variance)[:, None] * incidence(design), residual / root
    working, weight = np.diag(variance), np.diag(1 / variance)
    bread = np.linalg.inv(x.T @ weight @ x)
    rest = np.eye(len(x)) - x @ bread @ x.T @ weight
    terms, products = [], []
    for each in range(cluster.max() + 1):
        mine = np.flatnonzero(cluster == each)
        part, own = x[mine], working[np.ix_(mine, mine)]
        half = np.sqrt(own)
        middle = half @ (own - part @ bread @ part.T) @ half
        values, vectors = np.linalg.eigh(middle)
        inverse = np.where(values > 1e-12, 1 / np.sqrt(np.maximum(values, 1e-12)), 0)
        adjust = half @ (vectors * inverse) @ vectors.T @ half
        u = (bread[:2] @ part.T @ weight[np.ix_(mine, mine)] @ adjust).T
        terms.append(u.T @ e[mine])
        products.append(u.T @ rest[mine])
    covariance = sum(np.outer(term, term) for term in terms)
    assert found.root.T @ found.root == pytest.approx(covariance, rel=1e-8, abs=1e-10)
    moments = np.array([[first @ working @ second.T for second in products] for first in products])
    for contrast, df in zip(([1, 0], [0, 1], [-1, 1]), found.df, strict=True):
        of_one = np.einsum("s,ghst,t->gh", contrast, moments, contrast)
        assert df == pytest.approx(np.trace(of_one) ** 2 / (of_one**2).sum(), rel=1e-8)


@pytest.mark.parametrize("seed", range(40))
def test_told_apart_where_the_columns_have_full_rank(seed: int) -> None:
    random = np.random.default_rng(seed)
    level, template = np.nonzero(random.random((4, 5)) < 0.3)
    if len(level) < 2:
        level, template = np.array([0, 1]), np.array([0, 0])
    rows = [(str(a), at, int(b)) for at, (a, b) in enumerate(zip(level, template, strict=True))]
    design = design_of([*rows, *rows])
    x = incidence(design)
    full = np.linalg.matrix_rank(x) == x.shape[1] < design.n.sum()
    assert are_told_apart(design) == full
    assert are_told_apart(design, template_effects=False)


def separates(design: Design) -> bool:
    """By a linear programme (Konis 2007, thesis, University of Oxford)."""
    x = incidence(design)
    sign = np.where(design.k == design.n, 1.0, -1.0)
    mixed = (design.k > 0) & (design.k < design.n)
    pure = sign[~mixed, None] * x[~mixed]
    if not len(pure):
        return False
    found = linprog(
        -pure.sum(axis=0),
        A_ub=-pure,
        b_ub=np.zeros(len(pure)),
        A_eq=x[mixed] if mixed.any() else None,
        b_eq=np.zeros(int(mixed.sum())) if mixed.any() else None,
        bounds=(-1, 1),
    )
    return bool(found.fun < -1e-6)


def test_separated_where_a_linear_programme_finds_a_direction() -> None:
    seen = []
    for seed in range(120):
        design = random_design(
            seed, groups=2 + seed % 2, names=1, templates=3 + seed % 3, samples=5, missing=0
        )
        # One row for a level and template, as a fit has it.
        seen.append(separates(design))
        assert is_separated(design) == seen[-1], seed
    assert 20 < sum(seen) < 100


A_TO_B = [("a", 0, 0), ("a", 1, 0), ("b", 2, 0), ("b", 3, 0)]
AND_ONE_MORE = [("a", 0, 1), ("a", 1, 1), ("b", 2, 1), ("b", 3, 1)]
APART = [("a", 0, 2), ("a", 1, 2), ("b", 2, 3), ("b", 3, 3)]


@pytest.mark.parametrize(
    ("rows", "clusters", "word"),
    [
        ([*A_TO_B, *APART], "templates", "template"),
        ([*A_TO_B, *APART], "names", None),
        ([*A_TO_B, *AND_ONE_MORE], "templates", None),
        ([*A_TO_B[1:], *APART], "names", "name"),
        ([*A_TO_B[1:], *AND_ONE_MORE], "names", None),
    ],
    ids=["one template", "names of one template", "two templates", "one name", "one name of two"],
)
def test_a_comparison_by_way_of_one_cluster(
    rows: list[tuple[str, int, int]], clusters: str, word: str | None
) -> None:
    design = design_of(rows)
    wanted = {each: each == clusters for each in ("names", "templates")}
    assert not too_few_clusters(design, **wanted)
    expected = {Pair("b", "a"): f"b and a are compared by way of one {word} alone"} if word else {}
    assert of_one_cluster(design, **wanted) == expected


def test_a_chain_is_as_weak_as_its_weakest_link() -> None:
    rows = [*A_TO_B, *AND_ONE_MORE, ("b", 2, 2), ("c", 4, 2), ("c", 5, 2), ("c", 4, 3), ("b", 3, 2)]
    found = of_one_cluster(design_of(rows), names=False)
    assert set(found) == {Pair("c", "a"), Pair("c", "b")}


def test_what_one_cluster_takes_up_has_no_error() -> None:
    """That is why such pairs are left out: the only template's residuals add up to 0."""
    design = design_of([*A_TO_B, *APART])
    design = replace(design, k=np.random.default_rng(1).random(len(design.n)))
    fit = least_squares(Studies.of([design]))
    residual = fit.residual[0][design.name, design.template]
    moved = absorb(design).influence * residual[:, None]
    assert np.bincount(design.template, moved[:, 0]) == pytest.approx(np.zeros(3), abs=1e-15)
