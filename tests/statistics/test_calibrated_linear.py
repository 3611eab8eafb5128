"""Log-odds against simulated studies without a difference: variances, level, real odds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from programs import program_of

from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.methods.calibrated_linear import NAMES, TEMPLATES, calibrated_linear
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws
from refusal_parity.statistics.simulation.linear import Linear, fit_linear, simulate_linear

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

SETTING = Setting(0.05, 0.4, Draws(1, 7), Resamples(1, 7), deciding=True, binary=False)
REAL = "reference/weighed-openings/smollm2.json"


@pytest.fixture(scope="module")
def program() -> ModuleType:
    """The program that measures level, power and coverage."""
    return program_of("propensity_studies")


def grid(names: int = 6, templates: int = 9, groups: int = 3) -> Grid:
    level = np.repeat(np.arange(groups), names)
    levels = tuple(f"g{at}" for at in range(groups))
    return Grid(levels, level, np.ones((names * groups, templates)))


def test_variances_are_those_of_the_analysis_of_variance() -> None:
    """In a complete study: mean squares by hand."""
    groups, names, templates = 3, 6, 9
    y = np.random.default_rng(3).normal(-6, 1, (groups, names, templates))
    y += np.random.default_rng(4).normal(0, 2, (groups, names, 1))
    y += np.random.default_rng(5).normal(0, 1, (groups, 1, templates))
    y += np.random.default_rng(6).normal(0, 2, (1, 1, templates))
    of_name, of_template = y.mean(axis=2, keepdims=True), y.mean(axis=1, keepdims=True)
    mean = y.mean(axis=(1, 2), keepdims=True)
    spare = groups * (names - 1) * (templates - 1)
    cell = ((y - of_name - of_template + mean) ** 2).sum() / spare
    by_name = templates * ((of_name - mean) ** 2).sum() / (groups * (names - 1))
    by_template = names * ((of_template - mean) ** 2).sum() / (groups * (templates - 1))
    found = fit_linear(grid(), y.reshape(-1, templates), own=0)
    assert found is not None
    assert found.name == pytest.approx((by_name - cell) / templates, rel=1e-9)
    assert found.cell == pytest.approx(cell, rel=1e-9)
    whole = found.template + found.template_level
    assert whole == pytest.approx((by_template - cell) / names, rel=1e-9)
    shifted = fit_linear(grid(), y.reshape(-1, templates) + 50, own=0)
    assert shifted is not None
    assert shifted.cell == pytest.approx(found.cell, rel=1e-9)


def test_variances_come_back_from_simulated_studies() -> None:
    true = Linear(np.array([0.2, 0.2, 1.8]), 0.0, 0.3, 0.5)
    design = grid(8, 12)
    drawn = simulate_linear(
        Studies(design, np.zeros((1, *design.n.shape))), true, 400, np.random.default_rng(1)
    )
    fits = [fit_linear(design, k, own=1) for k in drawn.k]
    found = [each for each in fits if each is not None]
    assert len(found) == 400
    assert np.mean([each.cell for each in found]) == pytest.approx(0.5, rel=0.05)
    assert np.mean([each.template_level for each in found]) == pytest.approx(0.3, rel=0.1)
    assert np.mean([each.name for each in found], axis=0) == pytest.approx(true.name, rel=0.15)


def test_what_does_not_vary_has_no_model() -> None:
    assert fit_linear(grid(), np.full((18, 9), -6.0)) is None


def test_ends_leave_0_out_exactly_where_the_test_rejects(program: ModuleType) -> None:
    drawn = program.draw(program.Scenario(more=0.01), 12, np.random.default_rng(2))
    [found] = calibrated_linear(drawn.odds, SETTING)
    for p, low, high in (
        ("p_value", "ci_low", "ci_high"),
        ("p_family", "family_low", "family_high"),
    ):
        out = (found.values(low) > 0) | (found.values(high) < 0)
        assert ((found.values(p) < SETTING.alpha) == out).all()
    assert (found.values("p_family") >= found.values("p_value")).all()
    middle = (found.values("ci_low") + found.values("ci_high")) / 2
    assert middle == pytest.approx(found.values("estimate"), abs=1e-12)


@pytest.mark.simulation
def test_level_and_power_are_those_that_are_stated(program: ModuleType) -> None:
    """A few studies of what the program has many of; three draws show next to nothing."""
    random = np.random.default_rng(9)
    shown = {}
    for more in (0.0, 0.02):
        drawn = program.draw(program.Scenario(more=more), 40, random)
        [found] = calibrated_linear(drawn.odds, SETTING)
        low, high = found.values("ci_low"), found.values("ci_high")
        assert ((low <= drawn.truth) & (drawn.truth <= high)).mean() > 0.88
        shown[more] = (found.values("p_value")[:, 0] < SETTING.alpha).mean()
    assert shown[0.0] <= 0.15
    assert shown[0.02] >= 0.75


@pytest.mark.parametrize(
    ("names", "templates", "answered"),
    [(NAMES, TEMPLATES, True), (NAMES - 2, TEMPLATES, False), (NAMES, TEMPLATES - 1, False)],
)
def test_small_studies_are_not_calibrated(names: int, templates: int, *, answered: bool) -> None:
    design = grid(names // 2, templates, groups=2)
    values = np.random.default_rng(1).normal(-6, 1, (1, names, templates))
    [found] = calibrated_linear(Studies(design, values), SETTING)
    [row] = found.of_study(0)
    assert (row.p_value is not None) is answered
    assert answered or "tell too little" in str(row.note)


def test_odds_ratios_of_a_real_model(program: ModuleType, shared: Path) -> None:
    """Of 616 prompts, complete: exp of differences of plain means; and names dealt anew."""
    if not (shared / REAL).is_file():
        pytest.skip(f"{REAL} is not at hand")
    studies = program.real_studies(shared / REAL)
    [found] = calibrated_linear(studies, SETTING)
    frame = pl.read_json(shared / REAL).with_columns(
        odds=(pl.col("mass") / (1 - pl.col("mass"))).log()
    )
    means = dict(frame.group_by("group").agg(pl.col("odds").mean()).iter_rows())
    ratios = np.exp(found.values("estimate")[0])
    for pair, ratio in zip(studies.pairs, ratios, strict=True):
        assert ratio == pytest.approx(np.exp(means[pair.group] - means["white"]), rel=1e-9)
    by_group = dict(zip([pair.group for pair in studies.pairs], ratios, strict=True))
    assert [f"{by_group[key]:.1f}" for key in ("black", "chinese", "muslim", "asian")] == [
        "2.1",
        "2.4",
        "2.5",
        "1.1",
    ]
    _, shown = program.permuted(studies, 60, 1)
    assert shown <= 0.1
