"""A study alone has the numbers that it has among many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from one_study import SETTING

from refusal_parity.statistics.answers import NUMBERS
from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.reduced import reduced
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.methods import METHODS
from refusal_parity.statistics.simulation.drawing import simulate
from refusal_parity.statistics.simulation.latent import Latent

if TYPE_CHECKING:
    from refusal_parity.statistics.results import Estimate

RUN = [method for method in METHODS.values() if method.run is not None]

STUDIES = 12


def make_studies(
    sizes: list[int], templates: int, *, missing: float, rate: float, seed: int
) -> Studies:
    random = np.random.default_rng(seed)
    level = np.repeat(np.arange(len(sizes)), sizes)
    n = np.where(random.random((len(level), templates)) < missing, 0, 3.0)
    n -= (n > 0) * (random.random(n.shape) < missing)
    grid = Grid(tuple("xyzuvw"[: len(sizes)]), level, n)
    even = np.full(len(sizes), 0.3)
    latent = Latent(np.zeros(len(sizes)), even, 0.4, 0.05, 0.1, 0.3).with_rates(
        np.full(len(sizes), rate)
    )
    return Studies(grid, simulate(grid, latent, STUDIES, random).k)


CASES = {
    "complete": make_studies([4, 5, 4], 6, missing=0, rate=0.3, seed=1),
    "missing rows": make_studies([4, 3, 5], 6, missing=0.15, rate=0.3, seed=2),
    "rare": make_studies([3, 3, 3], 4, missing=0.05, rate=0.04, seed=3),
    "often": make_studies([3, 4], 4, missing=0, rate=0.93, seed=4),
    "one name": make_studies([4, 1, 4], 5, missing=0, rate=0.3, seed=5),
    "one name in the reference": make_studies([1, 4], 5, missing=0, rate=0.3, seed=6),
    "one template": make_studies([4, 4], 1, missing=0, rate=0.5, seed=7),
    "released": make_studies([8, 8, 8, 4, 4], 24, missing=0, rate=0.2, seed=8),
}


def test_every_case_has_studies_that_differ() -> None:
    assert all(len(np.unique(each.k, axis=0)) > 1 for each in CASES.values())


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([[0, 0], [0, 0]], False),
        ([[2, 2], [2, 2]], False),
        ([[1, 0], [0, 0]], True),
        # Changes of rates: they add up to 0, or to the number of responses, and yet differ.
        ([[1, -1], [0.5, -0.5]], True),
        ([[3, 1], [2, 2]], True),
    ],
)
def test_an_outcome_varies_by_cells_and_not_by_sums(cells: object, *, expected: bool) -> None:
    grid = Grid(("x", "y"), np.arange(2), np.full((2, 2), 2.0))
    assert Studies(grid, np.array([cells], dtype=float)).varies.tolist() == [expected]


def test_levels_of_one_mean_differ_by_nothing() -> None:
    grid = Grid(("x", "y"), np.arange(2), np.ones((2, 1)))
    means = np.array([0.1 + 0.2, 0.3])
    assert means[0] != means[1]
    assert Studies(grid, np.zeros((1, 2, 1))).differences(means).tolist() == [0]


def rows(studies: Studies, method: str, at: int, *, deciding: bool = False) -> list[Estimate]:
    run = METHODS[method].run
    assert run is not None
    answers = run(studies, SETTING._replace(deciding=deciding))
    return [row for each in answers for row in each.of_study(at)]


def same(one: Estimate, other: Estimate) -> None:
    assert (one.method, one.estimand, one.pair) == (other.method, other.estimand, other.pair)
    assert one.note == other.note
    for column in NUMBERS:
        number, among = getattr(one, column), getattr(other, column)
        assert (number is None) == (among is None), column
        if number is not None:
            assert number == pytest.approx(among, rel=1e-9, abs=1e-12), column


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("method", RUN)
def test_a_study_alone_is_as_among_others(case: str, method: str) -> None:
    many = CASES[case]
    for at in range(0, STUDIES, 3):
        alone = Studies(many.grid, many.k[[at]])
        mine, others = rows(alone, method, 0), rows(many, method, at)
        assert len(mine) == len(others)
        for one, other in zip(mine, others, strict=True):
            same(one, other)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("method", RUN)
def test_every_pair_has_the_numbers_of_those_with_the_reference(case: str, method: str) -> None:
    few = CASES[case]
    every = Studies(few.grid, few.k, every_pair=True)
    assert len(every.pairs) == len(few.grid.levels) * (len(few.grid.levels) - 1) / 2
    wanted = {row.pair: row for row in rows(few, method, 1)}
    found = {row.pair: row for row in rows(every, method, 1)}
    for pair, row in wanted.items():
        same(found[pair], row)


@pytest.mark.parametrize("sizes", [[4, 5, 4], [9, 9]])
def test_a_decision_needs_no_exact_p_value_far_from_alpha(sizes: list[int]) -> None:
    studies = make_studies(sizes, 6, missing=0, rate=0.3, seed=11)
    method = "permutation_names_exact"
    for at in range(STUDIES):
        pairs = zip(
            rows(studies, method, at), rows(studies, method, at, deciding=True), strict=True
        )
        for exact, decided in pairs:
            assert exact.p_value is not None
            assert decided.p_value is not None
            assert (exact.p_value <= 0.05) == (decided.p_value <= 0.05)
            if max(sizes) < 9:
                assert exact.p_value == decided.p_value


def test_a_study_with_unknown_weights_leaves_the_others_alone() -> None:
    rng = np.random.default_rng(5)
    weights = rng.uniform(1, 2, (40, 7, 24))
    spoiled = weights.copy()
    spoiled[3, 2, 5] = np.nan
    alone, beside = reduced(weights).inverse, reduced(spoiled).inverse
    assert np.isnan(beside[3]).all()
    kept = np.delete(np.arange(40), 3)
    np.testing.assert_array_equal(beside[kept], alone[kept])
