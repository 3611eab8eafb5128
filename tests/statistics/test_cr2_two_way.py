"""The headline's variance and degrees of freedom: no jump, and arms that share prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from one_study import rows_of
from scipy.special import ndtr, ndtri

from refusal_parity.statistics.designs.counts import Design
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.variances.cr2_two_way import OneWay, both_ways
from refusal_parity.statistics.variances.sandwich import cell_terms

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray


@pytest.mark.parametrize("nudge", [-1e-13, 0.0, 1e-13])
def test_degrees_of_freedom_do_not_jump_where_both_variances_are_alike(nudge: float) -> None:
    name = OneWay(np.array([0.4 * (1 + nudge)]), np.array([6.0]))
    template = OneWay(np.array([0.4]), np.array([2.5]))
    found = both_ways(name, template, np.array([0.7]))
    assert found.variance[0] == pytest.approx(0.4)
    # All of V is names', with 6, or templates', with 2.5: the smaller.
    assert found.df[0] == pytest.approx(2.5, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "template", "cell", "df"),
    [
        # V = 0.7, of which names hold 0.5 and templates the other 0.2, or templates 0.3.
        (0.5, 0.3, 0.1, min(0.49 / (0.25 / 4 + 0.04 / 9), 0.49 / (0.09 / 9 + 0.16 / 4))),
        # V = V_name: nothing is left to templates, or 0.3 of it to names.
        (0.5, 0.2, 0.4, min(4.0, 0.25 / (0.04 / 9 + 0.09 / 4))),
        (0.0, 0.0, 0.0, 0.0),
    ],
)
def test_the_smaller_of_both_readings(name: float, template: float, cell: float, df: float) -> None:
    one = OneWay(np.array([name]), np.array([4.0]))
    other = OneWay(np.array([template]), np.array([9.0]))
    assert both_ways(one, other, np.array([cell])).df[0] == pytest.approx(df)


def lone_outcome(order: list[int]) -> Design:
    """Four names and three templates, with every outcome in one cell."""
    name, template = (each.ravel() for each in np.indices((4, 3)))
    k = np.where((name == 1) & (template == 2), 3.0, 0.0)
    moved = np.argsort(order)[name]
    return Design(("x", "y"), name // 2, moved, template, np.full(12, 3.0), k)


@pytest.mark.parametrize("order", [[1, 0, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]])
def test_the_order_of_names_changes_nothing_where_one_cell_has_all_outcomes(
    order: list[int],
) -> None:
    first, second = (
        rows_of("ols_cr2_two_way", lone_outcome(each))[0] for each in ([0, 1, 2, 3], order)
    )
    for column in ("estimate", "std_error", "df", "p_value", "ci_low"):
        assert getattr(second, column) == pytest.approx(getattr(first, column), rel=1e-9)


def test_arms_of_one_prompt_are_one_cell() -> None:
    # Two arms, two names, two templates; a prompt of the second name is in one arm only.
    arm, name = np.array([0, 0, 1, 1, 0, 1, 0]), np.array([0, 0, 0, 0, 1, 1, 1])
    template = np.array([0, 1, 0, 1, 0, 0, 1])
    design = Design(("plain", "polite"), arm, name, template, np.ones(7), np.zeros(7))
    studies = Studies.of([design])
    assert not studies.is_nested
    residual = np.zeros((1, *studies.grid.n.shape))
    residual[0][studies.grid.n > 0] = [1.0, -2.0, 3.0, 5.0, 7.0, 2.0, -4.0]
    moved = np.array([[[1.0], [2.0]], [[-1.0], [0.5]]])
    terms = cell_terms(studies, residual, moved[None])
    by_hand: dict[tuple[int, int], float] = {}
    for row, column in zip(*np.nonzero(studies.grid.n), strict=True):
        cell = int(studies.names[row]), int(column)
        move = residual[0, row, column] * moved[studies.grid.level[row], column, 0]
        by_hand[cell] = by_hand.get(cell, 0.0) + float(move)
    assert len(by_hand) == 4
    assert (terms**2).sum() == pytest.approx(sum(each**2 for each in by_hand.values()))


def arms_study(random: np.random.Generator, *, names: int, templates: int) -> Design:
    """Two arms of the same prompts without an effect: cells differ more than arms within them."""
    arms, samples = 2, 3
    parts = {
        (names, 1, 1): 0.35,
        (1, templates, 1): 0.7,
        (names, templates, 1): 3.0,
        (names, 1, arms): 0.1,
        (1, templates, arms): 0.1,
        (names, templates, arms): 0.05,
    }
    score: FloatArray = ndtri(0.2) * np.sqrt(1 + sum(parts.values())) + np.zeros(
        (names, templates, arms)
    )
    for shape, variance in parts.items():
        score = score + np.sqrt(variance) * random.standard_normal(shape)
    k = random.binomial(samples, ndtr(score)).astype(np.float64)
    name, template, arm = (each.ravel() for each in np.indices(k.shape))
    return Design(("plain", "polite"), arm, name, template, np.full(k.size, 3.0), k.ravel())


def test_arms_hold_their_level() -> None:
    # With each row of an arm a cell of its own, 8.3 % of these reject.
    random = np.random.default_rng(3)
    studies = [arms_study(random, names=20, templates=20) for _ in range(400)]
    p_values = [rows_of("ols_cr2_two_way", study)[0].p_value for study in studies]
    assert 0.03 < np.mean([p is not None and p <= 0.05 for p in p_values]) < 0.075
