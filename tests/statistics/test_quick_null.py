"""The compiled simulation of benchmarks: that its numbers and verdicts are the package's."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from programs import program_of
from scipy.stats import ks_2samp

from refusal_parity.statistics.distributions import t_isf
from refusal_parity.statistics.fits.least_squares import least_squares
from refusal_parity.statistics.methods.calibrated import ends_around
from refusal_parity.statistics.proportions import TwoRates
from refusal_parity.statistics.simulation.calibration import Null, null_distances
from refusal_parity.statistics.variances.effective import effective

if TYPE_CHECKING:
    from types import ModuleType

    from refusal_parity.statistics.designs.studies import Studies

pytest.importorskip("numba", reason="compiled loops come with the inference environment")


@pytest.fixture(scope="module")
def quick() -> ModuleType:
    return program_of("quick_null")


@pytest.fixture(scope="module")
def measuring(quick: ModuleType) -> ModuleType:
    """What its distances are measured by."""
    return sys.modules[quick.distances.__module__]


def studies_of(count: int, **values: Any) -> Studies:
    scenarios = program_of("scenarios")
    scenario = scenarios.Scenario(**{"design": "20x24", "pattern": "MILD", "rate": 0.1} | values)
    drawn: Studies = scenarios.draw(scenario, count, np.random.default_rng(11))
    return drawn


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"missing": 0.3, "rate": 0.4},
        {"rate": 0.004, "pattern": "LOW", "samples": 1},
        {"design": "6x12", "rate": 0.97, "pattern": "STRONG"},
        {"easy": True, "more": (0.3, 0.0)},
    ],
    ids=["complete", "missing", "rare", "small", "templates lost"],
)
def test_distances_are_those_of_the_package(measuring: ModuleType, values: dict[str, Any]) -> None:
    studies = studies_of(40, **values)
    expected = effective(least_squares(studies)).rates.distance()
    design = measuring.design_of(studies)
    found = np.array([measuring.distances(k, design) for k in studies.k])
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert (expected > 0).any()


def test_studies_without_a_difference_are_drawn_as_by_the_package(
    quick: ModuleType, measuring: ModuleType
) -> None:
    studies = studies_of(1, missing=0.2, rate=0.3)
    random = np.random.default_rng(3)
    null = quick.QuickNull(studies, 0, measuring.design_of(studies), random)
    found = null.distances(1500)
    expected = null_distances(studies, 0, 1500, random)
    assert expected is not None
    for ours, theirs in zip(found.T, expected.distances.T, strict=True):
        assert ks_2samp(ours, theirs).pvalue > 1e-3
    assert ks_2samp(found.max(axis=1), expected.distances.max(axis=1)).pvalue > 1e-3


@pytest.mark.parametrize("truth", [(0.0, 0.0), (0.25, 0.02)], ids=["none", "some"])
def test_verdicts_are_those_of_all_simulated_studies(
    monkeypatch: pytest.MonkeyPatch, truth: tuple[float, float]
) -> None:
    verdicts = program_of("verdicts")
    studies = studies_of(12, rate=0.2, more=truth, missing=0.2)
    true = np.array(truth)
    found = effective(least_squares(studies))
    drawn = {}
    for at in range(len(studies)):
        null = null_distances(studies, at, 399, np.random.default_rng(at))
        assert null is not None
        drawn[at] = null

    class Known:
        """Gives what was drawn, a few at a time."""

        known = True

        def __init__(self, _studies: Studies, at: int, *_: Any) -> None:
            self.left = drawn[at].distances

        def distances(self, count: int) -> np.ndarray:
            given, self.left = self.left[:count], self.left[count:]
            return given

    monkeypatch.setattr(sys.modules["benchmarks_verdicts"], "QuickNull", Known)
    given = verdicts.by_simulation(studies, found, true, np.random.default_rng(1))
    for at, together in enumerate((False, True)):
        rejected, held = given[at], given[2 + at]
        for study, null in drawn.items():
            rates = TwoRates(*(each[study] for each in found.rates))
            tested = Null(null.distances)
            p_value = tested.exceeded(rates.distance(), together=together)
            assert (rejected[study] == (p_value < 0.05)).all()
            critical = np.broadcast_to(tested.critical(0.05, together=together), true.shape)
            by_t = t_isf(0.05 / (2 * (len(true) if together else 1)), found.df[study])
            ends = ends_around(rates, critical, np.asarray(by_t), p_value < 0.05)
            assert (held[study] == ((ends.low <= true) & (true <= ends.high))).all()
