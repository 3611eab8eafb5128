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
_SHORTEST: Final = 0.25
"""Share of a step that is taken at least: all that it would overshoot by is less."""
_PATIENCE: Final = 30
"""Steps after which no more is made of the earlier ones."""
_GOOD: Final = 0.5
"""A step smaller than this share of the one before led well, and the next may be larger."""
_LARGER: Final = 1.5


class Path:
    """The places that steps lead to, by Anderson's acceleration (Walker and Ni 2011).

    A step that would change everything at once overshoots or creeps by itself; from the last
    few steps follows where the next one would not move. Where that led astray, what was learnt
    is forgotten, and half the share of each step is taken until they lead well again: with
    whole steps it may be led astray for ever.
    """

    def __init__(self) -> None:
        """Nothing is remembered."""
        self._steps: list[tuple[FloatArray, FloatArray]] = []
        self._size = np.inf
        self._share = 1.0
        self._taken = 0

    def onward(self, given: FloatArray, told: FloatArray) -> FloatArray:
        """Where to go on from, when a step led from one place to another; arrays of one shape."""
        residual = (told - given).ravel()
        size, before = float(np.linalg.norm(residual)), self._size
        self._size = size
        self._taken += 1
        if self._taken > _PATIENCE:
            return np.asarray(given + _SHORTEST * (told - given), dtype=np.float64)
        if size > before:
            self._steps = []
            self._share = max(self._share / 2, _SHORTEST)
        elif size < _GOOD * before:
            self._share = min(self._share * _LARGER, 1.0)
        self._steps = [*self._steps[-_REMEMBERED:], (given.ravel(), residual)]
        *earlier, (place, _) = self._steps
        if earlier:
            places = np.stack([place - each for each, _ in earlier], axis=1)
            residuals = np.stack([residual - each for _, each in earlier], axis=1)
            share = np.linalg.lstsq(residuals, residual, rcond=_DEPENDENT)[0]
            place, residual = place - places @ share, residual - residuals @ share
        return np.asarray((place + self._share * residual).reshape(given.shape), dtype=np.float64)
