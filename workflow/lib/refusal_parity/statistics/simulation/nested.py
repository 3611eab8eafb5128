"""Studies of a prompt list without any effect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from refusal_parity.statistics.designs.grid import Grid, grid_of
from refusal_parity.statistics.designs.nested import unit_variance

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import Design, FloatArray

_LARGEST = 0.999


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedNull:
    """A law of the units' rates: beta distributions with one mean, or means apart by a margin.

    Attributes:
        grid: units and their responses.
        rate: of the first level, and of all but where they are `apart`.
        likeness: correlation of two responses to one unit.
        apart: by how much the rates of all other levels are above the first one's.
    """

    grid: Grid
    rate: float
    likeness: float
    apart: float = 0.0

    @property
    def variance(self) -> float:
        """Between the units' rates."""
        return self.likeness * self.rate * (1 - self.rate)

    def planted(self, difference: float) -> NestedNull:
        """The same, where all levels differ as much from the first one (`Latent.planted`)."""
        apart = difference if self.rate <= 1 / 2 else -difference
        if 0 < self.rate + apart < 1:
            return replace(self, apart=apart)
        return replace(self, rate=(1 - difference) / 2, apart=difference)

    def draw(self, studies: int, random: np.random.Generator) -> FloatArray:
        """Responses with the outcome, shape (studies, units, 1)."""
        n = self.grid.n.sum(axis=1)
        shape = (studies, len(n))
        mean = self.rate + self.apart * (self.grid.level > 0)
        if self.likeness > 0:
            size = (1 - self.likeness) / self.likeness
            own = random.beta(mean * size, (1 - mean) * size, shape)
        else:
            own = np.broadcast_to(mean, shape)
        return random.binomial(n.astype(np.int64), own).astype(np.float64)[:, :, None]


def nested_null(design: Design) -> NestedNull | None:
    """The law of a study's units had its levels one rate.

    Args:
        design: counts of a prompt list whose units are of one level each.

    Returns:
        None where the outcome does not vary.
    """
    found = unit_variance(design)
    if found.rate in {0.0, 1.0}:
        return None
    whole = found.between + found.within
    likeness = min(found.between / whole, _LARGEST) if found.within > 0 else _LARGEST
    return NestedNull(grid=grid_of(design), rate=found.rate, likeness=likeness)
