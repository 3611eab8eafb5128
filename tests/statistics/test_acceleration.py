"""Steps towards a place that a step does not move, taken faster."""

from __future__ import annotations

import numpy as np
import pytest

from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.pooling import crossed_probit
from refusal_parity.statistics.pooling.acceleration import Path
from refusal_parity.statistics.pooling.crossed_probit import Variances, know


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
    # Now by a third of that, which is good: from 1 it moved by 3 and from 2.5 by 1, and would by
    # nothing from 3.25. Three quarters of a step would be taken if anything were left of it.
    assert path.onward(np.array([2.5]), np.array([3.5])) == pytest.approx([3.25])
    # By more than before, again and again: three eighths, and then a quarter.
    assert path.onward(np.array([0.0]), np.array([8.0])).tolist() == [3.0]
    for more in (16.0, 32.0):
        assert path.onward(np.array([0.0]), np.array([more])).tolist() == [more / 4]


def test_effects_that_whole_steps_lead_astray_are_found_in_few() -> None:
    """Where names are alike and templates are not, whole steps went to and fro 60 times."""
    random = np.random.default_rng(5)
    variances = (0.3, 10.0, 0.02, 0.02)
    total = 1 + sum(variances)
    name, template, _, cell = np.sqrt(variances)
    score = -2 * np.sqrt(total) + name * random.normal(size=(24, 1))
    score = score + template * random.normal(size=(1, 24)) + cell * random.normal(size=(24, 24))
    k = (score[..., None] + random.normal(size=(24, 24, 3)) > 0).sum(axis=2).astype(float)
    grid = Grid(tuple("abcd"), np.repeat(np.arange(4), 6), np.full((24, 24), 3.0))
    steps = []

    class Counted(Path):
        def onward(self, given: np.ndarray, told: np.ndarray) -> np.ndarray:
            steps.append(told)
            return super().onward(given, told)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(crossed_probit, "Path", Counted)
        know(grid, k, Variances(-2 * np.sqrt(total), total, *variances))
    assert 5 < len(steps) < 30


def test_what_does_not_end_in_thirty_steps_goes_on_by_short_ones() -> None:
    path = Path()
    for at in range(30):
        size = 0.9**at
        turned = np.array([np.cos(at), np.sin(at)]) * size
        path.onward(np.zeros(2), turned)
    given, told = np.array([1.0, 2.0]), np.array([2.0, 0.0])
    assert path.onward(given, told) == pytest.approx([1.25, 1.5])
    # Whatever their size is.
    assert path.onward(given, 100 * told) == pytest.approx([1 + 0.25 * 199, 1.5])
