"""What a study would call shown: the decision that plans are made for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from refusal_parity.statistics.fits.least_squares import least_squares
from refusal_parity.statistics.methods.bias_reduced import ols_cr2_two_way
from refusal_parity.statistics.methods.calibrated import NAMES, TEMPLATES
from refusal_parity.statistics.methods.name_rates import welch_names
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws
from refusal_parity.statistics.simulation.calibration import SIMULATED, null_distances
from refusal_parity.statistics.variances.effective import effective
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from refusal_parity.statistics.answers import Answers
    from refusal_parity.statistics.designs.counts import BoolArray, FloatArray
    from refusal_parity.statistics.designs.grid import Grid
    from refusal_parity.statistics.designs.studies import Studies

_TESTS: Final[dict[Scope, Callable[[Studies, Setting], list[Answers]]]] = {
    Scope.NEW_NAMES: welch_names,
    Scope.NEW_NAMES_AND_TEMPLATES: ols_cr2_two_way,
}
"""The test that speaks for a scope."""

_OWN: Final = 199
"""Studies simulated from each study's own null model."""


def is_calibrated(grid: Grid, scope: Scope) -> bool:
    """Whether `calibrated` decides: for new templates, where there are enough of both."""
    names, templates = grid.n.shape
    return scope is Scope.NEW_NAMES_AND_TEMPLATES and names >= NAMES and templates >= TEMPLATES


def distances(studies: Studies) -> FloatArray:
    """How far differences lie from none, as `calibrated` has it, shape (studies, pairs)."""
    return effective(least_squares(studies)).rates.distance()


def own_farthest(studies: Studies, alpha: float, random: np.random.Generator) -> FloatArray:
    """How far the farthest pair of studies without a difference seldom lies, shape (studies,).

    That is what `calibrated` holds a study against: studies simulated from its own null model,
    which a difference that is there makes another.

    Args:
        studies: of one design.
        alpha: level of the family.
        random: where draws come from.

    Returns:
        Infinite where a study's outcome does not vary.
    """
    found = np.full(len(studies), np.inf)
    for at in range(len(studies)):
        null = null_distances(studies, at, _OWN, random)
        if null is not None:
            # As a study's own p-value has it, of which the least step is 1 / (1 + SIMULATED).
            level = 1 - alpha + 1 / (1 + SIMULATED)
            found[at] = np.quantile(null.distances.max(axis=1), level, method="weibull")
    return found


def shown(studies: Studies, scope: Scope, alpha: float) -> BoolArray:
    """Which differences from the reference the study shows, shape (studies, pairs).

    By the test that speaks for the scope, with Holm's correction over the pairs with the
    reference: the primary family.

    Args:
        studies: with the pairs of the first level only.
        scope: to what a result is to generalise.
        alpha: level of the family.
    """
    setting = Setting(alpha, 0.05, Draws(1, 1), Resamples(1, 1), deciding=True)
    p_value = _TESTS[scope](studies, setting)[0].values("p_value")
    return np.asarray(holm_of_rows(np.where(np.isnan(p_value), np.inf, p_value)) < alpha)


def holm_of_rows(p_value: FloatArray) -> FloatArray:
    """`adjust.holm` of each row; a missing p-value, infinite, is no test of the family."""
    order = np.argsort(p_value, axis=1)
    ranked = np.take_along_axis(p_value, order, axis=1)
    tests = np.isfinite(p_value).sum(axis=1, keepdims=True)
    left = np.maximum(tests - np.arange(p_value.shape[1]), 1)
    raised = np.maximum.accumulate(ranked * left, axis=1)
    adjusted = np.empty_like(raised)
    np.put_along_axis(adjusted, order, raised, axis=1)
    return adjusted
