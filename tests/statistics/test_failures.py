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
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.failures import Guard, NotConvergedError
from refusal_parity.vocabulary import Method

if TYPE_CHECKING:
    from collections.abc import Callable

    Study = Callable[..., pl.DataFrame]


@pytest.fixture
def observations(study: Study) -> pl.DataFrame:
    return observed(study, "m")


class Solver(NamedTuple):
    """A function that is made to fail, and the methods that rest on it."""

    place: str
    methods: set[Method]


LOGISTIC = {
    Method.GLM_CLUSTER_NAME,
    Method.GLM_CLUSTER_TEMPLATE,
    Method.GLM_CLUSTER_TWO_WAY,
    Method.GLM_CR2_NAME,
}
SOLVERS = [
    Solver("proportions.wilson", {Method.NEWCOMBE}),
    Solver("proportions._risk_ratio", {Method.KATZ}),
    Solver("proportions._pearson", {Method.CHI_SQUARE}),
    Solver("mantel_haenszel.generalised_cmh", {Method.MANTEL_HAENSZEL}),
    Solver("linear.two_way", {Method.OLS_TWO_WAY}),
    Solver("cr2_two_way.spread", {Method.OLS_CR2_TWO_WAY, Method.EQUIVALENCE}),
    Solver("equivalence.two_one_sided", {Method.EQUIVALENCE}),
    Solver("logistic.one_way", {Method.GLM_CLUSTER_NAME, Method.GLM_CLUSTER_TEMPLATE}),
    Solver("logistic.two_way", {Method.GLM_CLUSTER_TWO_WAY}),
    Solver("logistic.bias_reduced", {Method.GLM_CR2_NAME}),
    Solver("logistic.fit_logistic", LOGISTIC),
    Solver("cr2.bias_reduced", {Method.OLS_CR2_NAME}),
    Solver("exact.permutation_names_exact", {Method.PERMUTATION_NAMES_EXACT}),
    Solver(
        "randomisation.permutation_names", {Method.PERMUTATION_NAMES, Method.PERMUTATION_NAMES_F}
    ),
    Solver("name_rates.welch", {Method.WELCH_NAMES}),
    Solver("name_rates.one_way_variance", {Method.ANOVA_NAMES}),
    Solver("bootstrap.resampled_rates", {Method.BOOTSTRAP_NAMES, Method.BOOTSTRAP_PIGEONHOLE}),
]


def test_every_method_is_made_to_fail() -> None:
    made = {method for solver in SOLVERS for method in solver.methods}
    assert made == set(Method) - {Method.DESIGN_BASED, Method.DESIGN_BASED_EQUIVALENCE}


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
        said = [line for line in heard if f", {outcome}," in line and method in line]
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

    monkeypatch.setattr(f"{STATISTICS}.name_rates.welch", broken)
    with pytest.raises(type(error)):
        disparities(observations, ANALYSIS)


def test_one_outcome_that_fails_leaves_the_others_of_its_draws(
    observations: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    from refusal_parity.statistics import bootstrap  # noqa: PLC0415 - patched here

    before = disparities(observations, ANALYSIS)
    real, refused = bootstrap.resampled_rates, observations.filter(label="refusal").height

    def sometimes(counts: Any, *given: Any, **named: Any) -> Any:
        if refused in counts.k.sum(axis=(1, 2)):
            failing()
        return real(counts, *given, **named)

    monkeypatch.setattr(bootstrap, "resampled_rates", sometimes)
    after = disparities(observations, ANALYSIS)
    failed = pl.col("method").cast(pl.String).str.starts_with("bootstrap") & (
        pl.col("outcome").cast(pl.String) == "refusal"
    )
    assert after.filter(~failed).equals(before.filter(~failed))
    assert after.filter(failed)["note"].str.starts_with(REASON).all()


def test_a_number_that_is_not_finite_is_not_estimable(
    observations: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = disparities(observations, ANALYSIS)
    monkeypatch.setattr(f"{STATISTICS}.name_rates.t_sf", lambda *_: np.nan)
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
    from refusal_parity.statistics import proportions  # noqa: PLC0415 - patched here

    real = proportions.wilson

    def noisy(*given: Any) -> Any:
        np.log(np.zeros(1))
        return real(*given)

    before = disparities(observations, ANALYSIS)
    monkeypatch.setattr(proportions, "wilson", noisy)
    assert disparities(observations, ANALYSIS).equals(before)
