"""The inverse square root of a diagonal matrix less one of low rank."""

from __future__ import annotations

import numpy as np
import pytest

from refusal_parity.statistics.variances.diagonal_less import times_inverse_root


def given(seed: int, decades: float, taken: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A diagonal over some powers of ten, a factor that takes a share of it, and columns."""
    random = np.random.default_rng(seed)
    rows, q = int(random.integers(8, 60)), int(random.integers(1, 6))
    diagonal = 10 ** (-decades * random.random(rows))
    factor = random.standard_normal((rows, q))
    size = np.linalg.eigvalsh(factor.T @ (factor / diagonal[:, None]))[-1]
    return diagonal, factor * np.sqrt(taken / size), random.standard_normal((rows, 3))


@pytest.mark.parametrize("taken", [0.01, 0.5, 0.95])
@pytest.mark.parametrize("decades", [0, 1, 3])
@pytest.mark.parametrize("seed", range(4))
def test_as_by_eigenvectors(seed: int, decades: float, taken: float) -> None:
    diagonal, factor, right = given(seed, decades, taken)
    values, vectors = np.linalg.eigh(np.diag(diagonal) - factor @ factor.T)
    expected = (vectors / np.sqrt(values)) @ (vectors.T @ right)
    found = times_inverse_root(diagonal, factor, right)
    assert found == pytest.approx(expected, rel=1e-10, abs=1e-11 * np.abs(expected).max())


@pytest.mark.parametrize("decades", [0, 4, 7])
def test_a_diagonal_alone_has_its_own_root(decades: float) -> None:
    diagonal, factor, right = given(1, decades, 0)
    found = times_inverse_root(diagonal, factor, right)
    assert found == pytest.approx(right / np.sqrt(diagonal)[:, None], rel=1e-12)


@pytest.mark.parametrize(("decades", "taken"), [(0, 1), (0, 1.1), (0, 0.9999), (12, 0.5)])
def test_singular_or_close_to_it(decades: float, taken: float) -> None:
    assert times_inverse_root(*given(2, decades, taken)) is None


def test_nothing_left_of_a_row() -> None:
    diagonal, factor, right = given(3, 1, 0.5)
    diagonal[0] = 0
    assert times_inverse_root(diagonal, factor, right) is None
