from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import t
from statsmodels.stats.weightstats import DescrStatsW

from refusal_parity.statistics.equivalence import two_one_sided

if TYPE_CHECKING:
    from reference_numbers import ReferenceStudy


@pytest.mark.parametrize("shift", [-0.4, -0.05, 0.0, 0.2])
def test_equals_statsmodels(shift: float) -> None:
    sample = np.random.default_rng(3).normal(shift, 1, 25)
    stats = DescrStatsW(sample)
    p_value, *_ = stats.ttost_mean(-0.5, 0.5)
    low, high = stats.tconfint_mean(alpha=0.1)
    mine = two_one_sided(stats.mean, stats.std_mean, 24, margin=0.5, alpha=0.05)
    assert mine.p_value == pytest.approx(p_value, rel=1e-12)
    assert (mine.low, mine.high) == pytest.approx((low, high), rel=1e-12)
    assert (mine.p_value < 0.05) == (low > -0.5 and high < 0.5)


def test_rows_are_those_of_the_two_way_errors(reference_study: ReferenceStudy) -> None:
    rows = reference_study.disparities
    tests = rows.filter(method="equivalence")
    key = ("outcome", "dimension", "group", "reference")
    fits = rows.filter(method="ols_cr2_two_way").rows_by_key(key, named=True, unique=True)
    config = reference_study.config
    for row in tests.iter_rows(named=True):
        fit = fits[tuple(row[each] for each in key)]
        margin = config.margin if row["outcome"] == "refusal" else config.length_margin
        beyond = t.sf((margin - abs(fit["estimate"])) / fit["std_error"], fit["df"])
        assert row["p_value"] == pytest.approx(beyond, rel=1e-9)
        half_width = t.ppf(0.95, fit["df"]) * fit["std_error"]
        ends = [fit["estimate"] - half_width, fit["estimate"] + half_width]
        assert [row["ci_low"], row["ci_high"]] == pytest.approx(ends, abs=1e-9)
        assert (row["p_value"] < 0.05) == (-margin < ends[0] and ends[1] < margin)
        assert row["scope"] == "new templates and new names"
    primary = tests.filter(outcome="refusal", dimension="group", reference=rows["reference"][0])
    assert set(primary["family"]) == {"primary: refusal by group, equivalence"}
