"""Textbook methods for proportions, as if all responses were independent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from refusal_parity.statistics.answers import Answers, Remark
from refusal_parity.statistics.distributions import chi2_sf, norm_isf
from refusal_parity.statistics.false_alarms import Percent
from refusal_parity.statistics.proportions import wilson
from refusal_parity.statistics.registry import Describes, Method, Needs
from refusal_parity.statistics.results import NUMBERS
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.registry import Setting

_INDEPENDENT: Final = (
    "it treats all responses as independent, but those to one name and those to one template are "
    "alike"
)
_TOO_NARROW: Final = f"{_INDEPENDENT}: the interval is far too narrow"


def newcombe(studies: Studies, setting: Setting) -> list[Answers]:
    """Risk difference with the interval from two Wilson intervals.

    With d = p1 - p0 and Wilson's (l, u) of each: d - sqrt((p1 - l1)^2 + (u0 - p0)^2)
    to d + sqrt((u1 - p1)^2 + (p0 - l0)^2) (Newcombe 1998, Statistics in
    Medicine 17:873-890, method 10).
    """
    k, n = studies.level_k.sum(axis=2), studies.level_n.sum(axis=1)
    low, high = wilson(k, np.broadcast_to(n, k.shape), setting.alpha)
    group, reference = studies.codes
    rates = studies.rates
    below, above = rates - low, high - rates
    difference = studies.differences(rates)
    return [
        Answers(
            method=NEWCOMBE,
            estimand=Estimand.RISK_DIFFERENCE,
            studies=len(studies),
            pairs=studies.pairs,
            estimate=difference,
            ci_low=difference - np.hypot(below[:, group], above[:, reference]),
            ci_high=difference + np.hypot(above[:, group], below[:, reference]),
        )
    ]


def katz(studies: Studies, setting: Setting) -> list[Answers]:
    """Risk ratio p1 / p0 with the log interval (Katz et al. 1978, Biometrics 34:469-474).

    log(p1 / p0) -+ z sqrt(1/k1 - 1/n1 + 1/k0 - 1/n0). A count of zero leaves
    no interval, and a zero in the reference no finite ratio.
    """
    k, n = studies.level_k.sum(axis=2), studies.level_n.sum(axis=1)
    group, reference = studies.codes
    ours, others = k[:, group], k[:, reference]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(others == 0, np.inf, (ours / n[group]) / (others / n[reference]))
        std_error = np.sqrt(1 / ours - 1 / n[group] + 1 / others - 1 / n[reference])
        half_width = norm_isf(setting.alpha / 2) * std_error
        low, high = ratio * np.exp(-half_width), ratio * np.exp(half_width)
    none, no_other = ours == 0, others == 0
    unbounded = tuple(column for column in NUMBERS if column != "estimate")
    return [
        Answers(
            method=KATZ,
            estimand=Estimand.RISK_RATIO,
            studies=len(studies),
            pairs=studies.pairs,
            estimate=ratio,
            std_error=std_error,
            ci_low=low,
            ci_high=high,
            remarks=(
                Remark.missing("no response of either group has the outcome", none & no_other),
                Remark(
                    "no response of the group has the outcome: no interval",
                    none & ~no_other,
                    unbounded,
                ),
                Remark(
                    "no response of the reference has the outcome: no interval",
                    no_other & ~none,
                    unbounded,
                ),
                Remark(
                    "every response of both groups has the outcome: no interval",
                    (ours == n[group]) & (others == n[reference]),
                    unbounded,
                ),
            ),
        )
    ]


def chi_square(studies: Studies, _: Setting) -> list[Answers]:
    """Pearson's chi-square without continuity correction, of each pair and of all levels.

    sum (observed - expected)^2 / expected, which for counts k of n is
    sum n (p - P)^2 / (P (1 - P)) with P the pooled rate; df = levels - 1
    (Pearson 1900).
    """
    k, n = studies.level_k.sum(axis=2), studies.level_n.sum(axis=1)
    pairs = np.stack(studies.codes, axis=1)
    return [
        Answers(
            method=CHI_SQUARE,
            estimand=Estimand.RISK_DIFFERENCE,
            studies=len(studies),
            pairs=studies.pairs,
            estimate=studies.differences(studies.rates),
            **_pearson(k[:, pairs], n[pairs]),
        ),
        Answers(
            method=CHI_SQUARE,
            estimand=Estimand.GLOBAL,
            studies=len(studies),
            **_pearson(k[:, None], n[None]),
        ),
    ]


def _pearson(k: FloatArray, n: FloatArray) -> dict[str, Any]:
    """Numbers of the test; k of shape (studies, tests, levels), n of (tests, levels)."""
    pooled = (k.sum(axis=2) / n.sum(axis=1))[..., None]
    flat = np.isin(pooled[..., 0], (0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = (n * (k / n - pooled) ** 2).sum(axis=2) / (pooled * (1 - pooled))[..., 0]
    df = np.array(float(n.shape[1] - 1))
    return {
        "df": df,
        "statistic": statistic,
        "p_value": np.asarray(chi2_sf(statistic, df)),
        "remarks": (Remark.missing("the outcome does not vary", flat),),
    }


NEWCOMBE: Final = Method(
    "newcombe",
    heading="Newcombe interval",
    estimands=(Estimand.RISK_DIFFERENCE,),
    scope=Scope.THESE_RESPONSES,
    needs=Needs(binary=True),
    describes=Describes(reason=_TOO_NARROW),
    run=newcombe,
)
KATZ: Final = Method(
    "katz",
    heading="Katz interval",
    estimands=(Estimand.RISK_RATIO,),
    scope=Scope.THESE_RESPONSES,
    needs=Needs(binary=True),
    describes=Describes(reason=_TOO_NARROW),
    run=katz,
)
CHI_SQUARE: Final = Method(
    "chi_square",
    heading="Pearson chi-square",
    estimands=(Estimand.RISK_DIFFERENCE, Estimand.GLOBAL),
    scope=Scope.THESE_RESPONSES,
    needs=Needs(binary=True),
    describes=Describes.rejecting(Percent(67, 86), _INDEPENDENT),
    run=chi_square,
)
