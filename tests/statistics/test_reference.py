"""Every number of the statistics' tables against R: synthetic studies, and the released one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
import pytest
from reference_numbers import DISPARITY_KEYS, INFLUENCE_KEYS, RATE_KEYS, hold

from refusal_parity.statistics.adjust import benjamini_hochberg, holm

if TYPE_CHECKING:
    from reference_numbers import ReferenceStudy

# Over groups whose names vary unequally it says so; `reference.R` does not.
UNEQUAL: Final = "names that vary unequally"


def test_rates(reference_study: ReferenceStudy) -> None:
    expected = reference_study.numbers["rates"]
    hold(reference_study, expected, reference_study.rates, RATE_KEYS)


def test_comparisons(reference_study: ReferenceStudy) -> None:
    expected = reference_study.numbers["disparities"]
    hold(reference_study, expected, reference_study.disparities, DISPARITY_KEYS)


def test_no_comparison_is_left_unchecked(reference_study: ReferenceStudy) -> None:
    """What has a number has one of R's; of the released study R has some contrasts only."""
    checked = {
        tuple(row.get(key) for key in DISPARITY_KEYS)
        for row in reference_study.numbers["disparities"]
    }
    frame = reference_study.disparities.filter(
        pl.any_horizontal(pl.col("estimate", "statistic").is_not_null())
    )
    methods = {method for _, _, method, *_ in checked}
    if reference_study.is_own:
        assert set(frame.select(DISPARITY_KEYS).iter_rows()) == checked
    else:
        ours = {"ols_cr2_two_way", "wilson_two_way", "calibrated", "equivalence"}
        assert set(frame["method"]) - methods == ours


def test_influence(reference_study: ReferenceStudy) -> None:
    expected = reference_study.numbers["influence"]
    frame = reference_study.influence
    hold(reference_study, expected, frame, INFLUENCE_KEYS)
    assert len(expected) == frame.height or not reference_study.is_own


def test_adjustments(reference_study: ReferenceStudy) -> None:
    for given in reference_study.numbers["adjustments"]:
        p_values = np.array(given["p"])
        assert holm(p_values) == pytest.approx(given["holm"], rel=1e-9, abs=0)
        assert benjamini_hochberg(p_values) == pytest.approx(given["bh"], rel=1e-9, abs=0)


def test_logistic_says_how_many_templates_it_drops(reference_study: ReferenceStudy) -> None:
    """Those where the outcome does not vary."""
    n, k = reference_study.design().by_template()
    flat = int(np.isin(k.sum(axis=1), [0, n.sum()]).sum() + (k.sum(axis=1) == n.sum(axis=1)).sum())
    rows = reference_study.disparities.filter(
        outcome="refusal", dimension="group", method="glm_cluster_two_way"
    )
    said = f"without templates where the outcome does not vary ({flat})"
    assert rows["note"].fill_null("").str.contains(said, literal=True).all() == (flat > 0)


def test_unequal_variance_is_noted(reference_study: ReferenceStudy) -> None:
    names = reference_study.design().by_name()
    levels = reference_study.design().levels
    rates = {level: (names.k / names.n)[names.level == at] for at, level in enumerate(levels)}
    rows = reference_study.disparities.filter(
        outcome="refusal", dimension="group", method="permutation_names_exact"
    )
    for group, reference, note in rows.select("group", "reference", "note").iter_rows():
        ours, others = rates[group], rates[reference]
        variances = sorted([ours.var(ddof=1), others.var(ddof=1)])
        unequal = len(ours) != len(others) and variances[1] > 4 * variances[0]
        said = f"{len(ours)} and {len(others)} {UNEQUAL}"
        assert (said in (note or "")) == unequal
