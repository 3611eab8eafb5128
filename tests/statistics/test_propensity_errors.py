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
from refusal_parity.statistics.propensity.levels import propensity_levels
from refusal_parity.statistics.propensity.measured import measured

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.config import AnalysisConfig

NAMES, TEMPLATES = 8, 32


@pytest.fixture(scope="module")
def analysis() -> AnalysisConfig:
    families = {"group": {"reference": "white"}, "family": {"reference": "neutral"}}
    return config_of(**PRIMARY, dimensions=families).analysis


@pytest.fixture(scope="module")
def rows(root: Path, analysis: AnalysisConfig) -> pl.DataFrame:
    tables = made_up(root)
    return measured(tables["prompts"], tables["propensity"], analysis).filter(model=UNEVEN)


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
