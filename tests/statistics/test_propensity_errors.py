"""Intervals of propensities and of gaps, against statsmodels' two-way clustered errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from scipy.stats import t
from statsmodels.regression.linear_model import OLS

from propensity_study import PRIMARY, UNEVEN, config_of, made_up
from refusal_parity.statistics.propensity.checks import propensity_checks
from refusal_parity.statistics.propensity.effects import propensity_effects
from refusal_parity.statistics.propensity.levels import propensity_levels
from refusal_parity.statistics.propensity.measured import measured

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.config import AnalysisConfig

NAMES, TEMPLATES = 8, 32
REPORTED = ("calibrated_linear", "ols_cr2_two_way")


@pytest.fixture(scope="module")
def analysis() -> AnalysisConfig:
    families = {"group": {"reference": "white"}, "family": {"reference": "neutral"}}
    return config_of(**PRIMARY, dimensions=families).analysis


@pytest.fixture(scope="module")
def rows(root: Path, analysis: AnalysisConfig) -> pl.DataFrame:
    tables = made_up(root)
    found = measured(tables["prompts"], tables["propensity"], tables["weighed"], analysis)
    return found.filter(model=UNEVEN)


def clustered(part: pl.DataFrame, values: np.ndarray) -> tuple[float, float, float]:
    """Mean, standard error and half-width at 95 %, with names and templates as clusters."""
    codes = [
        np.unique(part[key].to_numpy(), return_inverse=True)[1]
        for key in ("name_id", "template_id")
    ]
    fit = OLS(values, np.ones(len(values))).fit(
        cov_type="cluster", cov_kwds={"groups": np.column_stack(codes)}
    )
    error = float(fit.bse[0])
    return float(fit.params[0]), error, float(t.ppf(0.975, NAMES - 1)) * error


@pytest.mark.parametrize("group", ["white", "muslim"])
def test_a_mean_of_log_odds_has_errors_by_name_and_template(
    rows: pl.DataFrame, analysis: AnalysisConfig, group: str
) -> None:
    part = rows.filter(group=group)
    assert (part["name_id"].n_unique(), part["template_id"].n_unique()) == (NAMES, TEMPLATES)
    [found] = propensity_levels(rows, analysis).filter(dimension="group", group=group).to_dicts()
    mean, error, half = clustered(part, part["log_odds"].to_numpy())
    assert found["std_error"] == pytest.approx(error)
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((mean - half, mean + half))
    assert (found["n_names"], found["n_templates"]) == (NAMES, TEMPLATES)
    assert found["weighed_rate"] == pytest.approx(part["weighed_rate"].mean())
    squares = (part["weighed_rate_error"] ** 2).sum()
    assert found["weighed_rate_error"] == pytest.approx(squares**0.5 / len(part))


@pytest.mark.parametrize("group", ["white", "muslim"])
def test_a_gap_has_errors_by_name_and_template(
    rows: pl.DataFrame, analysis: AnalysisConfig, group: str
) -> None:
    part = rows.filter(group=group)
    gaps = (
        part["drawn_refusals"].to_numpy() / part["drawn"].to_numpy() - part["tree_rate"].to_numpy()
    )
    [found] = propensity_checks(rows, analysis).filter(dimension="group", group=group).to_dicts()
    mean, _, half = clustered(part, gaps)
    assert found["gap"] == pytest.approx(mean)
    assert (found["gap_low"], found["gap_high"]) == pytest.approx((mean - half, mean + half))
    assert found["tree_rate"] == pytest.approx(part["tree_rate"].mean())


def test_levels_stand_in_the_order_of_the_prompts(
    rows: pl.DataFrame, analysis: AnalysisConfig
) -> None:
    """The same in every run, whatever threads do."""
    order = rows["group"].unique(maintain_order=True).to_list()
    for made in (propensity_levels, propensity_checks):
        assert made(rows, analysis).filter(dimension="group")["group"].to_list() == order


def test_one_template_has_no_interval(rows: pl.DataFrame, analysis: AnalysisConfig) -> None:
    """With one template there is no telling how much templates vary."""
    one = rows.filter(pl.col("template_id") == rows["template_id"].min())
    found = propensity_levels(one, analysis).filter(dimension="group")
    assert found["std_error"].null_count() == found.height > 1
    assert found["note"].str.contains("one name or template").all()


def test_levels_of_templates_are_not_tested_and_say_so(
    rows: pl.DataFrame, analysis: AnalysisConfig
) -> None:
    found = propensity_checks(rows, analysis).filter(dimension="family")
    notes = dict(found.select("group", "note").iter_rows())
    assert notes.pop("neutral") is None
    assert notes
    assert all("levels are no property of names" in str(note) for note in notes.values())
    assert found["gap_difference_p"].null_count() == found.height


def test_factors_are_of_the_shares_and_what_is_compared_has_no_reason_against_it(
    rows: pl.DataFrame, analysis: AnalysisConfig
) -> None:
    refused, outside = pl.col("drawn_refusals"), "drawn_outside_refusals"
    some = pl.Series(np.random.default_rng(3).random(len(rows)) < 0.3).cast(pl.Int64)
    seen = rows.with_columns(
        pl.when(group="jewish")
        .then(refused)
        .otherwise(pl.min_horizontal(some, refused))
        .alias(outside)
    )
    found = propensity_checks(seen, analysis).filter(dimension="group")
    by_group = {row["group"]: row for row in found.iter_rows(named=True)}
    sums = seen.group_by("group").agg((pl.col(outside).sum() / refused.sum()).alias("share"))
    shares = dict(sums.iter_rows())
    assert by_group["white"]["odds_factor"] is None
    assert by_group["jewish"]["odds_factor"] == np.inf
    for group in ("asian", "black", "chinese", "mexican", "muslim"):
        row = by_group[group]
        assert row["outside_share"] == pytest.approx(shares[group])
        assert row["odds_factor"] == pytest.approx((1 - shares["white"]) / (1 - shares[group]))
        assert None not in {row["gap_difference_p"], row["outside_difference_p"]}
        assert row["note"] is None
    all_of_white = seen.with_columns(
        pl.when(group="white").then(refused).otherwise(outside).alias(outside)
    )
    found = propensity_checks(all_of_white, analysis).filter(dimension="group")
    assert found["odds_factor"].null_count() == found.height


def test_every_level_is_compared_wherever_the_reference_stands(rows: pl.DataFrame) -> None:
    first = str(rows["group"][0])
    analysis = config_of(**PRIMARY, dimensions={"group": {"reference": first}}).analysis
    found = propensity_checks(rows, analysis).filter(dimension="group", reference=first)
    assert len(found) == 6
    assert found["gap_difference_p"].null_count() == 0
    # All names meet all templates as often, so that nothing changes within templates.
    everyone = propensity_checks(rows, analysis).filter(dimension="group")
    gaps = dict(everyone.select("group", "gap").iter_rows())
    expected = [gaps[group] - gaps[first] for group in found["group"]]
    assert found["gap_difference"].to_list() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("p_values", "method", "ends"),
    [
        ((0.02, 0.03), "calibrated_linear", (0.1, 0.8)),
        ((None, 0.03), "ols_cr2_two_way", (0.2, 0.9)),
        ((None, None), "calibrated_linear", (0.1, 0.8)),
    ],
)
def test_a_ratio_is_of_the_first_test_that_there_is(
    rows: pl.DataFrame,
    analysis: AnalysisConfig,
    p_values: tuple[float | None, float | None],
    method: str,
    ends: tuple[float, float],
) -> None:
    ours = {"model": UNEVEN, "outcome": "propensity", "dimension": "group", "group": "muslim"}
    tests = [
        ours
        | {
            "reference": "white",
            "method": key,
            "estimate": 0.5,
            "ci_low": low,
            "ci_high": low + 0.7,
            "adjusted_low": None,
            "adjusted_high": None,
            "p_adjusted": p,
            "note": None,
        }
        for key, low, p in zip(
            ("calibrated_linear", "ols_cr2_two_way"), (0.1, 0.2), p_values, strict=True
        )
    ]
    # Levels of another dimension may have the same names.
    tests = [*(each | {"dimension": "family", "estimate": 2.0} for each in tests), *tests]
    disparity = pl.DataFrame(
        tests, schema_overrides={"adjusted_low": pl.Float64, "adjusted_high": pl.Float64}
    )
    levels = propensity_levels(rows, analysis)
    found = propensity_effects(rows, levels, disparity, analysis).filter(dimension="group")
    [row] = found.filter(group="muslim").to_dicts()
    assert (row["method"], row["odds_ratio"]) == (method, pytest.approx(np.exp(0.5)))
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(tuple(np.exp(ends)))
    assert found.filter(pl.col("group") != "muslim")["odds_ratio"].null_count() == 5
