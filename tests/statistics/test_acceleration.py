"""Steps towards a place that a step does not move, taken faster."""

from __future__ import annotations

import numpy as np
import pytest

from refusal_parity.statistics.pooling.acceleration import Path


def linear(size: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """A step x -> A x + b that shrinks distances slowly, and the place that it does not move."""
    random = np.random.default_rng(seed)
    turned = np.linalg.qr(random.normal(size=(size, size)))[0]
    step = turned @ np.diag(np.linspace(0.5, 0.9, size)) @ turned.T
    return step, random.normal(size=size)


@pytest.mark.parametrize("size", [1, 2, 4])
def test_a_linear_step_ends_once_as_many_are_known_as_there_are_numbers(size: int) -> None:
    """Of n numbers n + 1 steps say where it ends; up to five are remembered."""
    step, end = linear(size)
    path, place = Path(), np.zeros((size, 1))
    for _ in range(size + 1):
        assert np.abs(place[:, 0] - end).max() > 1e-3
        place = path.onward(place, step @ (place - end[:, None]) + end[:, None])
    assert place.shape == (size, 1)
    assert place[:, 0] == pytest.approx(end, abs=1e-9)


def test_the_first_step_is_taken_whole_and_one_that_leads_astray_by_half() -> None:
    path = Path()
    assert path.onward(np.array([0.0]), np.array([1.0])).tolist() == [1.0]
    # The next would move it by more than the one before: half of it, and all else is forgotten.
    assert path.onward(np.array([1.0]), np.array([4.0])).tolist() == [2.5]
    assert path.onward(np.array([2.5]), np.array([3.5])).tolist() == [3.5]
    # Two steps that shrink: 3.5 + 1/2, from which 1 + 1/2 + 1/4 + ... leads to 4.5.
    assert path.onward(np.array([3.5]), np.array([4.0])) == pytest.approx([4.5])


def test_what_does_not_end_in_thirty_steps_goes_on_by_short_ones() -> None:
    path = Path()
    for at in range(30):
        size = 0.9**at
        turned = np.array([np.cos(at), np.sin(at)]) * size
        path.onward(np.zeros(2), turned)
    given, told = np.array([1.0, 2.0]), np.array([2.0, 0.0])
    assert path.onward(given, told) == pytest.approx([1.3, 1.4])
    # Whatever their size is.
    assert path.onward(given, 100 * told) == pytest.approx([1 + 0.3 * 199, 1.4])
