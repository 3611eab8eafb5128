"""Risk differences by least squares, with errors that hold for few names and templates."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from refusal_parity.dimensions import WITHIN_TEXTS
from refusal_parity.statistics.false_alarms import Percent
from refusal_parity.statistics.fits.least_squares import regression
from refusal_parity.statistics.registry import NULL_STUDIES, Describes, Method, Needs
from refusal_parity.statistics.results import pairs_of
from refusal_parity.statistics.rounding import is_noise
from refusal_parity.statistics.variances.contrasts import (
    Fitted,
    contrasts,
    hotelling,
    pair_weights,
    t_tests,
)
from refusal_parity.statistics.variances.cr2 import spread
from refusal_parity.statistics.variances.cr2_two_way import (
    both_ways,
    level_of,
    one_way,
)
from refusal_parity.statistics.variances.roots import triangle
from refusal_parity.statistics.variances.sandwich import cell_squares
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from refusal_parity.statistics.answers import Answers
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.fits.least_squares import LeastSquares
    from refusal_parity.statistics.registry import Setting

_TOGETHER: Final = Percent(5, 10)
_FEW_REFUSALS: Final = 19
"""Per cent of null studies in which the test of all groups rejects, of a model that refuses 1.5 %
in its self-check."""


def ols_cr2_name(studies: Studies, setting: Setting) -> list[Answers]:
    """Risk differences by least squares with template effects, CR2 by name.

    The regression of `LeastSquares`; names alone are the sample, so it holds for
    these templates. t tests with Satterthwaite's degrees of freedom and
    Hotelling's T^2 (`cr2.spread`, `contrasts.hotelling`).

    Returns:
        The pairs of levels, and the global test.
    """

    def tests(fit: LeastSquares) -> list[Answers]:
        found = spread(fit.absorbed, fit.studies.layout.name)
        fitted = Fitted(
            levels=fit.studies.grid.levels,
            coefficients=fit.coefficients,
            root=triangle(_name_terms(fit)),
            largest=fit.largest,
            df=found.df,
            df_joint=np.array(found.df_joint),
        )
        pairs = contrasts(fitted, OLS_CR2_NAME, fit.studies.pairs, setting.alpha)
        return [pairs, hotelling(fitted, OLS_CR2_NAME)]

    return regression(studies, OLS_CR2_NAME, tests)


def ols_cr2_two_way(studies: Studies, setting: Setting) -> list[Answers]:
    """Risk differences by least squares, bias-reduced errors by name and by template.

    The regression of `ols_two_way`, whose covariance is too small with
    few names in a group and whose t distribution has too many degrees of
    freedom. Here V_name and V_template are CR2 (`cr2.spread`), V_cell is G/(G - p) times
    the sum over the G cells of their squared terms, and degrees of freedom are
    Satterthwaite's (`both_ways`).

    Returns:
        The pairs of levels; there is no joint test.
    """
    return regression(studies, OLS_CR2_TWO_WAY, lambda fit: [two_way_tests(fit, setting.alpha)])


@lru_cache(maxsize=2)
def two_way_tests(fit: LeastSquares, alpha: float) -> Answers:
    """The t tests of `ols_cr2_two_way`, kept for the equivalence test."""
    kept, absorbed = fit.studies, fit.absorbed
    every = pairs_of(kept.grid.levels)
    at = [every.index(pair) for pair in kept.pairs]
    pairs = pair_weights(len(kept.grid.levels))[at].T
    sides = []
    for cluster, terms in (
        (kept.layout.name, _name_terms(fit)),
        (kept.layout.template, _template_terms(fit)),
    ):
        df = spread(absorbed, cluster).df[at]
        sides.append(one_way(terms @ pairs, df, level_of(kept.layout.level, cluster)))
    cells = int(kept.layout.cell.max()) + 1
    cell = cell_squares(kept, fit.residual, fit.moved @ pairs)
    by_name, by_template = sides
    both = both_ways(by_name, by_template, cell * (cells / max(cells - absorbed.parameters, 1)))
    # What residuals as large as the outcomes could give at most.
    largest = np.einsum("ip,rij,jp->rp", pairs, fit.largest, pairs)
    variance = np.where(is_noise(both.variance, largest), 0, both.variance)
    return t_tests(OLS_CR2_TWO_WAY, kept.pairs, fit.coefficients @ pairs, variance, both.df, alpha)


@lru_cache(maxsize=2)
def _name_terms(fit: LeastSquares) -> FloatArray:
    """Terms U' e of the names (`cr2.spread`), shape (studies, names, q); kept for both methods."""
    studies = fit.studies
    weights = spread(fit.absorbed, studies.layout.name).weights
    laid_out = np.zeros((*studies.grid.n.shape, weights.shape[1]))
    laid_out[np.nonzero(studies.grid.n)] = weights / np.sqrt(studies.layout.n)[:, None]
    return studies.by_name(np.swapaxes(np.swapaxes(fit.residual, 0, 1) @ laid_out, 0, 1))


def _template_terms(fit: LeastSquares) -> FloatArray:
    """Terms U' e of the templates, shape (studies, templates, q).

    Responses of one template and level have one row of X, and so one weight: the
    sums of their residuals are all that is needed.
    """
    layout = fit.studies.layout
    weights = spread(fit.absorbed, layout.template).weights / np.sqrt(layout.n)[:, None]
    used = np.flatnonzero(fit.studies.grid.n.any(axis=0))
    laid_out = np.zeros((len(layout.levels), len(used), weights.shape[1]))
    laid_out[layout.level, layout.template] = weights
    terms = np.einsum("rgt,gtq->rtq", fit.level_residual[..., used], laid_out)
    return np.asarray(terms, dtype=np.float64)


OLS_CR2_NAME: Final = Method(
    "ols_cr2_name",
    heading="Linear model, bias-reduced errors by name",
    estimands=(Estimand.RISK_DIFFERENCE, Estimand.GLOBAL),
    scope=Scope.NEW_NAMES,
    needs=Needs(units=WITHIN_TEXTS, names=2),
    describes=Describes(
        reason="with few names in a group, or few refusals, its test of all groups together "
        f"rejects in {_TOGETHER.words} {NULL_STUDIES}, and in {_FEW_REFUSALS} % where 1.5 % of "
        "responses are refusals, instead of 5 %; its tests of single groups are used",
        of=frozenset({Estimand.GLOBAL}),
    ),
    citation="Pustejovsky and Tipton (2018), Small-sample methods for cluster-robust variance "
    "estimation and hypothesis testing in fixed effects models, Journal of Business & Economic "
    "Statistics 36, 672-683.",
    run=ols_cr2_name,
)
OLS_CR2_TWO_WAY: Final = Method(
    "ols_cr2_two_way",
    heading="Linear model, bias-reduced errors by template and name",
    estimands=(Estimand.RISK_DIFFERENCE,),
    scope=Scope.NEW_NAMES_AND_TEMPLATES,
    needs=Needs(names=2, templates=2),
    citation="Bell and McCaffrey (2002), Bias reduction in standard errors for linear regression "
    "with multi-stage samples, Survey Methodology 28, 169-181.",
    run=ols_cr2_two_way,
)
