"""Differences between levels whose units meet nothing else, with errors by unit."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from refusal_parity.statistics.answers import Answers, Remark
from refusal_parity.statistics.designs.kinds import DesignKind
from refusal_parity.statistics.designs.nested import level_moments
from refusal_parity.statistics.distributions import norm_sf
from refusal_parity.statistics.methods.equivalence import tested
from refusal_parity.statistics.rate_intervals import Differences, two_sided
from refusal_parity.statistics.registry import Describes, Method, Needs
from refusal_parity.statistics.rounding import is_noise
from refusal_parity.statistics.variances.contrasts import t_tests
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.nested import LevelMoments
    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.registry import Setting


def unit_score(studies: Studies, setting: Setting) -> list[Answers]:
    """Differences between rates, tested and with intervals as if of independent responses.

    Of as many as the variance by unit says that the responses are worth
    (`effective.Differences`). The test is the interval's: p is 1 less the level of the one
    that ends at 0, and holds for rates near 0 and 1, and for none against many. The
    standard error stands beside it, from the variance by unit.
    """
    found = _differences(studies)
    low, high = found.interval(setting.alpha)
    z = found.reach(0.0)
    variance, _ = _moments(studies).of_difference(*studies.codes)
    answers = Answers(
        method=UNIT_SCORE,
        estimand=Estimand.RISK_DIFFERENCE,
        studies=len(studies),
        pairs=studies.pairs,
        estimate=found.estimate,
        std_error=np.sqrt(variance),
        ci_low=low,
        ci_high=high,
        statistic=z,
        p_value=two_sided(z),
        variance_group=found.group.variance,
        variance_reference=found.reference.variance,
        df_group=found.group.df,
        df_reference=found.reference.df,
        least_group=found.group.least,
        least_reference=found.reference.least,
        correlation=found.correlation,
        remarks=tuple(_lost(studies)),
    )
    return [answers]


def unit_score_equivalence(studies: Studies, setting: Setting) -> list[Answers]:
    """Whether a difference is shown to be small: both one-sided tests of `unit_score`.

    The larger of both p-values; below alpha exactly where the 1 - 2 alpha interval lies
    within the margin.
    """
    [answers] = unit_score(studies, setting)
    found = _differences(studies)
    low, high = found.interval(2 * setting.alpha)
    z = np.minimum(found.reach(-setting.margin), -found.reach(setting.margin))
    p_value = np.asarray(norm_sf(z), dtype=np.float64)
    return [
        replace(
            answers,
            method=UNIT_SCORE_EQUIVALENCE,
            ci_low=low,
            ci_high=high,
            statistic=z,
            p_value=p_value,
        )
    ]


def unit_welch(studies: Studies, setting: Setting) -> list[Answers]:
    """Differences of means, t tests with CR2 errors by unit and Welch's degrees of freedom.

    Where units have equally many responses it is Welch's test of the units' means
    (`nested.level_moments`).
    """
    found = _differences(studies)
    variance, df = _moments(studies).of_difference(*studies.codes)
    largest = np.max(np.abs(studies.name_k / studies.name_n), axis=1)[:, None] ** 2
    variance = np.where(is_noise(variance, largest), 0 * variance, variance)
    rows = t_tests(UNIT_WELCH, studies.pairs, found.estimate, variance, df, setting.alpha)
    reason = "its standard error is 0: units of a level do not differ"
    zero = Remark.missing(reason, variance == 0)
    return [replace(rows, remarks=(*_lost(studies), zero))]


def unit_welch_equivalence(studies: Studies, setting: Setting) -> list[Answers]:
    """Two one-sided tests of `unit_welch`."""
    return [
        tested(row, UNIT_WELCH_EQUIVALENCE, setting.margin, setting.alpha)
        for row in unit_welch(studies, setting)
    ]


@lru_cache(maxsize=2)
def _differences(studies: Studies) -> Differences:
    """Kept for the tests of both kinds."""
    return Differences.of(_moments(studies), *studies.codes)


@lru_cache(maxsize=2)
def _moments(studies: Studies) -> LevelMoments:
    return level_moments(studies)


def _lost(studies: Studies) -> list[Remark]:
    """Pairs with a level of one unit, which says nothing of its error."""
    moments = _moments(studies)
    group, reference = studies.codes
    lost = []
    for at, level in enumerate(studies.grid.levels):
        if moments.units[at] < 2:  # noqa: PLR2004 - one is no sample
            where = (group == at) | (reference == at)
            lost.append(Remark.missing(f"{level} has one prompt or set", where))
    return lost


_NESTED: Final = frozenset({DesignKind.NESTED})
_RATES: Final = Needs(designs=_NESTED, binary=True, prompts=2)
_MEANS: Final = Needs(designs=_NESTED, prompts=2)
_RARE: Final = Describes(
    reason="where few units have the outcome, or few have it not, its interval is too narrow: "
    "it rejects in up to 90 % of simulated studies without any difference, instead of 5 %",
    of=frozenset({Estimand.RISK_DIFFERENCE}),
)
UNIT_SCORE: Final = Method(
    "unit_score",
    heading="Difference of rates, errors by prompt",
    estimands=(Estimand.RISK_DIFFERENCE,),
    scope=Scope.NEW_PROMPTS,
    needs=_RATES,
    citation="Dean and Pagano (2015), Evaluating confidence interval methods for binomial "
    "proportions in clustered surveys, Journal of Survey Statistics and Methodology 3, 484-503.",
    run=unit_score,
)
UNIT_SCORE_EQUIVALENCE: Final = Method(
    "unit_score_equivalence",
    heading="Equivalence test of rates, errors by prompt",
    estimands=(Estimand.RISK_DIFFERENCE,),
    scope=Scope.NEW_PROMPTS,
    needs=_RATES,
    run=unit_score_equivalence,
    of_margin=True,
)
UNIT_WELCH: Final = Method(
    "unit_welch",
    heading="Welch t test, errors by prompt",
    estimands=(Estimand.RISK_DIFFERENCE,),
    scope=Scope.NEW_PROMPTS,
    needs=_MEANS,
    describes=_RARE,
    run=unit_welch,
)
UNIT_WELCH_EQUIVALENCE: Final = Method(
    "unit_welch_equivalence",
    heading="Equivalence test, Welch's, errors by prompt",
    estimands=(Estimand.RISK_DIFFERENCE,),
    scope=Scope.NEW_PROMPTS,
    needs=_MEANS,
    describes=_RARE,
    run=unit_welch_equivalence,
    of_margin=True,
)
