"""Leaving out the levels and templates that a logistic regression has no maximum with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import BoolArray, FloatArray, IntArray


class Trimmed(NamedTuple):
    """What is left of studies where templates and levels all have both outcomes.

    Attributes:
        kept: shape (studies, levels, templates).
        templates: how many templates were dropped, shape (studies,).
        never: levels that were dropped where no response left had the outcome,
            shape (studies, levels).
        always: those where every response left had it.
    """

    kept: BoolArray
    templates: IntArray
    never: BoolArray
    always: BoolArray


def trim(n: FloatArray, k: FloatArray) -> Trimmed:
    """Drop templates without variation, then levels without, until none is left.

    Their coefficients would be infinite; the other coefficients and their
    scores do not depend on the rows dropped. The reference is dropped like
    any other level.

    Args:
        n: responses, shape (levels, templates).
        k: of them with the outcome, shape (studies, levels, templates).
    """
    kept = np.broadcast_to(n > 0, k.shape).copy()
    templates = np.zeros(len(k), dtype=np.intp)
    never = np.zeros(k.shape[:2], dtype=np.bool_)
    always = never.copy()
    while True:
        left_n, left_k = np.where(kept, n, 0), np.where(kept, k, 0)
        flat = _flat(left_n.sum(axis=1), left_k.sum(axis=1)) & kept.any(axis=1)
        templates += flat.sum(axis=1)
        drop = kept & flat[:, None]
        settled = ~np.asarray(flat.any(axis=1))[:, None]
        level_n, level_k = left_n.sum(axis=2), left_k.sum(axis=2)
        levels = _flat(level_n, level_k) & settled & (level_n > 0)
        never |= levels & (level_k == 0)
        always |= levels & (level_k > 0)
        drop |= kept & levels[..., None]
        if not drop.any():
            return Trimmed(kept, templates, never, always)
        kept &= ~drop


def _flat(n: FloatArray, k: FloatArray) -> BoolArray:
    return np.asarray((k == 0) | (k == n), dtype=np.bool_)
