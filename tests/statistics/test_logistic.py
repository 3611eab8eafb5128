"""Logistic regressions against those of statsmodels, which has a column for each template."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from one_study import rows_of
from random_designs import incidence, random_design
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM

from refusal_parity.statistics.fits.separation import trim

CLUSTERS = {
    "glm_cluster_name": ("name",),
    "glm_cluster_template": ("template",),
    "glm_cluster_two_way": ("name", "template"),
}


def theirs(design: Any, clusters: tuple[str, ...]) -> Any:
    """Statsmodels' fit to one row for each response."""
    n, k = design.n.astype(int), design.k.astype(int)
    of_response = np.repeat(np.arange(len(n)), n)
    y = np.concatenate([np.arange(size) < hits for size, hits in zip(n, k, strict=True)])
    groups = np.column_stack([getattr(design, each) for each in clusters])[of_response]
    with warnings.catch_warnings():
        # Two-way covariances of effects that are not looked at may be negative.
        warnings.simplefilter("ignore")
        return GLM(y.astype(float), incidence(design)[of_response], family=Binomial()).fit(
            tol=1e-12,
            tol_criterion="params",
            cov_type="cluster",
            cov_kwds={"groups": groups.squeeze()},
        )


@pytest.mark.parametrize("method", CLUSTERS)
@pytest.mark.parametrize("seed", range(6))
def test_numbers_are_those_of_statsmodels(seed: int, method: str) -> None:
    design = random_design(seed, templates=8, missing=0.1 * (seed % 3))
    n, k = (each.T for each in design.by_template())
    assert trim(n, k[None]).templates[0] == 0
    expected = theirs(design, CLUSTERS[method])
    rows = {(row.group, row.reference): row for row in rows_of(method, design)}
    fell_back = "not positive definite" in (rows["g1", "g0"].note or "")
    for at, group in enumerate(("g1", "g2")):
        mine = rows[group, "g0"]
        assert mine.estimate is not None
        assert math.log(mine.estimate) == pytest.approx(expected.params[at], rel=1e-8, abs=1e-9)
        if not fell_back:
            assert mine.std_error == pytest.approx(expected.bse[at], rel=1e-8)
            assert mine.statistic == pytest.approx(expected.tvalues[at], rel=1e-7)


def test_a_template_that_does_not_vary_changes_nothing() -> None:
    design = random_design(3, templates=8)
    flat = design.template == 0
    constant = type(design)(
        design.levels,
        design.level,
        design.name,
        design.template,
        design.n,
        np.where(flat, 0, design.k),
    )
    for method in CLUSTERS:
        mine = rows_of(method, constant)
        without = rows_of(method, constant.keep(~flat))
        for one, other in zip(mine, without, strict=True):
            assert one.estimate == pytest.approx(other.estimate, rel=1e-12)
            assert one.p_value == pytest.approx(other.p_value, rel=1e-12)
            assert "without templates where the outcome does not vary (1)" in (one.note or "")
