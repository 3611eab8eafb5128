"""Propensities: differences of log-odds, what calibrates them, and what they are held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from failing_solvers import REASON, STATISTICS, failing
from scipy.special import expit

from propensity_study import EVEN, PRIMARY, UNEVEN, config_of, made_up
from refusal_parity.errors import InputError
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.answering.table import Evidence, findings
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.propensity.checks import propensity_checks
from refusal_parity.statistics.propensity.effects import propensity_effects
from refusal_parity.statistics.propensity.levels import NOT_MEASURED, propensity_levels
from refusal_parity.statistics.propensity.measured import measured
from refusal_parity.tables import TABLES, Weighed, empty

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.config import AnalysisConfig


@pytest.fixture(scope="module")
def tables(root: Path) -> dict[str, pl.DataFrame]:
    return made_up(root)


@pytest.fixture(scope="module")
def analysis() -> AnalysisConfig:
    return config_of(**PRIMARY).analysis


@pytest.fixture(scope="module")
def rows(tables: dict[str, pl.DataFrame], analysis: AnalysisConfig) -> pl.DataFrame:
    return measured(tables["prompts"], tables["propensity"], tables["weighed"], analysis)


def compared(
    tables: dict[str, pl.DataFrame], analysis: AnalysisConfig, propensity: pl.DataFrame | None
) -> pl.DataFrame:
    """The table of disparities, its words as plain text."""
    seen = observe(
        *(tables["prompts"], tables["labels"], analysis),
        propensity=propensity,
        weighed=tables["weighed"],
    )
    return disparities(seen, analysis).with_columns(pl.col(pl.Enum).cast(pl.String))


@pytest.fixture(scope="module")
def disparity(tables: dict[str, pl.DataFrame], analysis: AnalysisConfig) -> pl.DataFrame:
    return compared(tables, analysis, tables["propensity"])


def of_propensity(disparity: pl.DataFrame, method: str, model: str = UNEVEN) -> dict[str, Any]:
    """Rows against the reference, by group."""
    found = disparity.filter(
        outcome="propensity", method=method, model=model, reference="white", dimension="group"
    )
    return {row["group"]: row for row in found.iter_rows(named=True)}


def test_an_outcome_like_any_other(disparity: pl.DataFrame) -> None:
    found = of_propensity(disparity, "calibrated_linear")
    assert set(found) == {"asian", "black", "chinese", "jewish", "mexican", "muslim"}
    assert {row["estimand"] for row in found.values()} == {"mean_difference"}
    assert {row["n_group"] for row in found.values()} == {8 * 32}
    raised = found["muslim"]
    assert raised["p_adjusted"] < 0.05 < found["black"]["p_adjusted"]
    assert raised["adjusted_low"] < raised["ci_low"] < 1.1 < raised["adjusted_high"]
    by_holm = of_propensity(disparity, "ols_cr2_two_way")["muslim"]
    assert by_holm["estimate"] == raised["estimate"]
    assert by_holm["family"] == "primary: propensity by group, ols_cr2_two_way"


def test_no_response_is_needed(
    tables: dict[str, pl.DataFrame], analysis: AnalysisConfig, disparity: pl.DataFrame
) -> None:
    """Labels lost or not: the log-odds of a prompt count once, whatever its responses."""
    unlabelled = tables["labels"].filter(pl.col("sample") > 0)
    found = compared({**tables, "labels": unlabelled}, analysis, tables["propensity"])
    key = "calibrated_linear"
    assert of_propensity(found, key) == of_propensity(disparity, key)


def test_the_equivalence_margin_is_an_odds_ratio(
    tables: dict[str, pl.DataFrame], disparity: pl.DataFrame
) -> None:
    wide = config_of(**PRIMARY, odds_margin=5).analysis
    assert wide.margin_of(Outcome.PROPENSITY) == pytest.approx(np.log(5))
    seen = observe(tables["prompts"], tables["labels"], wide, propensity=tables["propensity"])
    few = seen.filter(pl.col("group").is_in(["white", "black"]), pl.col("model") == EVEN)
    found = disparities(few, wide).with_columns(pl.col(pl.Enum).cast(pl.String))
    small = of_propensity(found, "equivalence", EVEN)["black"]
    narrow = of_propensity(disparity, "equivalence", EVEN)["black"]
    assert small["p_value"] < wide.alpha < narrow["p_value"]


def test_findings_decide_where_it_is_primary(
    disparity: pl.DataFrame, rows: pl.DataFrame, analysis: AnalysisConfig
) -> None:
    given = {key: empty(TABLES[key].schema) for key in Evidence.__dataclass_fields__}
    given |= {"disparity": disparity, "propensity_levels": propensity_levels(rows, analysis)}
    found = findings(Evidence(**given), analysis).with_columns(pl.col(pl.Enum).cast(pl.String))
    of_group = {
        (row["model"], row["group"]): row
        for row in found.filter(outcome="propensity", dimension="group").iter_rows(named=True)
        if row["reference"] in {None, "white"}
    }
    assert of_group[UNEVEN, "muslim"]["verdict"] == "shown"
    assert of_group[UNEVEN, "muslim"]["method"] == "calibrated_linear"
    assert of_group[UNEVEN, "muslim"]["correction"] == "max_t"
    assert of_group[UNEVEN, "muslim"]["primary"]
    assert of_group[UNEVEN, None]["verdict"] == "shown"
    assert of_group[EVEN, None]["verdict"] == "not_shown"


def test_levels_say_which_rates_log_odds_mean(rows: pl.DataFrame, analysis: AnalysisConfig) -> None:
    found = propensity_levels(rows, analysis).filter(model=UNEVEN, group="muslim").to_dicts()[0]
    own = rows.filter(model=UNEVEN, group="muslim")["log_odds"]
    assert found["n"] == len(own) == 256
    assert found["log_odds"] == pytest.approx(own.mean())
    assert found["typical_rate"] == pytest.approx(expit(own.mean()))
    assert found["mean_rate"] == pytest.approx(expit(own.to_numpy()).mean())
    assert found["ci_low"] < found["log_odds"] < found["ci_high"]


def test_effects_have_the_rates_beside_the_ratio(
    rows: pl.DataFrame, disparity: pl.DataFrame, analysis: AnalysisConfig
) -> None:
    levels = propensity_levels(rows, analysis)
    found = propensity_effects(rows, levels, disparity, analysis)
    row = found.filter(model=UNEVEN, group="muslim").to_dicts()[0]
    test = of_propensity(disparity, "calibrated_linear")["muslim"]
    assert row["odds_ratio"] == pytest.approx(np.exp(test["estimate"]))
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(
        (np.exp(test["adjusted_low"]), np.exp(test["adjusted_high"]))
    )
    assert row["mean_rate_group"] > row["mean_rate_reference"]
    assert not row["opposed"]
    assert row["name_deviation"] == pytest.approx(0.4, abs=0.12)
    assert row["cell_deviation"] == pytest.approx(0.5, abs=0.05)
    # Of a difference of two levels, each moved by 0.2.
    assert row["template_deviation"] == pytest.approx(0.28, abs=0.1)


def test_odds_and_rates_may_order_groups_differently(
    tables: dict[str, pl.DataFrame], analysis: AnalysisConfig
) -> None:
    """One hot template: the rates are its rates, the odds those of the others."""
    prompts = tables["prompts"]
    hot = min(prompts["template_id"].unique())
    odds = prompts.select(
        "prompt_id",
        log_odds=pl.when((pl.col("group") == "black") & (pl.col("template_id") == hot))
        .then(2.0)
        .when(pl.col("group") == "black")
        .then(-7.0)
        .otherwise(-6.0),
    )
    noise = np.random.default_rng(1).normal(0, 0.1, odds.height)
    moved = tables["propensity"].drop("log_odds").join(odds, on="prompt_id", maintain_order="left")
    noisy = moved.with_columns(pl.col("log_odds") + pl.Series(np.tile(noise, 2)))
    rows = measured(prompts, noisy, empty(Weighed), analysis)
    found = propensity_effects(
        rows, propensity_levels(rows, analysis), compared(tables, analysis, noisy), analysis
    )
    opposed = found.filter(model=EVEN).select("group", "opposed", "odds_ratio")
    by_group = {row["group"]: row for row in opposed.iter_rows(named=True)}
    assert by_group["black"]["opposed"]
    assert by_group["black"]["odds_ratio"] < 1


def test_a_model_whose_refusals_never_opened_has_no_propensity(
    tables: dict[str, pl.DataFrame], analysis: AnalysisConfig
) -> None:
    none = tables["propensity"].with_columns(
        pl.lit(None, pl.Float64).alias("log_odds"), pl.lit(None, pl.Float64).alias("log_odds_error")
    )
    rows = measured(tables["prompts"], none, tables["weighed"], analysis)
    levels = propensity_levels(rows, analysis)
    assert set(levels["note"]) == {NOT_MEASURED}
    assert levels["n"].sum() == 0
    found = compared(tables, analysis, none)
    notes = of_propensity(found, "calibrated_linear")["muslim"]["note"]
    assert "no prompt with a measured propensity" in notes
    effects = propensity_effects(rows, levels, found, analysis)
    assert effects["odds_ratio"].null_count() == effects.height


@pytest.mark.parametrize("biased", [False, True])
def test_refusals_of_one_group_that_open_otherwise_are_seen(
    rows: pl.DataFrame, analysis: AnalysisConfig, *, biased: bool
) -> None:
    random = np.random.default_rng(4)
    missed = random.random(rows.height) < np.where(
        biased & (rows["group"] == "muslim").to_numpy(), 0.25, 0.0
    )
    more = rows.with_columns(
        (pl.col("drawn_refusals") + pl.Series(missed)).clip(0, 3),
        (pl.col("drawn_outside_refusals") + pl.Series(missed)).clip(0, 3),
    )
    found = propensity_checks(more, analysis).filter(model=UNEVEN, dimension="group")
    by_group = {row["group"]: row for row in found.iter_rows(named=True)}
    raised, other = by_group["muslim"], by_group["black"]
    assert (raised["gap_difference_p"] < 0.05) is biased
    assert (raised["outside_difference_p"] < 0.05) is biased
    assert (raised["odds_factor"] > 1.5) is biased
    assert other["gap_difference_p"] > 0.05
    assert by_group["white"]["reference"] is None
    drawn = rows.filter(model=UNEVEN, group="black")
    assert other["drawn_rate"] == drawn["drawn_refusals"].sum() / drawn["drawn"].sum()


def test_checks_say_why_there_is_nothing_to_compare(
    rows: pl.DataFrame, analysis: AnalysisConfig
) -> None:
    none = rows.with_columns(
        drawn_refusals=pl.lit(0, pl.Int64), drawn_outside_refusals=pl.lit(0, pl.Int64)
    )
    found = propensity_checks(none, analysis)
    assert found["outside_share"].null_count() == found.height
    assert found["note"].null_count() == 0
    undrawn = none.with_columns(drawn=pl.lit(0, pl.Int64))
    assert propensity_checks(undrawn, analysis)["note"].str.contains("no response was drawn").all()


def test_a_propensity_of_no_prompt_is_refused(
    tables: dict[str, pl.DataFrame], analysis: AnalysisConfig
) -> None:
    with pytest.raises(InputError, match="have no prompt"):
        measured(tables["prompts"].head(3), tables["propensity"], tables["weighed"], analysis)


def test_rows_in_any_order_give_the_same_tables(
    rows: pl.DataFrame, tables: dict[str, pl.DataFrame], analysis: AnalysisConfig
) -> None:
    mixed = measured(
        tables["prompts"].sample(fraction=1, shuffle=True, seed=1),
        tables["propensity"].sample(fraction=1, shuffle=True, seed=2),
        tables["weighed"].sample(fraction=1, shuffle=True, seed=3),
        analysis,
    )
    for made in (propensity_levels, propensity_checks):
        first, second = (made(each, analysis) for each in (rows, mixed))
        keys = ["model", "dimension", "group"]
        assert first.sort(keys).equals(second.sort(keys))


def test_a_solver_that_fails_leaves_the_other_methods(
    tables: dict[str, pl.DataFrame],
    analysis: AnalysisConfig,
    disparity: pl.DataFrame,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(f"{STATISTICS}.methods.calibrated_linear.fit_linear", failing)
    after = compared(tables, analysis, tables["propensity"])
    failed = pl.col("method") == "calibrated_linear"
    assert after.filter(failed)["note"].str.starts_with(REASON).all()
    assert after.filter(failed)["p_value"].is_null().all()
    assert not disparity.filter(failed)["p_value"].is_null().all()
    key = ["model", "dimension", "outcome", "method", "estimand", "group", "reference"]
    assert after.filter(~failed).select(key).equals(disparity.filter(~failed).select(key))
    numbers = ["estimate", "std_error", "p_value"]
    assert after.filter(~failed).select(numbers).equals(disparity.filter(~failed).select(numbers))
