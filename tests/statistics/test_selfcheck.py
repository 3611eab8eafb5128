from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.checking.selfcheck import selfcheck
from refusal_parity.statistics.checking.verdicts import null_verdicts, simulated
from refusal_parity.statistics.designs.counts import Design
from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.kinds import DesignKind
from refusal_parity.statistics.registry import suited_to
from refusal_parity.statistics.running import run_methods
from refusal_parity.statistics.simulation.latent import Latent
from refusal_parity.vocabulary import Estimand, NameVariance

if TYPE_CHECKING:
    from collections.abc import Callable

    Study = Callable[..., pl.DataFrame]

ANALYSIS = AnalysisConfig(
    outcomes=[Outcome.REFUSAL],
    dimensions={"group": DimensionConfig(reference="white")},
    permutations=199,
    bootstraps=199,
    selfcheck=400,
)
MODEL = Latent(np.zeros(3), np.full(3, 0.35), 0.4, 0.05, 0.05, 0.15).with_rates(np.full(3, 0.3))
GRID = Grid(("white", "x", "y"), np.repeat([0, 1, 2], [5, 4, 5]), np.full((14, 10), 3.0))
HEADLINE = (
    ("permutation_names", Estimand.GLOBAL),
    ("permutation_names_exact", Estimand.RISK_DIFFERENCE),
    ("ols_cr2_two_way", Estimand.RISK_DIFFERENCE),
    ("ols_cr2_name", Estimand.RISK_DIFFERENCE),
)


def independent_study(random: np.random.Generator) -> Design:
    """One study from the same model, response by response; nothing of the package."""
    template = random.normal(0, np.sqrt(MODEL.template), 10)
    within = random.normal(0, np.sqrt(MODEL.template_group), (3, 10))
    cells = []
    for name, level in enumerate(GRID.level):
        own = random.normal(0, np.sqrt(MODEL.name[level]))
        for at in range(10):
            score = MODEL.mean[level] + own + template[at] + within[level, at]
            score += random.normal(0, np.sqrt(MODEL.cell))
            hits = (score + random.normal(0, np.sqrt(MODEL.sample), 3) > 0).sum()
            cells.append((level, name, at, 3, hits))
    level, name, at, n, k = np.array(cells).T
    return Design(GRID.levels, level, name, at, n.astype(float), k.astype(float))


@pytest.mark.simulation
def test_rates_equal_those_of_an_independent_simulation() -> None:
    """Simulated apart and tested by the methods for one study."""
    mine = null_verdicts(GRID, MODEL, ANALYSIS)
    random = np.random.default_rng(9)
    runs = 150
    left_out = {"glm_cr2_name", "equivalence"}
    rejected = dict.fromkeys(mine, 0.0)
    answered = dict.fromkeys(mine, 0)
    for _ in range(runs):
        design = independent_study(random)
        for row in run_methods({Outcome.REFUSAL: design}, "group", ANALYSIS)[Outcome.REFUSAL]:
            is_run = row.reference in {None, design.levels[0]} and row.method not in left_out
            if is_run and row.p_value is not None:
                rejected[row.method, row.estimand] += row.p_value <= ANALYSIS.alpha
                answered[row.method, row.estimand] += 1
    compared = [key for key, count in answered.items() if count]
    assert len(compared) >= 12
    for key in compared:
        rate = rejected[key] / answered[key]
        verdicts = mine[key]
        found = float(verdicts.wrong.sum() / verdicts.known.sum())
        # Four standard errors of the difference; a study counts as one test, as if its groups
        # always agreed.
        pooled = max((rate + found) / 2, 0.05)
        error = np.sqrt(pooled * (1 - pooled) * (1 / runs + 1 / ANALYSIS.selfcheck))
        assert abs(rate - found) < 4 * error, key


@pytest.mark.parametrize("key", HEADLINE, ids=lambda key: key[0])
def test_headline_methods_hold_their_level(key: tuple[str, Estimand]) -> None:
    """3 to 8 % at a nominal 5 %, give or take 3 standard errors of 400 studies (3 points)."""
    verdicts = null_verdicts(GRID, MODEL, ANALYSIS)[key]
    rate = verdicts.wrong.sum() / verdicts.known.sum()
    assert 0.03 - 0.033 < rate < 0.08 + 0.033


@pytest.mark.parametrize(
    ("asked", "cells", "number"),
    [
        (2000, 140, 2000),
        (2000, 17_000, 2000),
        (2000, 34_000, 1000),
        (10_000, 34_000, 5000),
        (2000, 1_000_000, 500),
        (50, 1_000_000, 50),
        (0, 34_000, 0),
    ],
)
def test_large_studies_are_simulated_less_often(asked: int, cells: int, number: int) -> None:
    assert simulated(asked, cells) == number


@pytest.fixture(scope="module")
def observed(study: Study) -> pl.DataFrame:
    random = np.random.default_rng(1)

    def name() -> list[str]:
        return ["".join(random.choice(list("ra-"), 3, p=[0.3, 0.65, 0.05])) for _ in range(4)]

    return study(
        {group: {f"{group}{at}": name() for at in range(4)} for group in ("white", "x", "y")}
    )


def test_table(observed: pl.DataFrame) -> None:
    few = ANALYSIS.model_copy(update={"selfcheck": 50})
    table = selfcheck(observed, few)
    suited = set(suited_to(DesignKind.CROSSED))
    checked = {method for method in suited if method.checked}
    assert set(table["method"]) == checked
    assert suited - checked == {
        "calibrated",
        "calibrated_linear",
        "calibrated_weighed",
        "design_based",
        "design_based_equivalence",
        "glm_cr2_name",
        "ols_cr2_adjusted",
    }
    assert set(table["outcome"].cast(str)) == {str(outcome) for outcome in few.checked}
    assert set(table["name_variance"].cast(str)) == {str(each) for each in NameVariance}
    answered = table.filter(pl.col("n_simulations") > 0)
    assert (answered["ci_low"] <= answered["false_positive_rate"]).all()
    assert (answered["ci_high"] >= answered["false_positive_rate"]).all()
    assert (answered["highest"] >= answered["false_positive_rate"] - 1e-12).all()
    assert (table["nominal"] == 0.05).all()
    # Latent variances but the names' own add up to what one variance for all names leaves.
    common = table.filter(pl.col("name_variance").cast(str) == "common")
    parts = ["var_name", "var_template", "var_template_group", "var_cell", "var_sample"]
    assert common.select(pl.sum_horizontal(parts)).to_series().to_numpy() == pytest.approx(1.0)
    assert selfcheck(observed, few).equals(table)


def test_names_are_simulated_alike_and_as_each_group_has_them(study: Study) -> None:
    """Three of four names of one group always refuse, those of the others are all alike."""
    mixed = ["raa", "ara", "rra", "aaa", "aar", "raa"]
    groups = {
        group: {f"{group}{at}": [*mixed[at:], *mixed[:at]] for at in range(4)}
        for group in ("white", "x")
    } | {"y": {f"y{at}": (["rrr"] * 6 if at == 0 else ["aaa"] * 5 + ["aar"]) for at in range(4)}}
    few = ANALYSIS.model_copy(update={"selfcheck": 100})
    table = selfcheck(study(groups), few)
    by_pattern = {
        str(pattern): table.filter(
            pl.col("name_variance").cast(str) == str(pattern), pl.col("n_simulations") > 0
        )
        for pattern in NameVariance
    }
    common, own = by_pattern["common"], by_pattern["by_group"]
    # The names of one group vary, and the mean of the groups' own variances shows it.
    assert own["var_name"][0] > 1.5 * common["var_name"][0]
    joined = common.join(own, on=["method", "estimand", "outcome"], suffix="_own")
    assert joined.height >= 12
    assert (joined["false_positive_rate"] != joined["false_positive_rate_own"]).any()


def test_an_outcome_that_does_not_vary_is_said_to(study: Study) -> None:
    same = {group: {f"{group}{at}": ["aaa"] * 3 for at in range(3)} for group in ("white", "x")}
    table = selfcheck(study(same), ANALYSIS)
    assert (table["n_simulations"] == 0).all()
    assert table["false_positive_rate"].null_count() == table.height
    assert set(table["note"]) == {"not estimable: the outcome does not vary"}
