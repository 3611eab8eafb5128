"""Each solver made to fail: its rows are not estimable and say why, all others are as before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
import pytest
from failing_solvers import ANALYSIS, REASON, STATISTICS, WORDS, failing, observed
from scipy.linalg import cho_factor
from statsmodels.tools.sm_exceptions import PerfectSeparationError

from refusal_parity.errors import InputError
from refusal_parity.statistics.designs.kinds import DesignKind
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.failures import Guard, NotConvergedError
from refusal_parity.statistics.registry import suited_to

if TYPE_CHECKING:
    from collections.abc import Callable

    Study = Callable[..., pl.DataFrame]


@pytest.fixture
def observations(study: Study) -> pl.DataFrame:
    return observed(study, "m")


class Solver(NamedTuple):
    """A function that is made to fail, and the methods that rest on it."""

    place: str
    methods: set[str]


LOGISTIC = {
    "glm_cluster_name",
    "glm_cluster_template",
    "glm_cluster_two_way",
    "glm_cr2_name",
}
SOLVERS = [
    Solver("methods.proportions.wilson", {"newcombe"}),
    Solver("methods.proportions.norm_isf", {"katz"}),
    Solver("methods.proportions._pearson", {"chi_square"}),
    Solver("methods.mantel_haenszel.generalised_cmh", {"mantel_haenszel"}),
    Solver("methods.linear.sandwich", {"ols_two_way"}),
    Solver("methods.bias_reduced.both_ways", {"ols_cr2_two_way", "equivalence"}),
    Solver("methods.wilson_two_way.effective", {"wilson_two_way", "calibrated"}),
    Solver("methods.calibrated.limits_by_t", {"calibrated"}),
    Solver("methods.equivalence._answered", {"equivalence"}),
    Solver(
        "fits.logistic_fits.sandwich",
        {"glm_cluster_name", "glm_cluster_template", "glm_cluster_two_way"},
    ),
    Solver("methods.logistic.two_way", {"glm_cluster_two_way"}),
    Solver("methods.logistic.bias_reduced", {"glm_cr2_name"}),
    Solver("fits.logistic_fits.fit_logistic", LOGISTIC),
    Solver("methods.bias_reduced.hotelling", {"ols_cr2_name"}),
    Solver("methods.exact._p_values", {"permutation_names_exact"}),
    Solver("methods.randomisation.permutation_names", {"permutation_names", "permutation_names_f"}),
    Solver("methods.name_rates.t_isf", {"welch_names"}),
    Solver("methods.name_rates.f_sf", {"anova_names"}),
    Solver("methods.bootstrap.resampled_rates", {"bootstrap_names", "bootstrap_pigeonhole"}),
]


# Log-odds and weighed rates are made to fail in test_propensity.py.
NOT_OF_COUNTS = {
    "calibrated_linear",
    "calibrated_weighed",
    "design_based",
    "design_based_equivalence",
    "ols_cr2_adjusted",
}


def test_every_method_is_made_to_fail() -> None:
    made = {method for solver in SOLVERS for method in solver.methods}
    assert made == set(suited_to(DesignKind.CROSSED)) - NOT_OF_COUNTS


@pytest.mark.parametrize("solver", SOLVERS, ids=lambda solver: solver.place)
def test_a_method_that_fails_leaves_the_others(
    observations: pl.DataFrame, monkeypatch: pytest.MonkeyPatch, solver: Solver
) -> None:
    before = disparities(observations, ANALYSIS)
    monkeypatch.setattr(f"{STATISTICS}.{solver.place}", failing)
    heard: list[str] = []
    after = disparities(observations, ANALYSIS, say=heard.append)
    keys = ["outcome", "method", "estimand", "group", "reference"]
    assert after.select(keys).equals(before.select(keys))
    failed = pl.col("method").cast(pl.String).is_in(sorted(solver.methods))
    assert after.filter(~failed).equals(before.filter(~failed))
    rows = after.filter(failed)
    assert rows["note"].str.starts_with(REASON).all(), rows["note"].to_list()
    numbers = rows.select("estimate", "std_error", "ci_low", "ci_high", "statistic", "p_value")
    assert numbers.null_count().row(0) == (rows.height,) * 6
    lost = rows.select("outcome", "method").unique().rows()
    assert len(heard) == len(set(heard))
    for outcome, method in lost:
        said = [line for line in heard if f", {outcome}, {method} " in line]
        assert len(said) == 1, heard
        assert said[0].startswith("m, group, ")
        assert WORDS in said[0]


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError("float division by zero"),
        OverflowError("math range error"),
        FloatingPointError("no number"),
        NotConvergedError("no maximum"),
        RuntimeError("Failed to converge after 100 iterations"),
        PerfectSeparationError("perfect separation"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_kinds_of_numerical_failure(error: Exception) -> None:
    def compute() -> str:
        raise error

    heard: list[str] = []
    found = Guard(heard.append, ("m", "group")).run("katz", compute, str)
    assert found == f"numerical failure ({error})"
    assert heard == [f"m, group, katz not estimable: {found}"]


def test_a_matrix_that_scipy_refuses_is_a_numerical_failure() -> None:
    found = Guard().run("", lambda: cho_factor(np.full((2, 2), np.nan)), str)
    assert "infs or NaNs" in str(found)


@pytest.mark.parametrize(
    "error",
    [
        TypeError("not callable"),
        KeyError("y"),
        AttributeError("no such thing"),
        InputError("level", where="config", remedy="Correct it."),
        ValueError("shapes do not fit"),
        IndexError("out of range"),
        NotImplementedError("later"),
        RecursionError("too deep"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_of_the_program_surface(
    observations: pl.DataFrame, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(f"{STATISTICS}.methods.name_rates.spread_of", broken)
    with pytest.raises(type(error)):
        disparities(observations, ANALYSIS)


def test_one_outcome_that_fails_leaves_the_others_of_its_draws(
    observations: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    from refusal_parity.statistics.methods import bootstrap  # noqa: PLC0415 - patched here

    before = disparities(observations, ANALYSIS)
    real, refused = bootstrap.resampled_rates, observations.filter(label="refusal").height

    def sometimes(counts: Any, *given: Any, **named: Any) -> Any:
        if refused in counts.k.sum(axis=(1, 2)):
            failing()
        return real(counts, *given, **named)

    monkeypatch.setattr(bootstrap, "resampled_rates", sometimes)
    after = disparities(observations, ANALYSIS)
    failed = pl.col("method").str.starts_with("bootstrap") & (pl.col("outcome") == "refusal")
    assert after.filter(~failed).equals(before.filter(~failed))
    assert after.filter(failed)["note"].str.starts_with(REASON).all()


def test_a_number_that_is_not_finite_is_not_estimable(
    observations: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = disparities(observations, ANALYSIS)
    monkeypatch.setattr(f"{STATISTICS}.methods.name_rates.t_sf", lambda *_: np.nan)
    heard: list[str] = []
    after = disparities(observations, ANALYSIS, say=heard.append)
    failed = pl.col("method").cast(pl.String) == "welch_names"
    assert after.filter(~failed).equals(before.filter(~failed))
    notes = after.filter(failed)["note"]
    assert notes.unique().to_list() == ["not estimable: numerical failure (p_value not finite)"]
    assert "welch_names of y and x" in heard[0]


def test_what_numpy_warns_of_is_no_note(
    observations: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    from refusal_parity.statistics.methods import proportions  # noqa: PLC0415 - patched here

    real = proportions.wilson

    def noisy(*given: Any) -> Any:
        np.log(np.zeros(1))
        return real(*given)

    before = disparities(observations, ANALYSIS)
    monkeypatch.setattr(proportions, "wilson", noisy)
    assert disparities(observations, ANALYSIS).equals(before)
