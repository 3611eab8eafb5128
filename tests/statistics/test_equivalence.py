from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pytest
from programs import program_of
from scipy.stats import norm, t
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.weightstats import DescrStatsW

from refusal_parity.statistics.equivalence import rates_within, two_one_sided
from refusal_parity.statistics.proportions import TwoRates

if TYPE_CHECKING:
    from types import ModuleType

    from reference_numbers import ReferenceStudy

SHARED: Final = ("estimate", "std_error", "df")


@pytest.fixture(scope="module")
def program() -> ModuleType:
    """The program that draws studies at the margin."""
    return program_of("margin_studies")


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
        assert [row[each] for each in SHARED] == [fit[each] for each in SHARED]
        margin = config.margin
        if row["outcome"] == "answer_length":
            margin = config.length_margin
            beyond = t.sf((margin - abs(fit["estimate"])) / fit["std_error"], fit["df"])
            assert row["p_value"] == pytest.approx(beyond, rel=1e-9)
            half_width = t.ppf(0.95, fit["df"]) * fit["std_error"]
            ends = [fit["estimate"] - half_width, fit["estimate"] + half_width]
            assert [row["ci_low"], row["ci_high"]] == pytest.approx(ends, abs=1e-9)
        else:
            assert -1 <= row["ci_low"] <= row["estimate"] <= row["ci_high"] <= 1
        within = -margin < row["ci_low"] and row["ci_high"] < margin
        assert (row["p_value"] < 0.05) == within
        assert row["scope"] == "new templates and new names"
    primary = tests.filter(outcome="refusal", dimension="group", reference=rows["reference"][0])
    assert set(primary["family"].drop_nulls()) == {"primary: refusal by group, equivalence"}


def test_limits_of_independent_rates_are_newcombes() -> None:
    """Against statsmodels' interval of Newcombe's tenth method, to either side."""
    k, n, m, q = 3.0, 80.0, 11.0, 120.0
    low, high = confint_proportions_2indep(k, n, m, q, method="newcomb", alpha=0.1)
    pair = of_rates(k / n, n, m / q, q)
    reach = np.array([norm.isf(0.05)])
    ends = [float(end[0]) for end in pair.limits(reach)]
    assert ends == pytest.approx([low, high], rel=1e-12)
    other = of_rates(m / q, q, k / n, n)
    ends = [float(end[0]) for end in other.limits(reach)]
    assert ends == pytest.approx([-high, -low], rel=1e-12)


def test_errors_in_common_make_the_interval_shorter() -> None:
    reach = np.array([1.7])
    widths = [
        float(np.diff(np.concatenate(pair.limits(reach)))[0])
        for pair in (of_rates(0.2, 60, 0.25, 70, correlation=r) for r in (0.0, 0.5, 0.9))
    ]
    assert widths[0] > widths[1] > widths[2] > 0


@pytest.mark.parametrize(("ours", "others"), [(0.0, 0.0), (0.02, 0.0), (0.97, 1.0), (0.3, 0.9)])
def test_the_p_value_is_that_of_the_interval_which_reaches_the_margin(
    ours: float, others: float
) -> None:
    margin, df = 0.05, np.array([9.0])
    pair = of_rates(ours, 300, others, 250, correlation=0.2)
    found = rates_within(pair, df, margin=margin, alpha=0.05)
    low, high = (float(end[0]) for end in pair.limits(np.abs(found.statistic)))
    # Beyond the margin it is the near end that reaches it, and the statistic is below 0.
    is_within = abs(ours - others) < margin
    assert (max(-low, high) if is_within else max(low, -high)) == pytest.approx(margin, rel=1e-9)
    assert (found.statistic[0] > 0) == is_within
    assert found.p_value[0] == pytest.approx(t.sf(found.statistic[0], 9), rel=1e-12)
    assert (found.p_value[0] > 0.5) == (abs(ours - others) > margin)


def test_a_rate_of_0_in_both_groups_is_as_sure_as_their_sizes_allow() -> None:
    """Wilson's upper limit where none of n has the outcome is z^2 / (n + z^2)."""
    df = np.array([1e9])
    z2 = norm.isf(0.05) ** 2
    for size, is_small in ((40.0, False), (60.0, True)):
        found = rates_within(of_rates(0.0, size, 0.0, size), df, margin=0.05, alpha=0.05)
        assert found.high[0] == pytest.approx(z2 / (size + z2), rel=1e-6)
        assert (found.p_value[0] < 0.05) == is_small


@pytest.mark.parametrize("rates", [(0.005, 0.055), (0.99, 0.94)])
def test_a_difference_of_the_margin_is_seldom_called_small(
    program: ModuleType, rates: tuple[float, float]
) -> None:
    """5 % and three standard errors of 200 studies; benchmarks/margin_studies.py has 2,000."""
    random = np.random.default_rng(3)
    drawn = program.draw("32x56", program.PATTERNS["MODERN"], rates, 200, random)
    assert program.called_small([drawn]).mean < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_no_difference_is_often_called_small(program: ModuleType) -> None:
    random = np.random.default_rng(4)
    drawn = program.draw("32x56", program.PATTERNS["LOW"], (0.01, 0.01), 60, random)
    assert program.called_small([drawn]).mean > 0.9


def of_rates(
    ours: float, size: float, others: float, other_size: float, correlation: float = 0.0
) -> TwoRates:
    p, n, q, m, r = (np.array([each]) for each in (ours, size, others, other_size, correlation))
    return TwoRates(p - q, p, q, n, m, r)
