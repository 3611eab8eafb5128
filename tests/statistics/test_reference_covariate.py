"""The adjusted linear model: R's errors on a design with an attribute of names beside the groups.

No method of the package fits it yet. Its covariances take any contrasts within
templates, and are held against R with these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from reference_studies import numbers_of_r, own_rows

from refusal_parity.statistics.designs.counts import codes_of
from refusal_parity.statistics.designs.regressors import Absorbed
from refusal_parity.statistics.methods import METHODS
from refusal_parity.statistics.variances.contrasts import Fitted, hotelling
from refusal_parity.statistics.variances.cr2 import bias_reduced, cluster_terms, spread
from refusal_parity.statistics.variances.cr2_two_way import OneWay, both_ways, one_way
from refusal_parity.statistics.variances.roots import triangle
from refusal_parity.statistics.variances.sandwich import Sandwich, two_way

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray, IntArray


class Adjusted(NamedTuple):
    """Least squares of refusals on groups, log frequency and templates, a row a response."""

    terms: tuple[str, ...]
    absorbed: Absorbed
    coefficients: FloatArray
    residual: FloatArray
    largest: FloatArray
    name: IntArray
    template: IntArray


@pytest.fixture(scope="module")
def fit() -> Adjusted:
    rows = own_rows("covariate")
    name, template = (codes_of(rows[key].to_numpy().astype(str)) for key in ("name", "template"))
    groups = rows["group"].unique().sort().to_list()[1:]
    regressors = [*(rows["group"] == group for group in groups), rows["log_frequency"]]
    y = rows["label"].is_in(["refusal", "harmful_refusal"]).to_numpy().astype(float)
    total = np.bincount(template).astype(float)

    def within(values: FloatArray) -> FloatArray:
        return values - (np.bincount(template, values) / total)[template]

    x = np.column_stack([within(each.to_numpy().astype(float)) for each in regressors])
    ones, bread = np.ones(len(y)), np.linalg.inv(x.T @ x)
    coefficients = bread @ (x.T @ within(y))
    return Adjusted(
        (*groups, "log_frequency"),
        Absorbed(x, bread, ones, ones, template, total),
        coefficients,
        within(y) - x @ coefficients,
        bread * y.sum(),
        name,
        template,
    )


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    found: dict[str, Any] = numbers_of_r()["studies"]["covariate"]["covariate"]
    return found


def clustered(fit: Adjusted, cluster: IntArray) -> OneWay:
    """CR2 of each coefficient: the first of all pairs of terms."""
    found = spread(fit.absorbed, cluster)
    terms = cluster_terms(found, fit.residual, cluster)
    return one_way(terms, found.df[: len(fit.terms)], None)


def sums(fit: Adjusted, cluster: IntArray) -> FloatArray:
    """What each cluster's residuals move the coefficients by."""
    moved = fit.absorbed.influence * fit.residual[:, None]
    return np.column_stack([np.bincount(cluster, column) for column in moved.T])


def test_coefficients(fit: Adjusted, expected: dict[str, Any]) -> None:
    assert list(fit.terms) == expected["terms"]
    assert fit.coefficients == pytest.approx(expected["estimate"], rel=1e-9)


@pytest.mark.parametrize("cluster", ["name", "template"])
def test_bias_reduced_errors(fit: Adjusted, expected: dict[str, Any], cluster: str) -> None:
    found = clustered(fit, getattr(fit, cluster))
    assert np.sqrt(found.variance) == pytest.approx(expected[f"std_error_{cluster}"], rel=1e-9)
    assert found.df == pytest.approx(expected[f"df_{cluster}"], rel=1e-9)


def test_two_way_errors(fit: Adjusted, expected: dict[str, Any]) -> None:
    cell = codes_of(fit.name * (fit.template.max() + 1) + fit.template)
    cells = int(cell.max()) + 1
    variance = cells / (cells - fit.absorbed.parameters) * (sums(fit, cell) ** 2).sum(axis=0)
    assert variance == pytest.approx(expected["variance_cell"], rel=1e-9)
    found = both_ways(clustered(fit, fit.name), clustered(fit, fit.template), variance)
    assert np.sqrt(found.variance) == pytest.approx(expected["std_error_two_way"], rel=1e-9)
    assert found.df == pytest.approx(expected["df_two_way"], rel=1e-9)


def test_two_way_errors_of_many_clusters(fit: Adjusted, expected: dict[str, Any]) -> None:
    rows = len(fit.residual)
    cell = codes_of(fit.name * (fit.template.max() + 1) + fit.template)

    def root(cluster: IntArray) -> FloatArray:
        clusters = int(cluster.max()) + 1
        factor = clusters / (clusters - 1) * (rows - 1) / (rows - fit.absorbed.parameters)
        return np.asarray(triangle(np.sqrt(factor) * sums(fit, cluster)[None]))

    by_cell = root(cell)
    sandwich = Sandwich(root(fit.name), root(fit.template), np.swapaxes(by_cell, 1, 2) @ by_cell)
    found = two_way(sandwich, np.diag(fit.largest)[None])
    assert not found.by_name.any()
    assert not found.by_template.any()
    std_error = np.sqrt((found.root[0] ** 2).sum(axis=0))
    assert std_error == pytest.approx(expected["std_error_two_way_cr1"], rel=1e-9)


def test_joint_test(fit: Adjusted, expected: dict[str, Any]) -> None:
    found = bias_reduced(fit.absorbed, fit.residual, fit.name)
    joint = Fitted(
        levels=("reference", *fit.terms),
        coefficients=fit.coefficients[None],
        root=found.root[None],
        largest=fit.largest[None],
        df=found.df,
        df_joint=np.array(found.df_joint),
    )
    mine = hotelling(joint, METHODS["ols_cr2_name"]).of_study(0)[0]
    for key, value in expected["htz"].items():
        assert getattr(mine, key) == pytest.approx(value, rel=1e-9), key
