"""Leaving out the levels and templates that a logistic regression has no maximum with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from refusal_parity.statistics.design import BoolArray, Design, FloatArray


class Trimmed(NamedTuple):
    """A design whose templates and levels all have both outcomes.

    Attributes:
        design: what is left.
        templates: how many templates were dropped.
        levels: the levels dropped, each with its reason.
    """

    design: Design
    templates: int
    levels: dict[str, str]


def trim(design: Design) -> Trimmed:
    """Drop templates without variation, then levels without, until none is left.

    Their coefficients would be infinite; the other coefficients and their
    scores do not depend on the rows dropped. The reference is dropped like
    any other level.
    """
    templates = 0
    levels: dict[str, str] = {}
    while design.levels:
        n, k = design.by_template()
        flat = _without_variation(n.sum(axis=1), k.sum(axis=1))
        if flat.any():
            templates += int(flat.sum())
            design = design.keep(~flat[design.template])
            continue
        n, k = design.level_n, design.level_k
        flat = _without_variation(n, k)
        if not flat.any():
            break
        for at in np.flatnonzero(flat):
            whole = "no response has" if k[at] == 0 else "every response has"
            levels[design.levels[at]] = f"{whole} the outcome in {design.levels[at]}"
        design = design.keep(~flat[design.level])
    return Trimmed(design, templates, levels)


def _without_variation(n: FloatArray, k: FloatArray) -> BoolArray:
    return np.asarray((k == 0) | (k == n), dtype=np.bool_)
