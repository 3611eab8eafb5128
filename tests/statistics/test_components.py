from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.components import components, covariances
from refusal_parity.statistics.design import build_designs
from refusal_parity.statistics.grid import Grid, grid_of, in_grid

if TYPE_CHECKING:
    import polars as pl

LEVELS = ["white", "muslim", "mexican", "chinese", "asian"]


def test_components_of_the_released_study(
    released: pl.DataFrame, reference: dict[str, Any]
) -> None:
    expected = reference["llama7"]["item8"]["varcomp_prob_scale"]
    design = build_designs(released, "group", LEVELS, [Outcome.REFUSAL])[Outcome.REFUSAL]
    found = components(grid_of(design), in_grid(design, design.k))
    assert found.name == pytest.approx(expected["s2_n"], rel=1e-9)
    assert found.sample == pytest.approx(expected["s2_e"], rel=1e-9)
    # R pools these two over names of groups of unequal size with other weights.
    assert found.cell == pytest.approx(expected["s2_tn"], rel=0.01)
    assert found.template_group == pytest.approx(expected["s2_ti"], rel=0.05)


def test_covariances_equal_those_over_listed_pairs() -> None:
    random = np.random.default_rng(1)
    n = random.integers(0, 4, (5, 3)).astype(float)
    k = random.binomial(n.astype(int), 0.5).astype(float)
    grid = Grid(("x", "y"), np.array([0, 0, 0, 1, 1]), n)
    rows = [
        (grid.level[name], name, template, sample < k[name, template])
        for name in range(5)
        for template in range(3)
        for sample in range(int(n[name, template]))
    ]
    found = covariances(grid, k)
    both: dict[str, list[bool]] = {"cell": [], "name": [], "template": [], "nothing": []}
    crossed: dict[str, list[bool]] = {"template": [], "nothing": []}
    for at, (level, name, template, hit) in enumerate(rows):
        for other, (its_level, its_name, its_template, its_hit) in enumerate(rows):
            if at == other:
                continue
            same_name, same_template = name == its_name, template == its_template
            if level == its_level == 0:
                kind = ("cell" if same_template else "name") if same_name else (
                    "template" if same_template else "nothing"
                )  # fmt: skip
                both[kind].append(bool(hit and its_hit))
            elif (level, its_level) == (0, 1):
                crossed["template" if same_template else "nothing"].append(bool(hit and its_hit))
    for kind in ("cell", "name", "template"):
        expected = np.mean(both[kind]) - np.mean(both["nothing"])
        assert getattr(found, kind)[0] == pytest.approx(expected, abs=1e-12)
    expected = np.mean(crossed["template"]) - np.mean(crossed["nothing"])
    assert found.other[0, 1] == pytest.approx(expected, abs=1e-12)


def test_one_response_a_cell_has_no_share_of_its_own() -> None:
    random = np.random.default_rng(2)
    grid = Grid(("x", "y"), np.repeat([0, 1], 40), np.ones((80, 60)))
    found = components(grid, random.binomial(1, 0.4, (80, 60)).astype(float))
    assert found.cell == 0
    # Independent responses of rate 0.4: all variance, 0.24, is theirs.
    assert found.sample == pytest.approx(0.24, abs=0.01)
