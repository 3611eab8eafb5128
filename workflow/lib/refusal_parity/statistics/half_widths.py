"""How precisely the differences of a family are known, whatever they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from refusal_parity.statistics.distributions import t_isf
from refusal_parity.statistics.fits.least_squares import least_squares
from refusal_parity.statistics.methods.calibrated import CALIBRATED, NAMES, TEMPLATES
from refusal_parity.statistics.simulation.calibration import (
    null_distances,
    simulations,
    too_few,
)
from refusal_parity.statistics.variances.effective import effective

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.registry import Setting


def half_widths(studies: Studies, setting: Setting, enough: float = np.inf) -> FloatArray:
    """Half of the widest that the simultaneous interval of each difference may be.

    Its limits are those of `calibrated` (t's quantile at alpha / m for m pairs, or the
    calibrated one where that is larger and the study is large enough for it), before an end
    is drawn in because a test rejects: what it takes to stop must not hang on what is shown.
    The intervals that are printed, Holm's too, lie within these.

    Args:
        studies: of one design, whose pairs are the family.
        setting: alpha, and how studies are simulated.
        enough: half-width above which it need not be known exactly: a study where t's limits
            alone are wider for some pair is not simulated from.

    Returns:
        Shape (studies, pairs); infinite where a difference is not known at all.
    """
    found = effective(least_squares(studies))
    tests = len(studies.pairs)
    quantile = np.asarray(t_isf(setting.alpha / (2 * tests), found.df))
    widths = _half(found.rates.limits(quantile))
    if too_few(studies, names=NAMES, templates=TEMPLATES) is not None:
        return widths
    for at in np.flatnonzero((widths <= enough).all(axis=1)):
        random = np.random.default_rng([setting.draws.seed, *map(ord, CALIBRATED)])
        null = null_distances(studies, int(at), simulations(setting), random)
        if null is not None:
            quantile[at] = np.maximum(quantile[at], null.critical(setting.alpha, together=True))
    return _half(found.rates.limits(quantile))


def _half(ends: tuple[FloatArray, FloatArray]) -> FloatArray:
    low, high = ends
    return np.nan_to_num((high - low) / 2, nan=np.inf)
