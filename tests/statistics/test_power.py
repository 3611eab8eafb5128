from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from refusal_parity.statistics.components import Components, components
from refusal_parity.statistics.grid import Grid
from refusal_parity.statistics.latent import Latent, simulate
from refusal_parity.statistics.power import (
    Precision,
    Size,
    minimum_detectable,
    power_of,
    precision,
    smallest,
)
from refusal_parity.statistics.repeated.rates import name_rates
from refusal_parity.statistics.repeated.regressions import ols_cr2_two_way
from refusal_parity.statistics.repeated.results import Studies
from refusal_parity.vocabulary import Scope

DESIGNS = ["T8_S3", "T24_S1", "T24_S3", "T24_S10", "T60_S3", "T100_S1", "T100_S3", "T1000_S1"]


@pytest.mark.parametrize("names", ["pooled", "excl_Mohammed"])
@pytest.mark.parametrize("design", DESIGNS)
def test_formulas_are_those_of_r(reference: dict[str, Any], names: str, design: str) -> None:
    item = reference["llama7"]["item8"]
    parts = item["varcomp_prob_scale"]
    name = parts["s2_n" if names == "pooled" else "s2_n_excl_Mohammed"]
    given = Components(0.2, name, 0.0, parts["s2_ti"], parts["s2_tn"], parts["s2_e"])
    templates, samples = (int(each[1:]) for each in design.split("_"))
    size, scope = Size(8, 8, templates, samples), Scope.NEW_NAMES
    expected = item["formula"][names][design]
    own = precision(given, size, scope)
    assert minimum_detectable(own, 0.05, 0.8) == pytest.approx(
        expected["MDE_at_8_names_80pct"], abs=1e-9
    )
    for count in (8, 4):
        mine = power_of(precision(given, size.of(count), scope), 0.05, 0.05)
        assert mine == pytest.approx(expected[f"power_at_{count}_names"], abs=1e-9)
    for alpha, key in ((0.05, ""), (0.0125, "_alpha.0125")):

        def finds(count: int, alpha: float = alpha) -> bool:
            return power_of(precision(given, size.of(count), scope), 0.05, alpha) >= 0.8

        assert smallest(finds, 2) == expected[f"names_per_group_80pct{key}"]


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
    test = (
        name_rates(studies, 0.05)[0] if scope is Scope.NEW_NAMES else ols_cr2_two_way(studies, 0.05)
    )
    rejects = float(test.rejects(0.05, null=0).wrong.mean())
    # Monte Carlo error 0.009 (1 s.e.); components are means over 300 studies; t for 0-1 outcomes.
    assert rejects == pytest.approx(0.8, abs=0.05)
