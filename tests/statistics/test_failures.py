"""Each solver made to fail: its rows are not estimable and say why, all others are as before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
import pytest
from scipy.linalg import cho_factor
from statsmodels.tools.sm_exceptions import PerfectSeparationError

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.errors import InputError
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics import failures
from refusal_parity.statistics.comparison import compare
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.failures import Guard, NotConvergedError
from refusal_parity.statistics.influence import influences
from refusal_parity.statistics.lengths import lengths
from refusal_parity.statistics.losses import bounds, losses
from refusal_parity.statistics.mixed_models import mixed_models
from refusal_parity.statistics.overview import overview
from refusal_parity.statistics.planning import measured_design, planned_design
from refusal_parity.statistics.rates import rates
from refusal_parity.statistics.repeated.methods import NOT_REPEATED
from refusal_parity.statistics.selfcheck import selfcheck
from refusal_parity.vocabulary import Method

if TYPE_CHECKING:
    from collections.abc import Callable

    Study = Callable[..., pl.DataFrame]

STATISTICS = "refusal_parity.statistics"
WORDS = "SVD did not converge"
REASON = f"not estimable: numerical failure ({WORDS})"
ANALYSIS = AnalysisConfig(
    outcomes=[Outcome.REFUSAL, Outcome.NO_FULL_ANSWER, Outcome.ANSWER_LENGTH],
    dimensions={"group": DimensionConfig(reference="x")},
    permutations=99,
    bootstraps=99,
    selfcheck=60,
)


def failing(*_: Any, **__: Any) -> Any:
    raise np.linalg.LinAlgError(WORDS)


def observed(study: Study, *models: str) -> pl.DataFrame:
    """Three names in each of three groups, four templates, with lengths of answers."""
    parts = []
    for seed, model in enumerate(models):
        random = np.random.default_rng(seed + 3)
        letters = lambda: "".join(random.choice(list("aarp"), 3))  # noqa: B023, E731
        groups = {
            group: {f"{group}{at}": [letters() for _ in range(5)] for at in range(3)}
            for group in "xyz"
        }
        part = study(groups, model=model)
        parts.append(part.with_columns(words=pl.Series(random.integers(3, 30, part.height))))
    return pl.concat(parts)


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


class Table(NamedTuple):
    """A table, the solver behind some of its rows, and the numbers that these rows lose."""

    make: Callable[[pl.DataFrame, Any], pl.DataFrame]
    place: str
    lost: tuple[str, ...]
    note: str = REASON
    said: tuple[str, ...] = ("m, group, refusal, ",)


def _selfcheck(observations: pl.DataFrame, say: Any) -> pl.DataFrame:
    return selfcheck(observations, ANALYSIS, say)


def _compare(observations: pl.DataFrame, say: Any) -> pl.DataFrame:
    return compare(observations, ANALYSIS, ["m", "other"], say)


def _with_losses(observations: pl.DataFrame) -> pl.DataFrame:
    """Every seventh response without a label."""
    lost = pl.int_range(pl.len()) % 7 == 0
    return observations.with_columns(label=pl.when(~lost).then("label"))


def _plan(observations: pl.DataFrame, say: Any) -> pl.DataFrame:
    prompts = observations.unique("prompt_id", maintain_order=True)
    return planned_design(prompts, ANALYSIS, samples=3, say=say)


TABLES = {
    "mixed models": Table(
        lambda seen, say: mixed_models(seen, ANALYSIS, say),
        "mixed_models.fit_mixed_model",
        ("estimate", "std_error", "statistic", "p_value"),
        said=("m, group, refusal, ", "m, group, no_full_answer, "),
    ),
    "measured design": Table(
        lambda seen, say: measured_design(seen, ANALYSIS, say),
        "planning.components",
        ("value", "rate", "var_name"),
        said=("m, group, refusal, ", "m, group, no_full_answer, "),
    ),
    "power": Table(
        lambda seen, say: measured_design(seen, ANALYSIS, say),
        "planning.precision",
        ("value", "rate", "var_name"),
        said=("m, group, refusal, ", "m, group, no_full_answer, "),
    ),
    "plan": Table(
        _plan, "planning.precision", ("value", "rate"), said=("assumed, group, refusal, ",)
    ),
    "model of the self-check": Table(
        _selfcheck, "selfcheck.fit_latent", ("false_positive_rate", "rate")
    ),
    "comparison": Table(
        _compare,
        "comparison.contrast",
        ("estimate", "std_error", "p_value"),
        said=("other - m, refusal, ", "other - m, group, refusal, "),
    ),
    "means of the comparison": Table(
        _compare,
        "comparison.level_means",
        ("estimate", "std_error", "p_value"),
        said=("other - m, refusal, ", "other - m, group, refusal, "),
    ),
    "influence": Table(
        lambda seen, say: influences(seen, ANALYSIS, say),
        "influence.p_values",
        ("p_value",),
        f"p-value {REASON}",
        said=("m, group, refusal, ", "m, group, no_full_answer, "),
    ),
    "lengths": Table(
        lambda seen, say: lengths(seen, ANALYSIS, say),
        "lengths.mean_errors",
        ("std_error", "ci_low", "ci_high"),
        f"interval {REASON}",
        said=("m, all, answer_length, ", "m, group, answer_length, "),
    ),
    "losses": Table(
        lambda seen, say: losses(_with_losses(seen), ANALYSIS, say),
        "losses.level_means",
        ("std_error", "ci_low", "p_value"),
        said=("m, group, left_out, ",),
    ),
    "bounds": Table(
        lambda seen, say: bounds(_with_losses(seen), ANALYSIS, say),
        "losses.contrast",
        ("std_error", "ci_low", "p_value"),
        said=("m, group, refusal, lowest, ", "m, group, no_full_answer, highest, "),
    ),
    "rates": Table(
        lambda seen, say: rates(seen, ANALYSIS, say),
        "rates.mean_errors",
        ("std_error", "ci_low", "ci_high"),
        f"clustered interval {REASON}",
        said=("m, group, refusal, ",),
    ),
}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_whose_solver_fails_is_written(
    study: Study, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    case = TABLES[table]
    seen = observed(study, "m", "other") if case.make is _compare else observed(study, "m")
    before = case.make(seen, failures.unheard)
    monkeypatch.setattr(f"{STATISTICS}.{case.place}", failing)
    heard: list[str] = []
    after = case.make(seen, heard.append)
    assert not before["note"].fill_null("").str.contains("numerical failure").any()
    failed = after.filter(pl.col("note").fill_null("").str.starts_with(case.note))
    assert failed.height
    for column in case.lost:
        assert failed[column].null_count() == failed.height, column
    # What does not rest on the solver is as it was.
    kept = [
        column
        for column in after.columns
        if column not in {*case.lost, "note", "p_adjusted", "family"}
        and before[column].null_count() < before.height
    ]
    if before.height == after.height and table in {"influence", "lengths", "rates"}:
        assert after.select(kept).equals(before.select(kept))
    for start in case.said:
        assert any(line.startswith(start) and WORDS in line for line in heard), heard


def test_a_method_that_fails_in_the_self_check_leaves_the_others(
    observations: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = selfcheck(observations, ANALYSIS)
    monkeypatch.setattr(f"{STATISTICS}.repeated.regressions.fit_logistic", failing)
    heard: list[str] = []
    after = selfcheck(observations, ANALYSIS, heard.append)
    failed = pl.col("method").cast(pl.String).str.starts_with("glm")
    assert after.filter(~failed).equals(before.filter(~failed))
    rows = after.filter(failed)
    assert (rows["note"] == REASON).all()
    assert (rows["n_simulations"] == 0).all()
    methods = {Method.GLM_CLUSTER_NAME, Method.GLM_CLUSTER_TEMPLATE, Method.GLM_CLUSTER_TWO_WAY}
    # Both patterns of variance fail.
    assert len(heard) == 2 * len(methods)
    assert all(line.startswith("m, group, refusal, self-check of glm") for line in heard)
    assert Method.GLM_CR2_NAME in NOT_REPEATED


def test_the_overview_carries_the_reason(
    observations: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{STATISTICS}.randomisation.permutation_names", failing)
    found = overview([rates(observations, ANALYSIS)], [disparities(observations, ANALYSIS)])
    assert found.height == len(ANALYSIS.readings)
    assert found["p_value"].null_count() == found.height
    assert found["note"].str.contains(REASON, literal=True).all()
    assert found["rate"].null_count() == 0
