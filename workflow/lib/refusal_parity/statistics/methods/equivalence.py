"""Whether a difference is shown to be small: two one-sided tests against a margin."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from refusal_parity.statistics.equivalence import two_one_sided
from refusal_parity.statistics.methods.bias_reduced import OLS_CR2_TWO_WAY, ols_cr2_two_way
from refusal_parity.statistics.registry import Method
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from refusal_parity.statistics.answers import Answers
    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.registry import Setting


def equivalence(studies: Studies, setting: Setting) -> list[Answers]:
    """The test for each risk difference of `ols_cr2_two_way`, with its error and df."""
    return [
        tested(row, EQUIVALENCE, setting.margin, setting.alpha)
        for row in ols_cr2_two_way(studies, setting)
    ]


def tested(row: Answers, method: Method, margin: float, alpha: float) -> Answers:
    """The two one-sided tests of differences that have a standard error and df."""
    assert row.estimate is not None  # noqa: S101 - t tests
    assert row.std_error is not None  # noqa: S101
    assert row.df is not None  # noqa: S101
    found = two_one_sided(row.estimate, row.std_error, row.df, margin=margin, alpha=alpha)
    return replace(
        row,
        method=method,
        ci_low=found.low,
        ci_high=found.high,
        statistic=found.statistic,
        p_value=found.p_value,
    )


EQUIVALENCE: Final = Method(
    "equivalence",
    heading="Equivalence test of the linear model",
    estimands=(Estimand.RISK_DIFFERENCE,),
    scope=Scope.NEW_NAMES_AND_TEMPLATES,
    needs=OLS_CR2_TWO_WAY.needs,
    citation="Schuirmann (1987), A comparison of the two one-sided tests procedure and the power "
    "approach for assessing the equivalence of average bioavailability, Journal of "
    "Pharmacokinetics and Biopharmaceutics 15, 657-680.",
    run=equivalence,
)
