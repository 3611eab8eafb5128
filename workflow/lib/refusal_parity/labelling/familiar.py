"""When a response is unlike all that a classifier has learnt from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from refusal_parity.labelling.calibration import MIN_ROWS

if TYPE_CHECKING:
    import numpy.typing as npt

    from refusal_parity.labelling.features import Said
    from refusal_parity.labelling.folds import OutOfFold

UNFAMILIAR: Final = 0.01
"""Share of held-out gold rows that exceed each bound: what a study like them would have."""


@dataclass(frozen=True)
class Familiar:
    """How unlike those learnt from a response may be.

    Attributes:
        unseen: largest share of words and pairs of words that are not known.
        distance: largest distance to the nearest class.
    """

    unseen: float
    distance: float

    @classmethod
    def of(cls, held_out: OutOfFold) -> Self:
        """The bounds that `UNFAMILIAR` of the held-out rows exceed; none with few rows."""
        said = held_out.said[held_out.predicted]
        if len(said.unseen) < MIN_ROWS:
            return cls(1.0, 1.0)
        unseen, distance = (
            round(float(np.quantile(each, 1 - UNFAMILIAR)), 6)
            for each in (said.unseen, said.distance)
        )
        return cls(unseen, distance)

    def is_exceeded(self, said: Said) -> npt.NDArray[np.bool_]:
        """Which texts are unlike those learnt from, shape (texts,)."""
        exceeded: npt.NDArray[np.bool_] = (said.unseen > self.unseen) | (
            said.distance > self.distance
        )
        return exceeded
