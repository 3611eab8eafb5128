"""Levels of few names that vary more than others' do, whose own tests are too sure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from refusal_parity.statistics.answers import Remark
from refusal_parity.statistics.distributions import f_sf

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.fits.least_squares import LeastSquares

UNEVEN_NOTE: Final = "the names vary more than others'"
"""How a note on such a level begins."""

_FEW: Final = 8
"""Names of which a level's own variance is known too badly; of more it was not measured."""

_ALPHA: Final = 0.01


def uneven(fit: LeastSquares) -> list[Remark]:
    """Notes on comparisons with a level of few names that vary more than all others' do.

    With four or eight names that truly vary ten times as much, the comparison by itself rejects
    in 7 to 15 % of studies without a difference, however the null model is simulated.

    Args:
        fit: of levels that are a property of names, within templates.
    """
    studies = fit.studies
    group, reference = studies.codes
    names = np.bincount(studies.grid.level)
    p_value = _p_values(fit)
    notes = []
    for at, level in enumerate(studies.grid.levels):
        where = (p_value[:, [at]] < _ALPHA) & ((group == at) | (reference == at))
        if 1 < names[at] <= _FEW and where.any():
            said = (
                f"{UNEVEN_NOTE} in {level}, which has {names[at]}: with so few, this comparison "
                "by itself is too sure"
            )
            notes.append(Remark(said, where))
    return notes


def _p_values(fit: LeastSquares) -> FloatArray:
    """F test of each level's design effect of names over that of all others, one-sided.

    The design effect is that of `effective`: N V / (p (1 - p)), pooled by degrees of freedom.

    Returns:
        Shape (studies, levels); 1 where the level, or all others, do not vary.
    """
    studies = fit.studies
    level = studies.grid.level
    names = np.bincount(level).astype(np.float64)
    belongs = (level == np.arange(len(names))[:, None]).astype(np.float64)
    size = studies.level_n.sum(axis=1)
    spare = np.maximum(names - 1, 1)
    seen = names * ((fit.residual.sum(axis=2) ** 2) @ belongs.T) / size
    expected = spare * studies.rates * (1 - studies.rates)
    others, of_others = (each.sum(axis=1, keepdims=True) - each for each in (seen, expected))
    varies = (expected > 0) & (of_others > 0) & (others > 0)
    one = np.where(varies, seen / np.where(varies, expected, 1), 0)
    rest = np.where(varies, others / np.where(varies, of_others, 1), 1)
    rest_df = np.maximum(spare.sum() - spare, 1)
    return np.asarray(np.where(varies, f_sf(one / rest, spare, rest_df), 1), dtype=np.float64)
