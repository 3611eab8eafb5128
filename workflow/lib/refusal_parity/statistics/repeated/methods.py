"""Every method over many studies of one design."""

from __future__ import annotations

import math
from functools import cache, partial
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np

from refusal_parity.statistics.bootstrap import METHODS as BOOTSTRAPS
from refusal_parity.statistics.bootstrap import Counts as Drawn
from refusal_parity.statistics.bootstrap import resampled_rates, vary
from refusal_parity.statistics.distributions import t_isf, t_sf
from refusal_parity.statistics.exact import counted_p_value
from refusal_parity.statistics.logistic import METHODS as LOGISTIC
from refusal_parity.statistics.randomisation import permutation_names
from refusal_parity.statistics.repeated import rates, regressions
from refusal_parity.statistics.repeated.results import Repeated
from refusal_parity.statistics.rounding import TIE
from refusal_parity.vocabulary import Estimand, Method

if TYPE_CHECKING:
    from collections.abc import Callable

    from refusal_parity.statistics.bootstrap import Resamples
    from refusal_parity.statistics.design import BoolArray, FloatArray
    from refusal_parity.statistics.randomisation import Draws
    from refusal_parity.statistics.repeated.results import Studies

_LISTED: Final = 20_000
"""Splits of names that are listed one by one for all studies at once."""


NOT_REPEATED: Final = frozenset({Method.GLM_CR2_NAME})
"""Methods that are left out: each study's own weights would cost it a whole regression, thousands
of times, for odds ratios that only describe."""


def repeated_runs(
    studies: Studies, *, alpha: float, margin: float, draws: Draws, resamples: Resamples
) -> dict[tuple[Method, ...], Callable[[], list[Repeated]]]:
    """The methods for levels of names on each study, as `methods.run_methods` runs them on one.

    All but `NOT_REPEATED`, and of the pairs of levels those with the first.

    Args:
        studies: counts; two levels or more, each with a response in every study.
        alpha: 1 less the level of the intervals.
        margin: of the equivalence test.
        draws: permutations and seed; all studies share them.
        resamples: bootstrap samples and seed; all studies share them.

    Returns:
        What runs each of them, and which it runs.
    """

    @cache
    def two_way() -> Repeated:
        return regressions.ols_cr2_two_way(studies, alpha)

    return {
        (Method.NEWCOMBE, Method.KATZ, Method.CHI_SQUARE): partial(
            rates.proportions, studies, alpha
        ),
        (Method.MANTEL_HAENSZEL,): partial(rates.mantel_haenszel, studies),
        (Method.OLS_TWO_WAY,): partial(regressions.ols_two_way, studies, alpha),
        (Method.OLS_CR2_TWO_WAY,): lambda: [two_way()],
        (Method.EQUIVALENCE,): lambda: [_equivalence(two_way(), margin, alpha)],
        LOGISTIC[:3]: partial(regressions.logistic, studies, alpha),
        (Method.OLS_CR2_NAME,): partial(regressions.ols_cr2_name, studies, alpha),
        (Method.PERMUTATION_NAMES, Method.PERMUTATION_NAMES_F): partial(
            _randomisation, studies, draws
        ),
        (Method.PERMUTATION_NAMES_EXACT,): lambda: [_exact(studies, alpha, draws)],
        (Method.WELCH_NAMES, Method.ANOVA_NAMES): partial(rates.name_rates, studies, alpha),
        **{
            (method,): partial(_bootstrap, studies, alpha, resamples, method)
            for method in BOOTSTRAPS
        },
    }


def run_repeated(
    studies: Studies, *, alpha: float, margin: float, draws: Draws, resamples: Resamples
) -> list[Repeated]:
    """What all of `repeated_runs` find."""
    runs = repeated_runs(studies, alpha=alpha, margin=margin, draws=draws, resamples=resamples)
    return [row for run in runs.values() for row in run()]


def _equivalence(linear: Repeated, margin: float, alpha: float) -> Repeated:
    """`equivalence.two_one_sided` on the coefficients of the linear model."""
    assert linear.estimate is not None  # noqa: S101 - contrasts of a regression
    assert linear.std_error is not None  # noqa: S101
    assert linear.df is not None  # noqa: S101
    reach = t_isf(alpha, linear.df) * linear.std_error
    statistic = (margin - np.abs(linear.estimate)) / linear.std_error
    return Repeated(
        method=Method.EQUIVALENCE,
        estimand=Estimand.RISK_DIFFERENCE,
        groups=linear.groups,
        estimate=linear.estimate,
        std_error=linear.std_error,
        df=linear.df,
        p_value=np.asarray(t_sf(statistic, linear.df)),
        low=linear.estimate - reach,
        high=linear.estimate + reach,
    )


def _randomisation(studies: Studies, draws: Draws) -> list[Repeated]:
    grid = studies.grid
    found = permutation_names(studies.k.sum(axis=2), grid.n.sum(axis=1), grid.level, draws)
    methods = (Method.PERMUTATION_NAMES, Method.PERMUTATION_NAMES_F)
    untested = len(grid.levels) == len(grid.level)
    return [
        Repeated(
            method=method,
            estimand=Estimand.GLOBAL,
            groups=(None,),
            p_value=np.where(untested, np.nan, p)[:, None],
        )
        for method, p in zip(methods, found, strict=True)
    ]


def _exact(studies: Studies, alpha: float, draws: Draws) -> Repeated:
    grid = studies.grid
    k, n = studies.k.sum(axis=2), grid.n.sum(axis=1)
    groups = grid.levels[1:]
    rates = studies.level_k.sum(axis=2) / studies.level_n.sum(axis=1)
    p_values = []
    for at in range(1, len(grid.levels)):
        chosen = np.isin(grid.level, [0, at])
        pair = k[:, chosen], n[chosen], grid.level[chosen] == at
        few = math.comb(len(pair[1]), int(pair[2].sum())) <= _LISTED
        p_values.append(_listed(*pair) if few else _counted_near(*pair, alpha, draws))
    return Repeated(
        method=Method.PERMUTATION_NAMES_EXACT,
        estimand=Estimand.RISK_DIFFERENCE,
        groups=groups,
        estimate=rates[:, 1:] - rates[:, :1],
        p_value=np.column_stack(p_values),
    )


def _listed(k: FloatArray, n: FloatArray, ours: BoolArray) -> FloatArray:
    """`exact.permutation_names_exact` with every split in turn, shape (studies,)."""
    names, size = len(n), int(ours.sum())
    # Of two sides of one size, the split with the first name on this one stands for both.
    first = 2 * size == names
    chosen = np.array(list(combinations(range(first, names), size - first)), dtype=np.intp)
    split = np.zeros((len(chosen), names))
    np.put_along_axis(split, chosen, 1, axis=1)
    split[:, 0] += first
    hits, sizes = k @ split.T, split @ n
    difference = hits / sizes - (k.sum(axis=1, keepdims=True) - hits) / (n.sum() - sizes)
    mine = k[:, ours].sum(axis=1) / n[ours].sum() - k[:, ~ours].sum(axis=1) / n[~ours].sum()
    # Rates are 1 at most, and so TIE is a share of their size.
    reached = np.abs(difference) >= np.abs(mine)[:, None] - TIE
    return np.asarray(reached.mean(axis=1), dtype=np.float64)


def _counted_near(
    k: FloatArray, n: FloatArray, ours: BoolArray, alpha: float, draws: Draws
) -> FloatArray:
    """The p-value from random splits, and from all of them where it is near alpha.

    Near is within four standard errors, so that hardly a study in 10,000 is
    decided otherwise than by counting every time.
    """
    p_value = permutation_names(k, n, ours.astype(np.intp), draws).spread
    error = math.sqrt(alpha * (1 - alpha) / draws.permutations)
    for study in np.flatnonzero(np.abs(p_value - alpha) < 4 * error):
        counted = counted_p_value(k[study], n, ours)
        p_value[study] = p_value[study] if counted is None else counted
    return p_value


def _bootstrap(
    studies: Studies, alpha: float, resamples: Resamples, method: Method
) -> list[Repeated]:
    grid = studies.grid
    counts = Drawn(studies.k, grid.n, grid.level, grid.levels)
    observed = studies.level_k.sum(axis=2) / studies.level_n.sum(axis=1)
    single = np.bincount(grid.level) == 1
    thin = single | (np.count_nonzero(studies.level_n, axis=1) == 1)
    templates = method is Method.BOOTSTRAP_PIGEONHOLE
    rates_drawn = resampled_rates(counts, resamples, templates=templates)
    drawn = rates_drawn[:, 1:] - rates_drawn[:, :1]
    # The quantile of samples without NaN is the faster one by far.
    quantile = np.nanquantile if np.isnan(drawn).any() else np.quantile
    low, high = quantile(drawn, [alpha / 2, 1 - alpha / 2], axis=2)
    reason = thin if templates else single
    none = (reason[1:] | reason[0]) | ~vary(drawn, rates_drawn)
    return [
        Repeated(
            method=method,
            estimand=Estimand.RISK_DIFFERENCE,
            groups=grid.levels[1:],
            estimate=observed[:, 1:] - observed[:, :1],
            low=np.where(none, np.nan, low),
            high=np.where(none, np.nan, high),
        )
    ]
