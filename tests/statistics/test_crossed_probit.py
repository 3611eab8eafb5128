"""Effects of names and templates: against sums over all effects, and R's."""

from __future__ import annotations

import numpy as np
import pytest
from pooled_studies import GIVEN
from reference_studies import OWN, own_study
from scipy.special import ndtr

from refusal_parity.statistics.designs.grid import Grid, grid_of, in_grid
from refusal_parity.statistics.pooling.crossed_probit import Variances, know

FIXED = Variances(mean=-0.5, group=1e-7, name=0.36, template=0.81, template_group=1e-7, cell=1e-7)
"""Those of `reference/pooled.R`: one mean, and neither groups nor cells vary."""


def _normal(covariance: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Shares of a normal law of two numbers about 0 on a square grid of places."""
    both = np.stack(np.meshgrid(places, places, indexing="ij"), axis=-1)
    density = np.exp(-np.einsum("...i,ij,...j", both, np.linalg.inv(covariance), both) / 2)
    step = places[1] - places[0]
    return np.asarray(density * step**2 / (2 * np.pi * np.sqrt(np.linalg.det(covariance))))


def _summed(grid: Grid, k: np.ndarray, given: Variances) -> tuple[np.ndarray, np.ndarray, float]:
    """Means of two names and two templates in two groups, names' variances and the evidence.

    By sums over a grid: given both names, templates are independent of each other.
    """
    places = np.linspace(-11, 11, 221)
    of_names = _normal(given.name * np.eye(2) + given.group * (np.eye(2) + 1), places)
    of_template = _normal(given.template + given.template_group * np.eye(2), places)
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    score = (given.mean + places)[:, None] + places
    chance = ndtr(score[..., None] + np.sqrt(given.cell) * nodes)

    def likelihood(name: int, template: int) -> np.ndarray:
        hits, size = k[name, template], grid.n[name, template]
        return np.asarray(chance**hits * (1 - chance) ** (size - hits) @ weights / weights.sum())

    cells = [[likelihood(name, template) for name in range(2)] for template in range(2)]
    apart = [first @ of_template @ second.T for first, second in cells]
    shares = of_names * apart[0] * apart[1]
    whole = shares.sum()
    margins = [shares.sum(axis=1) / whole, shares.sum(axis=0) / whole]
    names = [given.mean + margin @ places for margin in margins]
    variances = [
        margin @ (given.mean + places - mean) ** 2
        for margin, mean in zip(margins, names, strict=True)
    ]
    templates = []
    for (first, second), own in zip(cells, apart, strict=True):
        without = shares / own
        templates.append((without * ((first * places) @ of_template @ second.T)).sum() / whole)
        templates.append((without * (first @ of_template @ (second * places).T)).sum() / whole)
    return np.array([*names, *templates]), np.array(variances), float(np.log(whole))


@pytest.mark.parametrize(
    ("n", "k"),
    [
        ([[3, 2], [1, 3]], [[3, 0], [0, 1]]),
        ([[3, 0], [2, 3]], [[0, 0], [0, 3]]),
        ([[4, 1], [3, 3]], [[0, 0], [1, 2]]),
    ],
    ids=["mixed", "missing", "rare"],
)
def test_effects_are_those_of_a_sum_over_all(n: list[list[float]], k: list[list[float]]) -> None:
    hits = np.array(k, dtype=float)
    grid = Grid(("x", "y"), np.array([0, 1]), np.array(n, dtype=float))
    found = know(grid, hits, GIVEN)
    mean, variance, log_evidence = _summed(grid, hits, GIVEN)
    assert np.concatenate([found.name, found.template.ravel()]) == pytest.approx(mean, abs=4e-3)
    assert np.diag(found.covariance) == pytest.approx(variance, rel=0.02)
    assert found.log_evidence == pytest.approx(log_evidence, abs=3e-3)


@pytest.mark.parametrize("key", [key for key in OWN if key != "covariate"])
def test_effects_are_near_those_that_lme4_finds(key: str) -> None:
    """Its are modes, the package's means: of few responses they lie some tenths of an error off."""
    study = own_study(key)
    design = study.design()
    grid = grid_of(design)
    found = know(grid, in_grid(design, design.k), FIXED)
    theirs: dict[str, list[float]] = {"name": [], "template": []}
    for row in study.numbers["pooled"]:
        theirs[row["kind"]].append(row["effect"])
    means = {"name": found.name - FIXED.mean, "template": found.template[:, 0]}
    errors = {
        "name": np.sqrt(np.diag(found.covariance)),
        "template": np.sqrt(
            found.own[:, 0, 0]
            + np.einsum("tn,nm,tm->t", found.moved[:, 0], found.covariance, found.moved[:, 0])
        ),
    }
    for kind, effects in theirs.items():
        off = (means[kind] - np.array(effects)) / errors[kind]
        assert np.abs(off).max() < 0.4
        assert np.corrcoef(means[kind], effects)[0, 1] > 0.995
