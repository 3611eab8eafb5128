"""Small designs drawn at random: groups of names, templates, missing cells."""

from __future__ import annotations

import numpy as np

from refusal_parity.statistics.designs.counts import Design, codes_of


def random_design(
    seed: int,
    *,
    groups: int = 3,
    names: int = 4,
    templates: int = 6,
    samples: int = 3,
    missing: float = 0.2,
    rate: float = 0.4,
) -> Design:
    """Counts of one outcome; `missing` is the share of cells without a response."""
    random = np.random.default_rng(seed)
    name, template = (each.ravel() for each in np.indices((groups * names, templates)))
    # The first name of each group has every template, so that all groups and templates occur.
    kept = (random.random(len(name)) >= missing) | (name % names == 0)
    name, template = name[kept], template[kept]
    n = random.integers(1, samples + 1, len(name)).astype(float)
    chance = 1 / (
        1
        + np.exp(
            -np.log(rate / (1 - rate))
            - random.normal(0, 0.7, groups * names)[name]
            - random.normal(0, 0.7, templates)[template]
        )
    )
    return Design(
        levels=tuple(f"g{at}" for at in range(groups)),
        level=name // names,
        name=codes_of(name),
        template=codes_of(template),
        n=n,
        k=random.binomial(n.astype(int), chance).astype(float),
    )


def incidence(design: Design) -> np.ndarray:
    """Dummies of all levels but the first, then of all templates, shape (cells, p)."""
    level = design.level[:, None] == np.arange(1, len(design.levels))
    template = design.template[:, None] == np.arange(design.template.max() + 1)
    return np.column_stack([level, template]).astype(float)
