"""The mixed model against R's lme4, and against numerical integration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import gammaln

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.design import Design, build_designs
from refusal_parity.statistics.laplace import MixedModel, fit_mixed_model
from refusal_parity.statistics.mixed_models import mixed_models

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

LEVELS = ["white", "muslim", "mexican", "chinese", "asian"]


@pytest.fixture(scope="module")
def design(released: pl.DataFrame) -> Design:
    return build_designs(released, "group", LEVELS, [Outcome.REFUSAL])[Outcome.REFUSAL]


@pytest.fixture(scope="module")
def fits(design: Design) -> tuple[MixedModel, MixedModel]:
    return fit_mixed_model(design), fit_mixed_model(design, levels=False)


def test_released_study_equals_lme4(
    fits: tuple[MixedModel, MixedModel], reference: dict[str, Any]
) -> None:
    (full, null), tolerance = fits, reference["meta"]["tolerances"]
    expected = reference["llama7"]["item5"]["crossed"]
    fixed = [
        expected["fixed"][key] for key in ("(Intercept)", *(f"identity{g}" for g in LEVELS[1:]))
    ]
    assert full.coefficients == pytest.approx(
        [each["coef"] for each in fixed], abs=tolerance["glmm_crossed_fixef_abs"], rel=0
    )
    assert np.sqrt(np.diag(full.covariance)) == pytest.approx(
        [each["se"] for each in fixed], abs=0, rel=tolerance["glmm_crossed_se_rel"]
    )
    sizes = {"var": full, "var_null": null}
    for key, fit in sizes.items():
        assert [fit.name_variance, fit.template_variance] == pytest.approx(
            [expected[key]["name"], expected[key]["template"]],
            abs=0,
            rel=tolerance["glmm_crossed_var_rel"],
        )
    assert null.coefficients[0] == pytest.approx(
        expected["intercept_null"], abs=tolerance["glmm_crossed_fixef_abs"], rel=0
    )
    chi2 = 2 * (full.log_likelihood - null.log_likelihood)
    assert chi2 == pytest.approx(
        expected["LRT"]["chi2"], abs=tolerance["glmm_crossed_LRT_chi2_abs"], rel=0
    )
    assert full.converged
    assert null.converged


def test_log_likelihood_equals_lme4(
    design: Design, fits: tuple[MixedModel, MixedModel], reference: dict[str, Any]
) -> None:
    # R was given counts by cell, whose likelihood has binomial coefficients.
    ways = (gammaln(design.n + 1) - gammaln(design.k + 1) - gammaln(design.n - design.k + 1)).sum()
    expected = reference["llama7"]["item5"]["crossed"]
    for fit, key in zip(fits, ("logLik", "logLik_null"), strict=True):
        assert fit.log_likelihood + ways == pytest.approx(expected[key], abs=1e-4, rel=0)


def test_joint_wald_equals_lme4(
    fits: tuple[MixedModel, MixedModel], reference: dict[str, Any]
) -> None:
    b, v = fits[0].coefficients[1:], fits[0].covariance[1:, 1:]
    expected = reference["llama7"]["item5"]["crossed"]["joint_wald"]["chi2"]
    tolerance = reference["meta"]["tolerances"]["glmm_crossed_se_rel"]
    assert float(b @ np.linalg.solve(v, b)) == pytest.approx(expected, rel=2 * tolerance)


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
    assert rows["odds_ratio", "lost"]["note"] == "not estimable: lost has no labelled response"
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
