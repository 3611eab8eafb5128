from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import StratifiedTable

from refusal_parity.statistics.methods.mantel_haenszel import generalised_cmh, pooled_odds_ratio


def strata(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    n = random.integers(1, 9, (12, 2)).astype(float)
    return random.binomial(n.astype(int), random.uniform(0, 0.6, (12, 1))).astype(float), n


@pytest.mark.parametrize("seed", range(5))
def test_two_groups_are_the_common_test(seed: int) -> None:
    k, n = strata(seed)
    tables = [np.array([[k[i, j], n[i, j] - k[i, j]] for j in (1, 0)]) for i in range(len(k))]
    theirs = StratifiedTable(tables)
    mine, pooled = generalised_cmh(k.T[None], n.T), pooled_odds_ratio(k.T[None], n.T)
    assert mine.statistic[0] == pytest.approx(theirs.test_null_odds(correction=False).statistic)
    assert pooled.odds_ratio[0] == pytest.approx(theirs.oddsratio_pooled, rel=1e-12)
    assert pooled.log_std_error[0] == pytest.approx(theirs.logodds_pooled_se, rel=1e-12)


def test_strata_without_variation_or_without_a_group_change_nothing() -> None:
    k, n = strata(9)
    more_k = np.vstack([k, [[0, 0], [3, 4], [2, 0]]])
    more_n = np.vstack([n, [[5, 5], [3, 4], [4, 0]]])
    for test in (generalised_cmh, pooled_odds_ratio):
        mine, same = test(more_k.T[None], more_n.T), test(k.T[None], n.T)
        assert [float(np.squeeze(each)) for each in mine] == pytest.approx(
            [float(np.squeeze(each)) for each in same], rel=1e-12
        )
