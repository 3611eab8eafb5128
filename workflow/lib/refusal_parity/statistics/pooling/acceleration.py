"""Steps towards a place that a step does not move, taken faster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray

_REMEMBERED: Final = 4
"""Steps before the last one that the next is laid from."""
_DEPENDENT: Final = 1e-6
"""Share of the largest singular value below which steps tell the same: with less, the path would
hang on rounding."""
_PATIENCE: Final = 30
"""Steps after which no more is made of the earlier ones."""
_SHORT: Final = 0.3
"""Share of a step that is taken then: all that it would overshoot by is less."""


class Path:
    """The places that steps lead to, by Anderson's acceleration (Walker and Ni 2011).

    A step that would change everything at once overshoots or creeps by itself; from the last
    few steps follows where the next one would not move.
    """

    def __init__(self) -> None:
        """Nothing is remembered."""
        self._steps: list[tuple[FloatArray, FloatArray]] = []
        self._size = np.inf
        self._taken = 0

    def onward(self, given: FloatArray, told: FloatArray) -> FloatArray:
        """Where to go on from, when a step led from one place to another; arrays of one shape."""
        size, before = float(np.linalg.norm(told - given)), self._size
        self._size = size
        self._taken += 1
        if self._taken > _PATIENCE:
            return np.asarray(given + _SHORT * (told - given), dtype=np.float64)
        if size > before:
            # Led astray: half the step, and the earlier ones are forgotten.
            self._steps = []
            return np.asarray((given + told) / 2, dtype=np.float64)
        self._steps = [*self._steps[-_REMEMBERED:], (told.ravel(), (told - given).ravel())]
        *earlier, (place, residual) = self._steps
        if earlier:
            places = np.stack([place - each for each, _ in earlier], axis=1)
            residuals = np.stack([residual - each for _, each in earlier], axis=1)
            share = np.linalg.lstsq(residuals, residual, rcond=_DEPENDENT)[0]
            place = place - places @ share
        return place.reshape(given.shape)
