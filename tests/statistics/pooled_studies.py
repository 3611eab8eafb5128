"""Studies whose rates are pooled, and variances of their effects."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.pooling.crossed_probit import Variances

GIVEN = Variances(mean=-0.3, group=1.0, name=0.6, template=0.9, template_group=0.3, cell=0.2)


def study_of(seed: int, rate: float, sizes: tuple[float, ...]) -> tuple[Grid, np.ndarray]:
    """Responses of two groups of five names to nine templates, four of each but for a few.

    Args:
        seed: of the draw.
        rate: about which groups are.
        sizes: standard deviations of names, templates, templates within groups, and cells.
    """
    random = np.random.default_rng(seed)
    level = np.repeat([0, 1], 5)
    name, template, template_group, cell = sizes
    score = ndtri(rate) * np.sqrt(1 + np.sum(np.square(sizes))) + random.normal(0, name, (10, 1))
    score = score + random.normal(0, template, 9) + random.normal(0, cell, (10, 9))
    score += random.normal(0, template_group, (2, 9))[level]
    n = np.where(random.random((10, 9)) < 0.1, 2.0, 4.0)
    return Grid(("x", "y"), level, n), random.binomial(n.astype(int), ndtr(score)).astype(float)
