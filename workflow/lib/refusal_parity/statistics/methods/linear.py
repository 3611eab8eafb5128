"""Linear probability model with two-way clustered errors."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.false_alarms import Percent
from refusal_parity.statistics.fits.least_squares import regression
from refusal_parity.statistics.registry import Describes, Method, Needs
from refusal_parity.statistics.variances.contrasts import Fitted, contrasts, joint
from refusal_parity.statistics.variances.sandwich import counted, sandwich, two_way
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from refusal_parity.statistics.answers import Answers
    from refusal_parity.statistics.designs.counts import Design
    from refusal_parity.statistics.fits.least_squares import LeastSquares
    from refusal_parity.statistics.registry import Setting
    from refusal_parity.statistics.results import Estimate

_TOGETHER: Final = Percent(6, 16)
"""Studies in which its test of all groups together rejects."""


def ols_two_way(studies: Studies, setting: Setting) -> list[Answers]:
    """Risk differences by least squares, clustered by template and by name.

    The regression of `LeastSquares`, covariance by `sandwich.two_way`; t tests with
    min(G) - 1 degrees of freedom, and the joint F test with (q, min(G) - 1).
    With few names in a group it rejects too often (docs/method.md).

    Returns:
        The pairs of levels, and the global test.
    """
    return regression(studies, OLS_TWO_WAY, partial(_tests, alpha=setting.alpha))


def joint_test(design: Design, alpha: float) -> Estimate:
    """The global test alone, of one study."""
    found = regression(Studies.of([design]), OLS_TWO_WAY, partial(_tests, alpha=alpha))
    return found[1].of_study(0)[0]


def _tests(fit: LeastSquares, alpha: float) -> list[Answers]:
    kept = fit.studies
    counts = counted(kept.grid.n[None] > 0, kept, np.array(float(fit.parameters)))
    found = sandwich(kept, fit.residual, fit.moved[None], counts)
    covariance = two_way(found, np.diagonal(fit.largest, axis1=1, axis2=2))
    df = np.minimum(counts.names, counts.templates) - 1
    fitted = Fitted(
        levels=kept.grid.levels,
        coefficients=fit.coefficients,
        root=covariance.root,
        largest=fit.largest,
        df=df,
        df_joint=df,
        fallback=covariance,
    )
    return [
        contrasts(fitted, OLS_TWO_WAY, kept.pairs, alpha),
        joint(fitted, OLS_TWO_WAY),
    ]


OLS_TWO_WAY: Final = Method(
    "ols_two_way",
    heading="Linear model, clustered by template and name",
    estimands=(Estimand.RISK_DIFFERENCE, Estimand.GLOBAL),
    scope=Scope.NEW_NAMES_AND_TEMPLATES,
    needs=Needs(names=2, templates=2),
    describes=Describes.rejecting(
        Percent(7, 10),
        "its standard errors are too small with few names in a group",
        f", when it tests one group, and in up to {_TOGETHER.high} % when it tests all groups "
        "together",
    ),
    citation="Cameron, Gelbach and Miller (2011), Robust inference with multiway clustering, "
    "Journal of Business & Economic Statistics 29, 238-249.",
    run=ols_two_way,
)
