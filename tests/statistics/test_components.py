from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from refusal_parity.statistics.designs.grid import Grid, grid_of, in_grid
from refusal_parity.statistics.variances.components import components, covariances, pooled

if TYPE_CHECKING:
    from reference_numbers import ReferenceStudy


@pytest.mark.parametrize("reference_study", ["covariate", "released"], indirect=True)
def test_components_equal_mean_squares(reference_study: ReferenceStudy) -> None:
    """Those of balanced studies; groups of unequal size weigh some of them in another way."""
    expected, nearly = (
        reference_study.numbers.get(key, {}) for key in ("components", "components_nearly")
    )
    design = reference_study.design()
    found = components(grid_of(design), in_grid(design, design.k))._asdict()
    assert {key: found[key] for key in expected} == pytest.approx(expected, rel=1e-9)
    assert {key: found[key] for key in nearly} == pytest.approx(nearly, rel=0.05)


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


@pytest.mark.parametrize(
    ("values", "weights", "expected"),
    [
        ([1.0, 4.0], [1.0, 2.0], 3.0),
        ([1.0, np.nan, np.inf], [1.0, 5.0, 5.0], 1.0),
        ([1.0, 4.0], [1.0, 0.0], 1.0),
        ([np.nan], [1.0], 0.0),
        # What cancels leaves rounding.
        ([0.1, 0.2, -0.3], [1.0, 1.0, 1.0], 0.0),
        ([-0.1, -0.2, 0.3], [3.0, 3.0, 3.0], 0.0),
        ([0.1, 0.2, -0.3 + 1e-9], [1.0, 1.0, 1.0], 1e-9 / 3),
    ],
)
def test_a_weighed_mean_of_the_numbers_there_are(
    values: list[float], weights: list[float], expected: float
) -> None:
    found = pooled(np.array(values), np.array(weights))
    assert found == (expected if expected == 0 else pytest.approx(expected, rel=1e-6))
