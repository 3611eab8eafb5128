"""The methods over many studies say what the methods for one study say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from refusal_parity.config import AnalysisConfig
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.bootstrap import Resamples
from refusal_parity.statistics.design import Design
from refusal_parity.statistics.grid import Grid
from refusal_parity.statistics.latent import Latent, simulate
from refusal_parity.statistics.methods import run_methods
from refusal_parity.statistics.randomisation import Draws
from refusal_parity.statistics.repeated.fits import reduced
from refusal_parity.statistics.repeated.methods import NOT_REPEATED, run_repeated
from refusal_parity.statistics.repeated.results import Repeated, Studies
from refusal_parity.vocabulary import Estimand, Method

ANALYSIS = AnalysisConfig(permutations=199, bootstraps=199, margin=0.2)
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


def single(studies: Studies, at: int) -> dict[tuple[str, str, str | None], Any]:
    name, template = np.nonzero(studies.grid.n)
    _, coded = np.unique(template, return_inverse=True)
    design = Design(
        studies.grid.levels,
        studies.grid.level[name],
        name,
        coded,
        studies.grid.n[name, template],
        studies.k[at][name, template],
    )
    rows = run_methods({Outcome.REFUSAL: design}, "group", ANALYSIS)[Outcome.REFUSAL]
    return {
        (row.method, row.estimand, row.group): row
        for row in rows
        if row.method not in NOT_REPEATED and row.reference in {None, design.levels[0]}
    }


def number(value: float | None) -> float:
    return np.nan if value is None else float(value)


@pytest.fixture(scope="module", params=CASES)
def both(request: pytest.FixtureRequest) -> tuple[list[Repeated], list[dict[Any, Any]]]:
    studies = CASES[request.param]
    many = run_repeated(
        studies,
        alpha=ANALYSIS.alpha,
        margin=ANALYSIS.margin,
        draws=Draws(ANALYSIS.permutations, ANALYSIS.seed),
        resamples=Resamples(ANALYSIS.bootstraps, ANALYSIS.seed),
    )
    return many, [single(studies, at) for at in range(STUDIES)]


def test_all_methods_are_there(both: tuple[list[Repeated], list[dict[Any, Any]]]) -> None:
    many, ones = both
    keys = {(row.method, row.estimand, group) for row in many for group in row.groups}
    assert keys == set(ones[0])


# Newton's method stops where steps are 1e-10, statsmodels' where parameters agree as closely.
TOLERANCE = 1e-7
QUANTITIES = ["p_value", "estimate", "low", "high", "std_error"]


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("method", Method)
def test_numbers_agree(
    both: tuple[list[Repeated], list[dict[Any, Any]]], method: Method, quantity: str
) -> None:
    many, ones = both
    column = {"low": "ci_low", "high": "ci_high"}.get(quantity, quantity)
    for row in many:
        values = getattr(row, quantity)
        if row.method is not method or values is None:
            continue
        # Only what is answered is used: by a p-value, or where there is none by an interval.
        answer, answer_column = (
            (row.low, "ci_low") if row.p_value is None else (row.p_value, "p_value")
        )
        assert answer is not None
        for at, group in enumerate(row.groups):
            of_group = [one[row.method, row.estimand, group] for one in ones]
            known = np.array([getattr(each, answer_column) is not None for each in of_group])
            assert (known == ~np.isnan(answer[:, at])).all(), f"{row.estimand} {group}"
            mine = values[known, at]
            if row.estimand is Estimand.ODDS_RATIO and quantity in {"estimate", "low", "high"}:
                mine = np.exp(mine)
            expected = np.array([number(getattr(each, column)) for each in of_group])[known]
            np.testing.assert_allclose(mine, expected, rtol=TOLERANCE, atol=1e-9)


def test_a_study_with_unknown_weights_leaves_the_others_alone() -> None:
    rng = np.random.default_rng(5)
    weights = rng.uniform(1, 2, (40, 7, 24))
    spoiled = weights.copy()
    spoiled[3, 2, 5] = np.nan
    alone, beside = reduced(weights).inverse, reduced(spoiled).inverse
    assert np.isnan(beside[3]).all()
    kept = np.delete(np.arange(40), 3)
    np.testing.assert_array_equal(beside[kept], alone[kept])
