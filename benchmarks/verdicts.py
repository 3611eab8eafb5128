"""What the report would say of studies: of many at once, by as few simulations as that takes.

A study is held against `calibration.DECIDING` others without a difference, drawn a few at a time.
Once so many of these lie as far as the study that it cannot be shown, no more are drawn. An
interval holds a value that is no farther than its quantile, so that coverage is counted likewise.
The verdicts are those that all simulated studies together would give.

Each study is held against others of its own: with the same random numbers for all, what these
happen to be would be a fault of all verdicts alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from quick_distances import design_of
from quick_null import QuickNull

from refusal_parity.statistics.adjust import holm
from refusal_parity.statistics.distributions import t_isf
from refusal_parity.statistics.fits.least_squares import least_squares
from refusal_parity.statistics.methods.calibrated import NAMES, TEMPLATES
from refusal_parity.statistics.methods.wilson_two_way import wilson_two_way
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws
from refusal_parity.statistics.simulation.calibration import DECIDING
from refusal_parity.statistics.variances.effective import effective

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.variances.effective import Effective

ALPHA = 0.05
SETTING = Setting(ALPHA, 0.05, Draws(1, 1), Resamples(1, 1), deciding=True)
NEEDED = round(ALPHA * (1 + DECIDING)) - 1
"""Simulated studies that lie as far as one's own, from which on it is not shown."""
STEPS = (57,) * 7
"""How many are drawn at a time."""


@dataclass
class Seen:
    """Verdicts of studies, each an array of shape (studies, pairs) or (studies, 1)."""

    single: list[np.ndarray] = field(default_factory=list)
    shown: list[np.ndarray] = field(default_factory=list)
    covered: list[np.ndarray] = field(default_factory=list)
    together: list[np.ndarray] = field(default_factory=list)
    by_t: list[np.ndarray] = field(default_factory=list)


def decide(
    studies: Studies,
    truth: np.ndarray,
    seen: Seen,
    random: np.random.Generator,
    *,
    calibrates: bool = True,
) -> None:
    """What the report would say of each study; or what t and Holm would, however large it is."""
    large = len(studies.grid.level) >= NAMES and studies.grid.n.shape[1] >= TEMPLATES
    (by_t,) = wilson_two_way(studies, SETTING)
    p_values = np.nan_to_num(by_t.values("p_value"), nan=1.0)
    adjusted: np.ndarray = np.array([holm(row) for row in p_values])
    seen.by_t.append(adjusted < ALPHA)
    each = effective(least_squares(studies))
    if large and calibrates:
        rejected, shown, holds, of_family = by_simulation(studies, each, truth, random)
    else:
        rejected, shown = np.asarray(p_values < ALPHA), np.asarray(adjusted < ALPHA)
        ends = by_t.values("ci_low"), by_t.values("ci_high")
        holds = np.asarray((ends[0] <= truth) & (truth <= ends[1]))
        tests = shown.shape[1] - shown.sum(axis=1, keepdims=True)
        level = ALPHA / np.maximum(tests, 1)
        low, high = each.rates.limits(np.asarray(t_isf(level / 2, each.df)))
        of_family = np.asarray((low <= truth) & (truth <= high))
    kept = np.asarray(np.isfinite(by_t.values("estimate")).all(axis=1))
    seen.single.append(np.asarray(rejected[kept]))
    seen.shown.append(np.asarray(shown[kept]))
    seen.covered.append(np.asarray(holds[kept]))
    seen.together.append(np.asarray(of_family[kept].all(axis=1, keepdims=True)))


def by_simulation(
    studies: Studies, found: Effective, truth: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, ...]:
    """Verdicts of `calibrated`: which pairs reject and are shown, which intervals hold the truth.

    Args:
        studies: with the pairs of the first level.
        found: their differences.
        truth: true differences, shape (pairs,).
        random: where studies without a difference come from.

    Returns:
        Of pairs alone and of the family: rejected, shown, held alone, held together; shape
        (studies, pairs).
    """
    design, pairs = design_of(studies), len(truth)
    none, true = found.rates.distance(), found.rates.distance(truth)
    within = [true <= t_isf(ALPHA / (2 * tests), found.df) for tests in (1, pairs)]
    far: list[np.ndarray] = []
    for at in range(len(studies)):
        asked = np.stack([none[at], true[at]])
        null = QuickNull(studies, at, design, random)
        count = np.zeros((2, *asked.shape), dtype=int)
        for step in STEPS if null.known else ():
            drawn = null.distances(step)
            alone = (drawn[:, None] >= asked).sum(axis=0)
            farthest = (drawn.max(axis=1)[:, None, None] >= asked).sum(axis=0)
            count += np.stack([alone, farthest])
            if (count >= NEEDED).all():
                break
        # Nothing is known of a study whose outcome does not vary, and nothing shown.
        far.append(count >= NEEDED if null.known else np.ones_like(count, dtype=bool))
    is_near = np.array(far)
    verdicts = []
    for at, is_within in enumerate(within):
        shown, near = ~is_near[:, at, 0], is_near[:, at, 1]
        # The end towards 0 of what is shown has the calibrated quantile alone; what is not
        # shown holds 0 and all that lies between it and the estimate.
        estimate = found.rates.difference
        inner = np.where(estimate > 0, truth < estimate, truth > estimate)
        between = (np.minimum(estimate, 0) <= truth) & (truth <= np.maximum(estimate, 0))
        holds = np.where(shown & inner, near, near | is_within | (~shown & between))
        verdicts.append((shown, holds))
    (rejected, held), (shown, together) = verdicts
    return rejected, shown, held, together
