"""Differences of weighed rates tested against studies like this one that have none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from refusal_parity.dimensions import Unit
from refusal_parity.statistics.fits.least_squares import least_squares, regression
from refusal_parity.statistics.methods.bias_reduced import two_way_tests
from refusal_parity.statistics.methods.calibrated import NAMES, TEMPLATES
from refusal_parity.statistics.methods.calibrated_linear import against_null, distance_of
from refusal_parity.statistics.registry import Method, Needs
from refusal_parity.statistics.simulation.calibration import in_batches
from refusal_parity.statistics.simulation.weighed import fit_weighed, simulate_weighed
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    import numpy as np

    from refusal_parity.statistics.answers import Answers
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.fits.least_squares import LeastSquares
    from refusal_parity.statistics.registry import Setting
    from refusal_parity.statistics.simulation.calibration import Null


def calibrated_weighed(studies: Studies, setting: Setting) -> list[Answers]:
    """The p of `ols_cr2_two_way`, held against studies with the errors that weighing leaves.

    As `calibrated_linear`, but for where studies without a difference come from: rates are
    skewed, a few prompts bearing most of them, so that their probabilities are drawn from a
    latent scale (`fit_latent_rates`, the known variance of their errors taken off), and their
    errors with that variance (`simulate_weighed`) instead of counts. Where a few prompts bear
    most, t rejects too seldom, so that p is that of the simulated studies alone; intervals
    are as wide as t's.

    Returns:
        The pairs of levels, each alone and within its family.
    """

    def tests(fit: LeastSquares) -> list[Answers]:
        return [
            against_null(
                *(fit, setting, CALIBRATED_WEIGHED, null_of),
                names=NAMES,
                templates=TEMPLATES,
                at_least_t=False,
            )
        ]

    return regression(studies, CALIBRATED_WEIGHED, tests)


def null_of(studies: Studies, at: int, count: int, random: np.random.Generator) -> Null | None:
    """How far from none studies without a difference; arguments as of `calibrated_linear`'s."""
    latent = fit_weighed(studies.grid, studies.k[at])
    if latent is None:
        return None

    def distances(number: int) -> FloatArray:
        drawn = simulate_weighed(studies, studies.k[at], latent, number, random)
        return distance_of(two_way_tests(least_squares(drawn), 0.05))

    return in_batches(count, studies.grid, distances)


CALIBRATED_WEIGHED: Final = Method(
    "calibrated_weighed",
    heading="Linear model of weighed rates, calibrated by simulated studies without a difference",
    estimands=(Estimand.RISK_DIFFERENCE,),
    scope=Scope.NEW_NAMES_AND_TEMPLATES,
    needs=Needs(units=frozenset({Unit.NAME}), weighed=True, names=2, templates=2, primary=True),
    citation="Westfall and Young (1993), Resampling-Based Multiple Testing, Wiley.",
    run=calibrated_weighed,
    checked=False,
)
