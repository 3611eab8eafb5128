"""Which odds ratios a study finds that weighs openings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from propensity_study import EVEN, PRIMARY, UNEVEN, config_of, made_up
from refusal_parity.config import AnalysisConfig
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.planning.lines import plan_lines
from refusal_parity.statistics.planning.table import measured_design, planned_design
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl


@pytest.fixture(scope="module")
def tables(root: Path) -> dict[str, pl.DataFrame]:
    return made_up(root)


@pytest.fixture(scope="module")
def analysis() -> AnalysisConfig:
    return config_of(**PRIMARY).analysis


@pytest.mark.simulation
def test_a_plan_says_what_weighing_would_find(tables: dict[str, pl.DataFrame]) -> None:
    rare = {"rate": 0.01, "name": 1e-5, "template": 2e-4, "template_group": 4e-6, "cell": 6e-5}
    assumed = AnalysisConfig.model_validate({"assumed": rare | {"sample": 0.0095}})
    plan = planned_design(tables["prompts"], assumed, samples=3)
    odds = plan.filter(quantity="detectable_odds_ratio", scope=Scope.NEW_NAMES_AND_TEMPLATES)
    [row] = odds.to_dicts()
    assert (row["outcome"], row["names"], row["templates"]) == ("propensity", 8, 32)
    points = plan.filter(quantity="minimum_detectable", scope=Scope.NEW_NAMES_AND_TEMPLATES)
    by_rates = (0.01 + points["value"][0]) / 0.01
    assert 1.3 < row["value"] < by_rates
    lines = plan_lines(plan, ["group"], arms=1)
    assert f"  with openings weighed, odds ratios from {row['value']:.2f} on" in "\n".join(lines)
    common = planned_design(tables["prompts"], AnalysisConfig(), samples=3)
    assert not any("weighed" in line for line in plan_lines(common, ["group"], arms=1))


def test_a_design_says_which_odds_ratio_it_finds(
    tables: dict[str, pl.DataFrame], analysis: AnalysisConfig
) -> None:
    """From the study's own variances: planted ones give nearly the same by hand."""
    seen = observe(tables["prompts"], tables["labels"], analysis, propensity=tables["propensity"])
    found = measured_design(seen, analysis).filter(
        quantity="detectable_odds_ratio", scope=Scope.NEW_NAMES_AND_TEMPLATES
    )
    assert set(found["model"]) == {EVEN, UNEVEN}
    variance = 0.4**2 * 2 / 8 + 0.5**2 * 2 / (8 * 32) + 2 * 0.2**2 / 32
    # Of one of six tests with some 14 degrees of freedom, and a power of 80 %.
    shift = (3.1 + 0.87) * variance**0.5
    assert np.log(found["value"].to_numpy()) == pytest.approx(shift, rel=0.3)
    assert (
        measured_design(observe(tables["prompts"], tables["labels"], analysis), analysis)
        .filter(quantity="detectable_odds_ratio")
        .is_empty()
    )
