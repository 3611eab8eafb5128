"""The correction by human labels in simulations: what it removes, and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from programs import program_of

from refusal_parity.statistics.correction import Audited, correct, correct_around

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture(scope="module")
def program() -> ModuleType:
    """The program that measures coverage."""
    return program_of("corrected_coverage")


@pytest.mark.parametrize("population", ["demo", "differential"])
def test_coverage_and_width(program: ModuleType, population: str) -> None:
    # 40 studies of 6 differences: a coverage of 95 % stays above 88 % with room for three
    # standard errors of studies whose six differences share a reference. 2,000 studies:
    # benchmarks/corrected_coverage.py.
    found = program.simulate(program.POPULATIONS[population], 40, seed=2)
    for audit in ("corrected, by machine label", "corrected, by group"):
        assert found[audit].held >= 0.88
        assert found[audit].width < found["human alone, by group"].width
        assert found[audit].none < 0.01
    if population == "differential":
        assert found["machine alone"].held < 0.8


def audited(seed: int, rows: int = 4000) -> tuple[Audited, np.ndarray]:
    """Two levels alike; the machine raises false alarms for the second."""
    random = np.random.default_rng(seed)
    level = np.repeat([0, 1], rows // 2)
    truth = (random.random(rows) < 0.2).astype(float)
    alarm = random.random(rows) < np.where(level == 1, 0.2, 0.0)
    machine = np.where(truth > 0, 1.0, alarm)
    weight = np.zeros(rows)
    drawn = random.choice(rows, 400, replace=False)
    weight[drawn] = rows / 400
    return Audited(level, machine, truth, weight), truth


def test_correction_has_no_bias_where_the_machine_has() -> None:
    errors = []
    for seed in range(60):
        given, truth = audited(seed)
        true = np.bincount(given.level, truth) / np.bincount(given.level)
        machine = np.bincount(given.level, given.machine) / np.bincount(given.level)
        assert machine[1] - machine[0] > 0.1
        errors.append(correct(given).rate - true)
    # The standard error of a rate by 200 labels is below 0.03: of a mean of 60, 0.004.
    assert np.abs(np.mean(errors, axis=0)).max() < 0.012


def test_everything_labelled_is_the_truth() -> None:
    given, truth = audited(1)
    whole = correct(given._replace(weight=np.ones_like(truth)))
    assert whole.rate == pytest.approx(np.bincount(given.level, truth) / np.bincount(given.level))
    assert whole.extra == pytest.approx(np.zeros(2))


def test_a_useless_machine_leaves_the_human_labels() -> None:
    given, truth = audited(1)
    noise = (np.random.default_rng(9).random(len(truth)) < 0.5).astype(float)
    found = correct(given._replace(machine=noise))
    drawn = given.weight > 0
    human = np.bincount(given.level[drawn], truth[drawn]) / np.bincount(given.level[drawn])
    assert found.slope.max() < 0.2
    assert found.rate == pytest.approx(human, abs=0.02)


def test_known_readings_have_no_error_of_correction() -> None:
    # By hand: two levels of 2,000 rows, of which 500 of the first are refused by the service.
    given, truth = audited(1)
    known = np.arange(len(truth)) < 500
    weight, machine = np.where(known, 0, given.weight), np.where(known, 1.0, given.machine)
    found = correct_around(given._replace(machine=machine, weight=weight), known)
    open_, first = ~known, given.level == 0
    f, y, w = (each[open_ & first] for each in (machine, truth, weight))
    drawn = w > 0
    share, inverse = w[drawn] / w[drawn].sum(), w[drawn] * (w[drawn] - 1)
    slope = np.polynomial.polynomial.polyfit(f[drawn], y[drawn], 1, w=np.sqrt(inverse))[1]
    slope = min(max(slope, 0), 1)
    rate = slope * f.mean() + (share * (y[drawn] - slope * f[drawn])).sum()
    assert found.rate[0] == pytest.approx((500 + 1500 * rate) / 2000, abs=1e-12)
    assert (found.pseudo[known] == 1).all()
    # The other level, and the error of the rest, are as if the known rows were not there.
    alone = correct(given._replace(weight=weight).of(open_))
    assert found.rate[1] == pytest.approx(alone.rate[1], abs=1e-12)
    assert found.extra == pytest.approx(alone.extra * [0.75**2, 1], rel=1e-12)


def test_known_refusals_leave_the_correction_unbiased() -> None:
    # The machine misses half of the refusals; a fifth of the second level is filtered.
    random = np.random.default_rng(4)
    rows, errors = 3000, []
    level = np.repeat([0, 1], rows // 2)
    known = (level == 1) & (np.arange(rows) % 5 == 0)
    truth = np.where(known, 1.0, random.random(rows) < 0.3)
    machine = np.where(known, 1.0, truth * (random.random(rows) < 0.5))
    for _ in range(200):
        weight = np.zeros(rows)
        open_ = np.flatnonzero(~known)
        weight[random.choice(open_, 300, replace=False)] = len(open_) / 300
        errors.append(correct_around(Audited(level, machine, truth, weight), known).rate)
    true = np.bincount(level, truth) / np.bincount(level)
    assert np.bincount(level, machine)[1] / (rows / 2) < true[1] - 0.1
    # A rate's own standard error is about 0.03, that of the mean of 200 about 0.002.
    assert np.abs(np.mean(errors, axis=0) - true).max() < 0.007


def test_rows_known_alone_are_their_own_rate() -> None:
    given, _ = audited(1)
    ones = np.ones(len(given.level))
    found = correct_around(given._replace(machine=ones, weight=0 * ones), ones > 0)
    assert (found.rate == 1).all()
    assert (found.extra == 0).all()


@pytest.mark.parametrize("wrong", [1.0, 0.2])
def test_errors_that_go_with_what_rows_are_worth_are_not_smoothed_away(wrong: float) -> None:
    """The machine errs where rows are worth `wrong` alone: the variance is what it is."""
    rows, read = 2_000, 400
    level = np.repeat([0, 1], rows // 2)
    worth = np.tile([1.0, 0.2], rows // 2)
    random = np.random.default_rng(11)
    truth = 1.0 - (random.random(rows) < 0.2) * (worth == wrong)
    rates, variances = [], []
    for _ in range(300):
        weight = np.zeros(rows)
        for code in (0, 1):
            drawn = random.choice(np.flatnonzero(level == code), read // 2, replace=False)
            weight[drawn] = rows / read
        found = correct(Audited(level, np.ones(rows), truth, weight, worth))
        rates.append(found.rate[0])
        error = (found.pseudo - np.average(truth, weights=worth))[(weight > 0) & (level == 0)]
        own = worth[(weight > 0) & (level == 0)]
        # Of the pseudo-outcomes, what sampling adds, and what smoothing changes in it.
        seen = (own**2 * error**2).sum() * (1 - read / rows) / worth[level == 0].sum() ** 2
        variances.append(seen + found.extra[0])
    assert 0.75 < np.mean(variances) / np.var(rates) < 1.35
