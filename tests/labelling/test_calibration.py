"""Probabilities that come true as often as they say, and bounds on what is familiar."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar

from refusal_parity.labelling.calibration import (
    Calibration,
    expected_error,
    fit_kinds,
    fit_temperature,
    part,
    temper,
)
from refusal_parity.labelling.familiar import Familiar
from refusal_parity.labelling.features import Said
from refusal_parity.labelling.folds import LABELS, OutOfFold

CLASSES = len(LABELS)


def held_out(labels: list[str], probabilities: np.ndarray) -> OutOfFold:
    nothing = np.zeros(len(labels))
    return OutOfFold(np.array(labels, dtype=object), Said(probabilities, nothing, nothing), folds=5)


def drawn(rows: int, seed: int = 1) -> tuple[list[str], np.ndarray]:
    """Labels that come true as often as their probabilities say."""
    random = np.random.default_rng(seed)
    honest = random.dirichlet([0.7] * CLASSES, size=rows)
    return [LABELS[random.choice(CLASSES, p=row)] for row in honest], honest


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_tempered_probabilities_are_powers(temperature: float) -> None:
    given = np.array([[0.7, 0.2, 0.1, 0, 0, 0, 0], [0.5, 0.5, 0, 0, 0, 0, 0]])
    powers = given ** (1 / temperature)
    expected = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(temper(given, temperature), expected, atol=1e-12)


@pytest.mark.parametrize("given", [0.5, 1.0, 2.0])
def test_the_temperature_is_that_of_the_least_log_loss(given: float) -> None:
    """Of probabilities that are too sure, right, or too doubtful."""
    labels, honest = drawn(3_000)
    probabilities = temper(honest, given)
    at = np.array([LABELS.index(label) for label in labels])

    def loss(temperature: float) -> float:
        powers = probabilities ** (1 / temperature)
        told = powers[np.arange(len(at)), at] / powers.sum(axis=1)
        return float(-np.log(told).sum())

    best = minimize_scalar(loss, bounds=(0.1, 9), method="bounded", options={"xatol": 1e-6}).x
    found = fit_temperature(held_out(labels, probabilities))
    assert found == pytest.approx(best, rel=1e-3)
    assert found == pytest.approx(1 / given, rel=0.1)


def test_rows_whose_class_was_unknown_say_nothing() -> None:
    labels, honest = drawn(400)
    probabilities = temper(honest, 0.5)
    more = np.zeros((60, CLASSES))
    more[:, 0] = 1
    mixed = np.concatenate([probabilities, more])
    # Of answers (the first) nothing else was learnt in these folds.
    told = [*labels, *(["refusal"] * 60)]
    alone = fit_temperature(held_out(labels, probabilities))
    assert fit_temperature(held_out(told, mixed)) == alone
    # Nor do rows without a held-out prediction.
    none = np.concatenate([probabilities, np.full((60, CLASSES), np.nan)])
    assert fit_temperature(held_out(told, none)) == alone


@pytest.mark.parametrize(("rows", "is_fitted"), [(30, True), (29, False)])
def test_few_rows_leave_the_model_as_it_is(rows: int, *, is_fitted: bool) -> None:
    labels, honest = drawn(rows)
    found = fit_temperature(held_out(labels, temper(honest, 0.3)))
    assert (found != 1.0) == is_fitted
    # Rows that say nothing do not make enough of them.
    labels, honest = drawn(29)
    unknown = np.eye(CLASSES)[np.zeros(9, dtype=int)]
    more = np.concatenate([temper(honest, 0.3), unknown])
    assert fit_temperature(held_out([*labels, *[LABELS[1]] * 9], more)) == 1.0


def test_a_temperature_has_bounds() -> None:
    """Where everything is right, or nothing, no number would be far enough."""
    sure = np.full((50, CLASSES), 0.1 / (CLASSES - 1))
    sure[:, 0] = 0.9
    assert fit_temperature(held_out([LABELS[0]] * 50, sure)) == pytest.approx(0.2, rel=0.01)
    assert fit_temperature(held_out([LABELS[1]] * 50, sure)) == pytest.approx(5, rel=0.01)


KINDS = [LABELS.index(kind) for kind in ("refusal", "partial_refusal", "harmful_refusal")]


def test_refusals_are_parted_anew_and_stay_as_probable_together() -> None:
    """The second row has no refusal, the third one kind alone."""
    given = np.zeros((3, CLASSES))
    given[:, 0] = 0.4, 1.0, 0.7
    given[0, KINDS] = 0.36, 0.12, 0.12
    given[2, KINDS[0]] = 0.3
    parted = part(given, 0.5, [0.0, np.log(2), 0.0])
    # Shares of 0.6, 0.2 and 0.2, squared, the second twice: 0.36, 0.08 and 0.04.
    expected = given.copy()
    expected[0, KINDS] = 0.6 * np.array([0.36, 0.08, 0.04]) / 0.48
    np.testing.assert_allclose(parted, expected, atol=1e-12)
    np.testing.assert_allclose(part(given, 1.0, [0.0] * 3), given, atol=1e-15)


def shifted(given: np.ndarray, temperature: float, shifts: list[float]) -> np.ndarray:
    """What `part` undoes: shares of the kinds that are too near each other, and off."""
    twisted = given.copy()
    kinds = (given[:, KINDS] * np.exp(-np.array(shifts))) ** temperature
    whole = given[:, KINDS].sum(axis=1, keepdims=True)
    twisted[:, KINDS] = whole * kinds / kinds.sum(axis=1, keepdims=True)
    return twisted


def test_kinds_have_temperature_and_shifts_of_the_least_log_loss() -> None:
    labels, honest = drawn(6_000)
    twisted = shifted(honest, 0.7, [0.0, 1.0, -0.5])
    refuses = np.isin(labels, [LABELS[at] for at in KINDS])
    at = np.array([KINDS.index(LABELS.index(label)) for label in np.array(labels)[refuses]])
    logits = np.log(twisted[refuses][:, KINDS])

    def loss(values: np.ndarray) -> float:
        told = values[0] * logits + np.array([0.0, values[1], values[2]])
        told -= np.log(np.exp(told).sum(axis=1, keepdims=True))
        return float(-told[np.arange(len(at)), at].sum())

    best = minimize(loss, [1.0, 0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-6}).x
    temperature, shifts = fit_kinds(held_out(labels, twisted), 1.0)
    assert (1 / temperature, *shifts) == pytest.approx((best[0], 0.0, *best[1:]), abs=1e-3)
    assert (temperature, *shifts) == pytest.approx((0.7, 0.0, 1.0, -0.5), abs=0.12)
    # They are fitted to what the temperature of all classes leaves.
    halved, same = fit_kinds(held_out(labels, temper(twisted, 0.5)), 2.0)
    assert (halved, *same) == pytest.approx((temperature, *shifts), abs=1e-4)
    calibration = Calibration.of(held_out(labels, twisted))
    plain = Calibration(fit_temperature(held_out(labels, twisted)))
    fitted = fit_kinds(held_out(labels, twisted), plain.temperature)
    assert calibration == Calibration(plain.temperature, *fitted)
    for calibrated in (calibration, plain):
        together = calibrated.apply(twisted)[:, KINDS].sum(axis=1)
        np.testing.assert_allclose(together, plain.apply(twisted)[:, KINDS].sum(axis=1))


@pytest.mark.parametrize(
    ("rows", "free"),
    [
        ((30, 30, 30), (True, True)),
        ((30, 30, 29), (True, False)),
        ((30, 29, 29), None),
        ((29, 90, 90), None),
    ],
)
def test_kinds_that_hardly_occur_are_left_as_they_are(
    rows: tuple[int, ...], free: tuple[bool, bool] | None
) -> None:
    labels = [LABELS[at] for at, number in zip(KINDS, rows, strict=True) for _ in range(number)]
    probabilities = np.full((len(labels) + 60, CLASSES), 0.02)
    probabilities[:, KINDS] = 0.6, 0.2, 0.12
    # Answers say nothing of refusals.
    temperature, shifts = fit_kinds(held_out([*labels, *["answer"] * 60], probabilities), 1.0)
    if free is None:
        assert (temperature, shifts) == (1.0, (0.0, 0.0, 0.0))
    else:
        assert tuple(shift != 0 for shift in shifts) == (False, *free)


def test_calibration_error_by_hand() -> None:
    """Three bins: 0.35 twice, which came true once, 0.8, which did, and 1, which did not.

    Each counts by its rows.
    """
    truth, probability = np.array([1, 0, 1, 0]), np.array([0.35, 0.35, 0.8, 1.0])
    assert expected_error(truth, probability) == pytest.approx((2 * 0.15 + 0.2 + 1.0) / 4)
    # 0.35 and 0.45 lie in bins of their own, whose errors do not cancel.
    apart = expected_error(np.array([1, 0]), np.array([0.35, 0.45]))
    assert apart == pytest.approx((0.65 + 0.45) / 2)
    together = expected_error(np.array([1, 0]), np.array([0.35, 0.39]))
    assert together == pytest.approx((0.65 - 0.39) / 2)
    # What is certain lies in the last bin with what is nearly so.
    last = expected_error(np.array([1, 0]), np.array([0.95, 1.0]))
    assert last == pytest.approx((1 - 0.05) / 2)
    weighed = expected_error(truth, probability, np.array([3.0, 1.0, 2.0, 0.5]))
    assert weighed == pytest.approx((3 * 0.65 - 0.35 + 2 * 0.2 + 0.5) / 6.5)
    assert expected_error(np.array([]), np.array([])) == 0


def of_texts(unseen: np.ndarray, distance: np.ndarray, *, predicted: bool = True) -> OutOfFold:
    share = 1 / CLASSES if predicted else np.nan
    said = Said(np.full((len(unseen), CLASSES), share), unseen, distance)
    return OutOfFold(np.array(["answer"] * len(unseen), dtype=object), said, folds=5)


def test_bounds_are_what_one_in_a_hundred_held_out_rows_exceeds() -> None:
    random = np.random.default_rng(2)
    unseen, distance = random.random(1_000) / 2, random.random(1_000)
    bounds = Familiar.of(of_texts(unseen, distance))
    assert (unseen > bounds.unseen).sum() == (distance > bounds.distance).sum() == 10
    exceeded = bounds.is_exceeded(Said(np.zeros((3, CLASSES)), *_beyond(bounds)))
    assert exceeded.tolist() == [False, True, True]


def _beyond(bounds: Familiar) -> tuple[np.ndarray, np.ndarray]:
    """At both bounds, and beyond the one or the other."""
    unseen, distance = (np.full(3, each) for each in (bounds.unseen, bounds.distance))
    unseen[1] += 0.01
    distance[2] += 0.01
    return unseen, distance


def test_rows_without_a_prediction_and_few_rows_bound_nothing() -> None:
    unseen = np.linspace(0, 0.5, 200)
    known = of_texts(unseen, unseen)
    none = np.isin(np.arange(200), np.arange(100, 200))
    probabilities = known.probabilities.copy()
    probabilities[none] = np.nan
    mixed = replace(known, said=replace(known.said, probabilities=probabilities))
    assert Familiar.of(mixed) == Familiar.of(of_texts(unseen[:100], unseen[:100]))
    for rows, bounds in ((29, 1.0), (30, pytest.approx(0.5 * 0.99, abs=1e-5))):
        some = np.linspace(0, 0.5, rows)
        found = Familiar.of(of_texts(some, some))
        assert (found.unseen, found.distance) == (bounds, bounds)
