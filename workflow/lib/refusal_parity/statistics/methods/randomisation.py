"""Randomisation tests of all groups together; `statistics.randomisation` has the permutations."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from refusal_parity.dimensions import Unit
from refusal_parity.statistics.answers import Answers, Remark
from refusal_parity.statistics.designs.within_templates import all_unlike_templates, name_sums
from refusal_parity.statistics.methods.name_rates import one_way_variance
from refusal_parity.statistics.registry import METHODS, Method, Needs
from refusal_parity.statistics.resampling.few_names import few_names, least_p_value
from refusal_parity.statistics.resampling.randomisation import permutation_names
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.registry import Setting
    from refusal_parity.statistics.resampling.randomisation import Draws, Permuted


def spread_test(studies: Studies, setting: Setting) -> list[Answers]:
    """The spread between the groups' rates, with levels that are a property of names."""
    statistic = np.ptp(name_sums(studies).of_levels(studies.grid.level), axis=1)
    return [_answers("permutation_names", studies, setting, statistic)]


def f_test(studies: Studies, setting: Setting) -> list[Answers]:
    """F of the names' rates, with levels that are a property of names."""
    statistic = one_way_variance(name_sums(studies).rates, studies.grid.level).statistic
    undefined = Remark(
        "F is not defined: names of one group do not differ",
        np.isnan(statistic)[:, None],
        ("statistic",),
    )
    return [_answers("permutation_names_f", studies, setting, statistic).remarking(undefined)]


def _answers(method: str, studies: Studies, setting: Setting, statistic: FloatArray) -> Answers:
    levels, names = len(studies.grid.levels), len(studies.grid.level)
    tested = 1 < levels < names
    permuted = _permuted(studies, setting.draws) if tested else None
    found = None if permuted is None else getattr(permuted, _STATISTICS[method])
    least = least_p_value(studies.name_k, studies.name_n, np.bincount(studies.grid.level))
    reason = "one group only" if levels <= 1 else "every group has one name"
    return Answers(
        method=METHODS[method],
        estimand=Estimand.GLOBAL,
        studies=len(studies),
        statistic=statistic[:, None],
        p_value=np.array(np.nan) if found is None else np.maximum(found, least)[:, None],
        remarks=(
            (*all_unlike_templates(studies), few_names(least[:, None], setting.alpha))
            if tested
            else (Remark.missing(reason),)
        ),
    )


@lru_cache(maxsize=2)
def _permuted(studies: Studies, draws: Draws) -> Permuted:
    """Both tests share the permutations."""
    return permutation_names(*name_sums(studies), studies.grid.level, draws)


_STATISTICS: Final = {"permutation_names": "spread", "permutation_names_f": "f"}
_CITATION: Final = (
    "Phipson and Smyth (2010), Permutation p-values should never be zero, Statistical "
    "Applications in Genetics and Molecular Biology 9, 39."
)
_OVER_NAMES: Final = Needs(units=frozenset({Unit.NAME}))
PERMUTATION_NAMES: Final = Method(
    "permutation_names",
    heading="Randomisation test over names",
    estimands=(Estimand.GLOBAL,),
    scope=Scope.NEW_NAMES,
    needs=_OVER_NAMES,
    citation=_CITATION,
    run=spread_test,
)
PERMUTATION_NAMES_F: Final = Method(
    "permutation_names_f",
    heading="Randomisation test over names, F",
    estimands=(Estimand.GLOBAL,),
    scope=Scope.NEW_NAMES,
    needs=_OVER_NAMES,
    citation=_CITATION,
    run=f_test,
)
