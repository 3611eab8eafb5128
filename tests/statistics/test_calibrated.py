"""The headline: what it is held against, and that test and interval say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from programs import program_of
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm

from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.fits.least_squares import least_squares
from refusal_parity.statistics.methods.calibrated import NAMES, TEMPLATES, calibrated
from refusal_parity.statistics.methods.wilson_two_way import wilson_two_way
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws
from refusal_parity.statistics.simulation.calibration import Null
from refusal_parity.statistics.variances.effective import effective

if TYPE_CHECKING:
    from types import ModuleType

SETTING = Setting(0.05, 0.05, Draws(1, 7), Resamples(1, 7), deciding=True)


@pytest.fixture(scope="module")
def program() -> ModuleType:
    """The program that measures size, power and coverage."""
    return program_of("headline")


def some(program: ModuleType, count: int = 4, **values: Any) -> Studies:
    scenario = program.Scenario("20x24", "MODERN", 0.1, (0.1, 0.0), **values)
    drawn = program.draw(scenario, count, np.random.default_rng(5))
    return Studies(drawn.grid, drawn.k, every_pair=True)


def test_p_values_and_critical_distances_agree() -> None:
    null = Null(np.random.default_rng(1).gamma(2, size=(399, 3)))
    for together in (False, True):
        critical = np.broadcast_to(null.critical(0.05, together=together), 3)
        assert (null.exceeded(critical, together=together) >= 0.05).all()
        assert (null.exceeded(critical * 1.0001, together=together) < 0.05).all()
    seen = null.distances.max(axis=1)
    assert null.exceeded(np.array([2.0]), together=True) == (1 + (seen >= 2).sum()) / 400


def test_too_few_simulated_studies_reject_nothing() -> None:
    null = Null(np.ones((9, 2)))
    assert np.isinf(null.critical(0.05, together=False)).all()
    assert (null.exceeded(np.array([9.0, 9.0]), together=False) >= 0.05).all()


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_an_interval_leaves_0_out_exactly_where_the_test_rejects(
    program: ModuleType, missing: float
) -> None:
    (found,) = calibrated(some(program, 8, missing=missing), SETTING)
    for p, low, high in (
        ("p_value", "ci_low", "ci_high"),
        ("p_family", "family_low", "family_high"),
    ):
        outside = (found.values(low) > 0) | (found.values(high) < 0)
        rejects = found.values(p) < 0.05
        assert (outside == rejects).all()
        assert rejects.any()
        assert not rejects.all()
        assert (found.values(low) < found.values("estimate")).all()
        assert (found.values("estimate") < found.values(high)).all()
    assert (found.values("p_family") >= found.values("p_value")).all()


def test_the_difference_is_that_of_the_linear_model(program: ModuleType) -> None:
    studies = some(program, missing=0.3)
    (found,) = calibrated(studies, SETTING)
    fit = least_squares(studies)
    assert found.values("estimate")[:, :2] == pytest.approx(fit.coefficients, abs=1e-12)


def test_other_studies_change_no_number(program: ModuleType) -> None:
    studies = some(program, 3)
    (found,) = calibrated(studies, SETTING)
    (again,) = calibrated(Studies(studies.grid, studies.k[1:2], every_pair=True), SETTING)
    for column in ("p_value", "p_family", "family_low", "family_high"):
        assert again.values(column)[0] == pytest.approx(found.values(column)[1], rel=1e-12)


@pytest.mark.parametrize(("names", "templates"), [(NAMES - 3, TEMPLATES), (NAMES, TEMPLATES - 1)])
def test_small_studies_have_no_calibration_and_say_why(
    program: ModuleType, names: int, templates: int
) -> None:
    studies = some(program, 1)
    rows = np.arange(NAMES) < names
    grid = Grid(studies.grid.levels, studies.grid.level[rows], studies.grid.n[rows][:, :templates])
    small = Studies(grid, studies.k[:, rows][..., :templates], every_pair=True)
    (found,) = calibrated(small, SETTING)
    rows_of = found.of_study(0)
    assert all(row.p_value is None for row in rows_of)
    assert f"{names} names and {templates} templates tell too little" in str(rows_of[0].note)
    (by_t,) = wilson_two_way(small, SETTING)
    assert not np.isnan(by_t.values("p_value")).any()


def test_no_variation_at_all_counts_names_and_not_responses() -> None:
    level = np.repeat([0, 1], 6)
    k = np.where(level == 1, 3.0, 0.0)[None, :, None] * np.ones((1, 1, 9))
    grid = Grid(("a", "b"), level, np.full((12, 9), 3.0))
    found = effective(least_squares(Studies(grid, k)))
    assert found.rates.difference == pytest.approx(1)
    assert (found.rates.n == 6).all()
    assert (found.rates.n_reference == 6).all()


@pytest.mark.simulation
@pytest.mark.parametrize(
    ("scenario", "shown", "covered"),
    [
        ({"rate": 0.05, "pattern": "MODERN"}, (0.0, 0.11), 0.91),
        ({"rate": 0.3, "pattern": "MILD", "names": (1.0, 1.0, 8.0)}, (0.0, 0.12), 0.89),
        ({"rate": 0.01, "pattern": "LOW", "more": (0.12, 0.0)}, (0.75, 1.0), 0.91),
        ({"rate": 0.3, "pattern": "MILD", "design": "6x12"}, (0.0, 0.09), 0.91),
    ],
    ids=["no difference", "names vary unequally", "a rare outcome", "a small design"],
)
def test_size_power_and_coverage(
    program: ModuleType, scenario: dict[str, Any], shown: tuple[float, float], covered: float
) -> None:
    # What `make bench-headline` shows, with room for three standard errors of 100 studies.
    seen = program.run(program.Scenario(**{"design": "20x24"} | scenario), 100)
    low, high = shown
    assert low <= np.concatenate(seen.shown).any(axis=1).mean() <= high
    assert np.concatenate(seen.covered).mean() >= covered
    assert np.concatenate(seen.together).mean() >= covered - 0.03


@pytest.mark.parametrize(("pairs", "alpha"), [(6, 0.05), (2, 0.01)])
def test_the_largest_distance_is_that_of_several_comparisons_with_one_reference(
    pairs: int, alpha: float
) -> None:
    """Against the multivariate normal distribution, as Dunnett's test has it: correlations 1/2."""
    random = np.random.default_rng(8)
    drawn = random.standard_normal((200_000, pairs + 1))
    null = Null(np.abs(drawn[:, 1:] - drawn[:, :1]) / np.sqrt(2))
    law = multivariate_normal(cov=(np.eye(pairs) + 1) / 2, seed=3)

    def within(distance: float) -> float:
        ends = np.full(pairs, distance)
        return float(law.cdf(ends, lower_limit=-ends))

    critical = brentq(lambda distance: within(distance) - (1 - alpha), 1, 6, xtol=1e-4)
    assert null.critical(alpha, together=True)[0] == pytest.approx(critical, abs=0.02)
    distance = np.linspace(1.5, 3.5, pairs)
    expected = [1 - within(each) for each in distance]
    assert null.exceeded(distance, together=True) == pytest.approx(expected, abs=0.004)
    alone = 2 * norm.sf(distance)
    assert null.exceeded(distance, together=False) == pytest.approx(alone, abs=0.002)
