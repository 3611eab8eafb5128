"""The mixed model against R's lme4, and against numerical integration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import gammaln

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.designs.counts import Design
from refusal_parity.statistics.fits.laplace import MixedModel, fit_mixed_model
from refusal_parity.statistics.mixed_models import mixed_models

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from reference_numbers import ReferenceStudy


@pytest.fixture
def fits(reference_study: ReferenceStudy) -> tuple[MixedModel, MixedModel]:
    design = reference_study.design()
    return fit_mixed_model(design), fit_mixed_model(design, levels=False)


def test_equals_lme4(reference_study: ReferenceStudy, fits: tuple[MixedModel, MixedModel]) -> None:
    full, null = fits
    expected, design = reference_study.numbers["mixed_model"], reference_study.design()
    near = reference_study.tolerances.mixed
    slopes, covariance = full.coefficients[1:], full.covariance[1:, 1:]
    ways = (gammaln(design.n + 1) - gammaln(design.k + 1) - gammaln(design.n - design.k + 1)).sum()
    mine = {
        "coefficients": full.coefficients,
        "std_error": np.sqrt(np.diag(full.covariance)),
        "variances": np.array([full.name_variance, full.template_variance]),
        "null_intercept": null.coefficients[0],
        "null_variances": np.array([null.name_variance, null.template_variance]),
        "log_likelihood": full.log_likelihood,
        "null_log_likelihood": null.log_likelihood,
        "log_likelihood_of_counts": full.log_likelihood + ways,
        "null_log_likelihood_of_counts": null.log_likelihood + ways,
        "ratio": 2 * (full.log_likelihood - null.log_likelihood),
        "wald": float(slopes @ np.linalg.solve(covariance, slopes)),
    }
    for key, value in expected.items():
        assert mine[key] == pytest.approx(np.array(value), rel=near, abs=near), key
    assert full.converged
    assert null.converged


def test_laplace_is_near_the_integral_where_cells_are_large() -> None:
    # One template: its intercept and the overall one are confounded, names are integrated alone.
    random = np.random.default_rng(1)
    n = np.full(30, 400.0)
    k = random.binomial(400, 1 / (1 + np.exp(1 - random.normal(0, 0.7, 30)))).astype(float)
    names = np.arange(30)
    both = Design(("x",), 0 * names, names, names % 2, n, k)
    fit = fit_mixed_model(both, levels=False)
    if fit.template_variance > 1e-3:
        pytest.fail("the example should have no template effect")

    def marginal(hits: float) -> float:
        peak = np.log(hits / (400 - hits))

        def integrand(u: float) -> float:
            linear = fit.coefficients[0] + u * np.sqrt(fit.name_variance)
            exponent = hits * (linear - peak) - 400 * np.log(
                (1 + np.exp(linear)) / (1 + np.exp(peak))
            )
            return float(np.exp(exponent - u * u / 2) / np.sqrt(2 * np.pi))

        found, _ = quad(integrand, -8, 8, points=[0], limit=400)
        return float(np.log(found) + hits * peak - 400 * np.log1p(np.exp(peak)))

    exact = sum(marginal(each) for each in k)
    assert fit.log_likelihood == pytest.approx(exact, abs=0.05)


def test_without_variance_errors_are_those_of_plain_logistic_regression() -> None:
    """Names and templates differ less than chance has it: n p (1 - p) says all."""
    name, template = (each.ravel() for each in np.indices((8, 3)))
    refused = np.array([3, 0, 3, 0, 3, 0, 0, 3, 0, 3, 0, 3, 0, 3, 0, 0, 3, 0, 3, 0, 3, 3, 0, 3.0])
    design = Design(("man", "woman"), name // 4, name, template, np.full(24, 3.0), refused)
    fit = fit_mixed_model(design)
    assert fit.converged
    assert (fit.name_variance, fit.template_variance) == (0, 0)
    assert fit.covariance == pytest.approx(np.array([[1, -1], [-1, 2]]) / (36 / 4), rel=1e-9)
    assert fit.coefficients == pytest.approx([0, 0], abs=1e-9)


def test_table(study: Callable[..., pl.DataFrame]) -> None:
    mixed = {"A": ["raa", "ara", "rra"], "B": ["aaa", "raa", "rar"], "C": ["rra", "aaa", "aar"]}
    groups = {
        "x": mixed,
        "y": {f"{name}2": [cell[::-1] for cell in cells][::-1] for name, cells in mixed.items()},
        "none": {"N": ["aaa"] * 3, "M": ["aaa"] * 3},
        "lost": {"L": ["---"] * 3},
    }
    config = AnalysisConfig(
        outcomes=[Outcome.REFUSAL, Outcome.ANSWER_LENGTH],
        dimensions={"group": DimensionConfig(reference="x")},
    )
    frame = mixed_models(study(groups), config)
    rows = {(row["quantity"], row["term"]): row for row in frame.iter_rows(named=True)}
    assert rows["odds_ratio", "y"]["ci_low"] < rows["odds_ratio", "y"]["estimate"]
    assert rows["odds_ratio", "none"]["note"] == (
        "not estimable: no response of none has the outcome"
    )
    why = "lost has no response that counts (all empty)"
    assert rows["odds_ratio", "lost"]["note"] == f"not estimable: {why}"
    assert rows["likelihood_ratio", "all levels"]["df"] == 1
    assert rows["variance", "name"]["estimate"] >= 0
    assert rows["variance", "template"]["share"] <= 1


@pytest.mark.parametrize(
    ("groups", "reason"),
    [
        ({"x": {"A": ["aaa"]}, "y": {"B": ["rra"]}}, "no response of x has the outcome"),
        ({"x": {"A": ["rrr"]}, "y": {"B": ["rra"]}}, "every response of x has the outcome"),
        ({"x": {"A": ["raa"]}, "y": {"B": ["rra"]}}, "there is one template"),
        ({"x": {"A": ["raa"]}, "y": {"B": ["---"]}}, "nothing to compare the reference with"),
    ],
    ids=["none refused", "all refused", "one template", "one level"],
)
def test_not_estimable(
    study: Callable[..., pl.DataFrame], groups: dict[str, Any], reason: str
) -> None:
    config = AnalysisConfig(
        outcomes=[Outcome.REFUSAL], dimensions={"group": DimensionConfig(reference="x")}
    )
    frame = mixed_models(study(groups), config)
    assert frame["estimate"].is_null().all()
    assert frame["note"].str.contains(reason).all()


@pytest.mark.parametrize("flat", [(True,), (False,), (True, False), ()])
def test_no_number_stands_unless_both_likelihoods_have_a_maximum(
    study: Callable[..., pl.DataFrame], monkeypatch: pytest.MonkeyPatch, flat: tuple[bool, ...]
) -> None:
    mixed = {"A": ["raa", "ara", "rra"], "B": ["aaa", "raa", "rar"], "C": ["rra", "aaa", "aar"]}
    groups = {"x": mixed, "y": {f"{name}2": cells[::-1] for name, cells in mixed.items()}}

    def fitted(design: Design, *, levels: bool = True) -> MixedModel:
        found = fit_mixed_model(design, levels=levels)
        return found._replace(converged=found.converged and levels not in flat)

    monkeypatch.setattr("refusal_parity.statistics.mixed_models.fit_mixed_model", fitted)
    config = AnalysisConfig(
        outcomes=[Outcome.REFUSAL], dimensions={"group": DimensionConfig(reference="x")}
    )
    frame = mixed_models(study(groups), config)
    assert frame["estimate"].is_null().all() == bool(flat)
    assert frame["note"].str.contains("no proper maximum").any() == bool(flat)
