"""What permutations of names can say at most where few names have an outcome, or lack it."""

from __future__ import annotations

from functools import lru_cache
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from refusal_parity.statistics.answers import Remark

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray, IntArray


def least_p_value(k: FloatArray, n: FloatArray, sizes: IntArray) -> FloatArray:
    """The share of permutations with all names that have the outcome in one group, (studies,).

    None sets groups further apart, whatever the rates of these names. Where responses are
    missing, such permutations differ in what they are adjusted for, and the last digits alone
    would call one of them rarer than it is. The same holds of names that lack the outcome in
    some response. In complete designs no p-value is smaller.

    Args:
        k: responses with the outcome, shape (studies, names); sums of other quantities give 0.
        n: responses, shape (names,).
        sizes: names of each group, shape (groups,).
    """
    share = _shares(int(sizes.sum()), int(sizes.min()), int((sizes == sizes.min()).sum()))
    least = np.maximum(share[(k > 0).sum(axis=1)], share[(k < n).sum(axis=1)])
    # Sums of other quantities, such as log-odds, say nothing of who has what.
    counted = ((k == np.rint(k)) & (k >= 0) & (k <= n)).all(axis=1)
    return np.where(counted, least, 0.0)


@lru_cache(maxsize=64)
def _shares(names: int, smallest: int, groups: int) -> FloatArray:
    """Of permutations with as many chosen names as the place says in one of the smallest groups."""
    share = np.array(
        [min(1.0, groups * comb(smallest, few) / comb(names, few)) for few in range(names + 1)]
    )
    share.flags.writeable = False
    return share


def few_names(least: FloatArray, alpha: float) -> Remark:
    """Where so few names have the outcome, or lack it, that no p-value is below alpha.

    Args:
        least: as from `least_p_value`, shape (studies,) or (studies, 1).
        alpha: the level of the tests.
    """

    def words(study: int) -> str:
        return (
            "few names have the outcome, or lack it: permutations of names allow no p-value below "
            f"{np.ravel(least)[study]:.2g}"
        )

    return Remark(words, least > alpha)
