from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from one_study import SETTING

from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.methods import METHODS
from refusal_parity.statistics.planning.power import (
    Precision,
    Size,
    at_difference,
    minimum_detectable,
    power_of,
    precision,
    smallest,
)
from refusal_parity.statistics.simulation.drawing import simulate
from refusal_parity.statistics.simulation.latent import Latent, components_at
from refusal_parity.statistics.variances.components import Components, components
from refusal_parity.vocabulary import Scope


def test_formulas_are_those_of_r(power_of_r: list[dict[str, Any]]) -> None:
    for row in power_of_r:
        parts = {key: row[key] for key in ("name", "template_group", "cell", "sample")}
        given, scope = Components(rate=0.2, template=0.0, **parts), Scope(row["scope"])
        size = Size(row["names"], row["names"], row["templates"], row["samples"])

        def power(
            names: int, row: dict[str, Any] = row, given: Components = given, size: Size = size
        ) -> float:
            own = precision(given, size.of(names), Scope(row["scope"]))
            return power_of(own, row["difference"], row["alpha"])

        mine = {
            "power": power(row["names"]),
            "minimum_detectable": minimum_detectable(
                precision(given, size, scope), row["alpha"], 0.8
            ),
            "names_needed": smallest(lambda names, power=power: power(names) >= 0.8, 2),
        }
        expected = {key: row[key] for key in mine.keys() & row.keys()}
        assert {key: mine[key] for key in expected} == pytest.approx(expected, abs=1e-9), row


def test_power_grows_to_one_without_nan() -> None:
    for df in (1.0, 7.5, 31.0, 1e4):
        given = Precision(0.01, df)
        powers = [power_of(given, each, 0.05) for each in np.linspace(0, 4, 200)]
        assert powers[0] == pytest.approx(0.05, abs=1e-9)
        assert np.isfinite(powers).all()
        assert (np.diff(powers) >= -1e-6).all()


@pytest.mark.parametrize("scope", [Scope.NEW_NAMES, Scope.NEW_NAMES_AND_TEMPLATES])
def test_the_difference_it_names_is_found_in_four_of_five_studies(scope: Scope) -> None:
    """Simulated studies with that difference; the tests are those of the scope."""
    level, templates = np.repeat([0, 1], 12), 20
    grid = Grid(("x", "y"), level, np.full((24, templates), 3.0))
    tg = 0.15 if scope is Scope.NEW_NAMES_AND_TEMPLATES else 0.0
    model = Latent(np.zeros(2), np.full(2, 0.1), 0.3, tg, 0.1, 0.4)
    random = np.random.default_rng(6)
    even = model.with_rates(np.full(2, 0.45))
    parts = Components(
        *np.mean([components(grid, k) for k in simulate(grid, even, 300, random).k], axis=0)
    )
    found = minimum_detectable(precision(parts, Size(12, 12, templates, 3), scope), 0.05, 0.8)
    uneven = model.with_rates(np.array([0.45 - found / 2, 0.45 + found / 2]))
    studies = Studies(grid, simulate(grid, uneven, 2000, random).k)
    of_scope = "welch_names" if scope is Scope.NEW_NAMES else "ols_cr2_two_way"
    run = METHODS[of_scope].run
    assert run is not None
    test = run(studies, SETTING)[0]
    rejects = float(test.rejects(0.05, null=0).wrong.mean())
    # Monte Carlo error 0.009 (1 s.e.); components are means over 300 studies; t for 0-1 outcomes.
    assert rejects == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize(
    ("rate", "other"), [(0.02, 0.12), (0.3, 0.4), (0.5, 0.6), (0.6, 0.5), (0.8, 0.7), (0.98, 0.88)]
)
def test_a_group_differs_upwards_where_the_outcome_is_rare(rate: float, other: float) -> None:
    def latent(of: float) -> Latent:
        return Latent(np.zeros(2), np.full(2, 0.1), 0.1, 0.05, 0.1, 0.5).with_rates(np.full(2, of))

    found = at_difference(latent(rate), 0.1)
    assert found.rate == pytest.approx(other, abs=1e-9)
    assert found == pytest.approx(components_at(latent(other), 0), rel=1e-9)
