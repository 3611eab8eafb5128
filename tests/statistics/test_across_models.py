"""The false discovery rate over models: which are called different, and by what intervals."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
import pytest
from programs import program_of
from reported import ANALYSIS, EXACT, FIT, LEVELS, PEOPLE, a_row, filled
from scipy.stats import norm, t
from statsmodels.stats.multitest import multipletests

from refusal_parity.config import AnalysisConfig
from refusal_parity.statistics.adjust import adjust
from refusal_parity.statistics.agreeing import agreeing
from refusal_parity.statistics.answering.across_models import level_of, over_families
from refusal_parity.statistics.answering.at_level import intervals_at
from refusal_parity.statistics.answering.table import Evidence, findings
from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.methods.calibrated import CALIBRATED
from refusal_parity.statistics.methods.calibrated_linear import CALIBRATED_LINEAR
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws
from refusal_parity.statistics.results import to_row
from refusal_parity.statistics.simulation.calibration import (
    ACROSS_MODELS,
    Null,
    critical_of,
    in_batches,
)
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from types import ModuleType

    from refusal_parity.statistics.registry import Method

T_ROW: Final = {"estimate": 0.3, "std_error": 0.1, "df": 12.0}


def a_study(
    rows: dict[str, list[dict[str, Any]]], across: str = "fdr_bh"
) -> dict[tuple[str, str | None], dict[str, Any]]:
    """The primary findings of some models, by model and group."""
    given = {each.name: filled(each.name, []) for each in fields(Evidence)}
    tests = [row | {"model": model} for model, of_model in rows.items() for row in of_model]
    levels = [level | {"model": model} for model in rows for level in LEVELS]
    given |= {"rates": filled("rates", levels), "disparity": filled("disparity", tests)}
    analysis = ANALYSIS.model_copy(update={"across_models": across})
    found = findings(Evidence(**given), analysis).filter("primary")
    return {(row["model"], row["group"]): row for row in found.to_dicts()}


def t_row(p: float, p_value: float | None = None, **values: Any) -> dict[str, Any]:
    """A pair by the linear model, with the standard error that its p-value comes from."""
    single = p if p_value is None else p_value
    error = 0.3 / t.isf(single / 2, 12)
    row = T_ROW | {"p_value": single, "p_adjusted": p, "std_error": error}
    return a_row(**row | values)


def test_hand_computed() -> None:
    # 4 x .01 / 1, 4 x .04 / 2, 4 x .5 / 3 and 4 x .9 / 4: the first alone is rejected.
    found = a_study({"a": [t_row(0.01)], "b": [t_row(0.04)], "c": [t_row(0.9)], "d": [t_row(0.5)]})
    adjusted = {model: row["p_adjusted"] for (model, group), row in found.items() if group}
    assert adjusted == pytest.approx({"a": 0.04, "b": 0.08, "c": 0.9, "d": 4 * 0.5 / 3})
    assert {model: row["verdict"] for (model, group), row in found.items() if group is None} == {
        "a": "shown", "b": "not_shown", "c": "not_shown", "d": "not_shown",
    }  # fmt: skip
    row = found["b", "black"]
    assert (row["p_one_model"], row["shared_alpha"]) == (0.04, 0.0125)
    assert row["ci_low"] < 0 < row["ci_high"]
    # By itself b would be shown, and its interval left 0 out.
    alone = a_study({"b": [t_row(0.04)]}, "none")["b", "black"]
    assert (alone["verdict"], alone["p_one_model"], alone["shared_alpha"]) == ("shown", None, None)


@pytest.mark.parametrize("across", ["fdr_bh", "fdr_by"])
@pytest.mark.parametrize(
    "p_values",
    [[0.001, 0.9], [0.02, 0.03, 0.049], [0.01, 0.02, 0.03, 0.04, 0.048], [0.2, 0.3], [0.04]],
)
def test_of_one_comparison_a_model_it_is_that_of_statsmodels(
    p_values: list[float], across: str
) -> None:
    found = a_study({f"m{at}": [t_row(p)] for at, p in enumerate(p_values)}, across)
    told = [found[f"m{at}", "black"] for at in range(len(p_values))]
    rejected, adjusted, _, _ = multipletests(p_values, 0.05, across)
    assert [row["p_adjusted"] for row in told] == pytest.approx(adjusted)
    assert [row["verdict"] == "shown" for row in told] == rejected.tolist()
    # The interval says the same, at 1 less the level that the p-values are held against.
    assert [row["ci_low"] > 0 for row in told] == rejected.tolist()
    share = max(rejected.sum(), 1) / len(p_values)
    if across == "fdr_by":
        share /= sum(1 / each for each in range(1, len(p_values) + 1))
    for row, p in zip(told, p_values, strict=True):
        half = t.isf(0.05 * share / 2, 12) * 0.3 / t.isf(p / 2, 12)
        ends = (max(0.3 - half, -1), min(0.3 + half, 1))
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(ends)


@pytest.mark.parametrize("method", ["bh", "by"])
def test_a_test_is_rejected_at_alpha_times_the_selected_share(method: str) -> None:
    random = np.random.default_rng(3)
    for _ in range(200):
        models = int(random.integers(1, 9))
        p_values = random.random((models, 3)) ** 3
        smallest = p_values.min(axis=1)
        adjusted = [over_families(smallest, at, p, method) for at, p in enumerate(p_values)]
        for alpha in (0.01, 0.05, 0.3):
            name = f"fdr_{method}"
            selected = int(multipletests(smallest, alpha, name)[0].sum())
            level = level_of(alpha, selected, models, method)
            for p, own in zip(p_values, adjusted, strict=True):
                assert ((own < alpha) == (p < level)).all()


def test_a_model_without_a_test_counts() -> None:
    nothing = a_row(note="not estimable: nothing varies")
    found = a_study({"a": [t_row(0.03)], "b": [nothing]})
    assert found["a", "black"]["p_adjusted"] == pytest.approx(0.06)
    assert found["a", None]["verdict"] == "not_shown"
    assert found["b", None]["verdict"] == "not_estimable"


def test_one_model_without_a_test_hides_none_behind_it() -> None:
    nothing = a_row(note="not estimable: nothing varies")
    found = a_study({"a": [nothing], "b": [t_row(0.02)]})
    assert found["b", "black"]["p_adjusted"] == pytest.approx(0.04)
    assert found["b", "black"]["shared_alpha"] == 0.025


def test_a_test_without_an_interval_says_so() -> None:
    exact = t_row(0.001, method=EXACT, scope=Scope.NEW_NAMES, std_error=None, df=None)
    found = a_study({"a": [exact | {"note": "tied"}], "b": [t_row(0.001)]})
    row = found["a", "black"]
    assert (row["verdict"], row["p_adjusted"]) == ("shown", 0.001)
    assert (row["ci_low"], row["ci_high"]) == (None, None)
    assert row["note"] == "tied; no interval is known at the level that is shared out"
    assert found["b", "black"]["note"] is None
    assert found["b", "black"]["ci_low"] > 0


def test_two_families_without_a_difference_are_no_surer_than_certain() -> None:
    people = t_row(0.7, method=PEOPLE, family=f"primary: refusal by group, {PEOPLE}")
    found = a_study({"a": [people, t_row(0.6, group="asian")], "b": [t_row(0.03)]})
    assert [found["a", group]["p_adjusted"] for group in ("black", "asian")] == [1.0, 1.0]
    assert found["b", "black"]["p_adjusted"] == pytest.approx(0.06)


def test_two_families_of_one_model_are_two_tests() -> None:
    people = t_row(0.02, method=PEOPLE, family=f"primary: refusal by group, {PEOPLE}")
    other = t_row(0.4, group="asian")
    row = a_study({"a": [people, other]})["a", "black"]
    assert (row["p_one_model"], row["p_adjusted"]) == (0.02, pytest.approx(0.04))
    assert row["shared_alpha"] == 0.025


def test_holm_within_a_selected_model_at_the_level_that_is_left() -> None:
    # Of three models one is selected: Holm's at .05 / 3, so .02 of one pair is no finding.
    rows = [t_row(0.004, 0.002), t_row(0.02, 0.02, group="asian")]
    found = a_study({"a": rows, "b": [t_row(0.5)], "c": [t_row(0.6)]})
    assert found["a", "black"]["verdict"] == "shown"
    assert found["a", "asian"]["verdict"] == "not_shown"
    assert found["a", "black"]["ci_low"] > 0 > found["a", "asian"]["ci_low"]
    # Holm at the level l: l / (2 - 1), one of two being shown.
    assert found["a", "black"]["ci_low"] == pytest.approx(
        0.3 - t.isf(0.05 / 3 / 2, 12) * 0.3 / t.isf(0.001, 12)
    )


def test_pairs_without_the_reference_stay_as_they_are() -> None:
    pair = t_row(0.03, reference="asian", family=f"all pairs: {FIT}")
    given = {each.name: filled(each.name, []) for each in fields(Evidence)}
    tests = [t_row(0.03), pair, t_row(0.9, model="b")]
    given |= {"rates": filled("rates", LEVELS), "disparity": filled("disparity", tests)}
    analysis = ANALYSIS.model_copy(update={"across_models": "fdr_bh"})
    table = findings(Evidence(**given), analysis).filter(pl.col("model") == "m", "primary")
    told = {row["reference"]: row for row in table.drop_nulls("reference").to_dicts()}
    assert (told["white"]["p_adjusted"], told["white"]["verdict"]) == (0.06, "not_shown")
    assert (told["asian"]["p_adjusted"], told["asian"]["verdict"]) == (0.03, "shown")


def studies_of(method: Method) -> Studies:
    """One study of 20 templates and 24 names whose groups differ somewhat."""
    random = np.random.default_rng(11)
    level = np.repeat(np.arange(3), 8)
    grid = Grid(("a", "b", "c"), level, np.full((24, 20), 3.0))
    score = 0.5 * random.standard_normal((1, 24, 1)) + random.standard_normal((1, 1, 20))
    score = score + np.array([0.0, 0.75, 0.35])[level][None, :, None] - 1
    if method is CALIBRATED:
        return Studies(grid, random.binomial(3, norm.cdf(score)).astype(float), every_pair=True)
    return Studies(grid, 3 * (score + random.standard_normal(score.shape)), every_pair=True)


@pytest.mark.parametrize(
    ("method", "across", "kept"),
    [(CALIBRATED, "fdr_bh", 499), (CALIBRATED, "none", 49), (CALIBRATED_LINEAR, "fdr_bh", 499)],
)
def test_calibrated_intervals_agree_at_every_level(method: Method, across: str, kept: int) -> None:
    assert method.run is not None
    studies = studies_of(method)
    setting = Setting(0.05, 0.05, Draws(1, 7), Resamples(1, 7), across_models=across != "none")
    (answers,) = method.run(studies, setting)
    outcome = "refusal" if method is CALIBRATED else "propensity"
    n, k = (studies.grid.n.sum() / 3, studies.k[0].reshape(3, -1).sum(axis=1).round().astype(int))
    counts = {"n_group": int(n), "n_reference": int(n)}
    rows = [
        {"model": "m", "outcome": outcome, "dimension": "group", **counts, **to_row(row)}
        | {
            "k_group": int(k["abc".index(row.group)]),
            "k_reference": int(k["abc".index(row.reference)]),
        }
        for row in answers.of_study(0)
        if row.group is not None and row.reference is not None
    ]
    analysis = AnalysisConfig.model_validate(
        {
            "dimensions": {"group": {"reference": "a"}},
            "outcomes": ["refusal", "propensity"],
            "primary_family": {"outcome": outcome},
            "across_models": across,
        }
    )
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(
        pl.col("scope", "estimand").cast(pl.String),
        pl.col("effective_group", "effective_reference").cast(pl.Float64),
    )
    table = agreeing(adjust(frame, analysis))
    assert table["family_null"].list.len().unique().to_list() == [kept]
    stored = {
        (row["group"], row["reference"], row["method"]): (row["adjusted_low"], row["adjusted_high"])
        for row in table.to_dicts()
    }
    for key, ends in intervals_at(table, analysis, 0.05).items():
        assert stored[key] == pytest.approx(ends, abs=1e-9)
    rejected = []
    for level in (0.05, 0.02, 0.007, *((0.001, 0.0004) if across != "none" else ())):
        ends = intervals_at(table, analysis, level)
        for row in table.to_dicts():
            low, high = ends[row["group"], row["reference"], row["method"]]
            assert low is not None
            assert high is not None
            rejected.append(row["p_adjusted"] < level)
            assert rejected[-1] == (low > 0 or high < 0)
            outer = stored[row["group"], row["reference"], row["method"]]
            assert low <= outer[0] + 1e-9
            assert high >= outer[1] - 1e-9
    assert any(rejected)
    assert not all(rejected)


def test_the_tail_gives_the_distance_of_every_level() -> None:
    null = Null(np.random.default_rng(1).gamma(2, size=(999, 3)))
    tail = null.tail(0.05)
    for level in (0.05, 0.03, 0.0125, 0.004, 0.002):
        expected = null.critical(level, together=True)
        assert critical_of(tail.tolist(), level, 999) == expected
    assert critical_of(tail.tolist(), 0.0009, 999) == np.inf


def test_batches_change_no_study() -> None:
    grid = Grid(("x", "y"), np.array([0, 1]), np.ones((2, 5)))

    def drawn(count: int) -> Null:
        random = np.random.default_rng(4)
        return in_batches(count, grid, lambda number: random.random((number, 2)))

    whole = np.random.default_rng(4).random((2500, 2))
    assert (drawn(2500).distances == whole).all()
    assert (drawn(ACROSS_MODELS).distances[:2500] == whole).all()


@pytest.fixture(scope="module")
def program() -> ModuleType:
    """The program that measures false discoveries over models."""
    return program_of("across_models")


@pytest.mark.simulation
def test_false_discoveries_over_models_that_hang_together(program: ModuleType) -> None:
    # What `make bench-across-models` shows, with room for three standard errors.
    none = program.run(program.Scenario("12x24", 10, 0, 0.2, 0.25), 60)
    some = program.run(program.Scenario("12x24", 10, 8, 0.2, 0.25), 30)
    wrong = {across: values[:, 0].mean() for across, values in none.items()}
    room = 3 * np.sqrt(0.05 * 0.95 / 60)
    assert wrong["none"] > 0.05 + room
    assert wrong["fdr_bh"] < 0.05 + room / 3
    assert wrong["fdr_by"] <= wrong["fdr_bh"]
    found = {across: values[:, 1].mean() for across, values in some.items()}
    assert 0 < found["fdr_by"] < found["fdr_bh"] < found["none"]
    assert some["fdr_bh"][:, 0].mean() < 0.05 + room
    # Of the intervals in models called different.
    assert some["fdr_bh"][:, 2].mean() < 0.05 + room
