"""Log-odds, and what draws show of the tree."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import logit
from scipy.stats import binom

from refusal_parity.openings.propensity import (
    Draw,
    Measured,
    log_odds,
    probabilities,
    propensities,
)
from refusal_parity.openings.tree import Leaf
from refusal_parity.openings.walking import Chance

# The shares are those of other templates.
OWN = [Leaf((1,), 40, 38), Leaf((2, 5), 7, 7)]
ALL = [Leaf((1,), 50, 44), Leaf((2, 5), 9, 9), Leaf((4,), 3, 2)]
CHANCES = {(1,): Chance(0.04, 0.04), (2, 5): Chance(0.02, 0.02), (4,): Chance(1e-7, 0.0)}


def rows_of(draws: list[Draw]) -> dict[str, float]:
    prompt = Measured("p", 3, CHANCES, draws)
    table, _ = propensities("m", [prompt], {0: ALL, 3: OWN})
    (row,) = table.rows(named=True)
    return dict(row)


def test_numbers_of_a_prompt() -> None:
    row = rows_of([Draw((1, 8), refuses=True), Draw((3, 8), refuses=True)])
    assert row["tree_rate"] == pytest.approx(0.04 * 38 / 40 + 0.02)
    assert row["outside"] == pytest.approx(0.94)
    assert (row["drawn"], row["drawn_refusals"], row["drawn_outside_refusals"]) == (2, 2, 1)
    assert row["mass"] == pytest.approx(0.06 + 1e-7)
    chance = 0.04 * 44 / 50 + 0.02 + 1e-7 * 2 / 3
    assert row["log_odds"] == pytest.approx(math.log(chance / (1 - chance)), abs=1e-12)


def test_log_odds_reach_down_and_up() -> None:
    leaves = [Leaf((1,), 4, 4)]
    low = log_odds(leaves, {(1,): Chance(1e-9, 0.0)})
    assert low is not None
    assert low[0] == pytest.approx(math.log(1e-9), abs=1e-8)
    # Jeffreys' posterior of 4 of 4: Beta(4.5, 0.5).
    share = math.sqrt(4.5 * 0.5 / (5**2 * 6))
    assert low[1] == pytest.approx(share, rel=1e-6)
    sure = log_odds(leaves, {(1,): Chance(1.0, 1.0)})
    assert sure is not None
    assert math.isfinite(sure[0])
    assert log_odds(leaves, {(1,): Chance(0.0, 0.0)}) is None
    assert log_odds([], {}) is None


def test_the_error_of_log_odds_is_their_spread_over_what_shares_may_be() -> None:
    """Shares drawn from their posteriors, Beta(k + 1/2, n - k + 1/2), 200,000 times."""
    leaves = [Leaf((1,), 4000, 2400), Leaf((2, 5), 300, 150)]
    chances = {(1,): Chance(0.5, 0.4), (2, 5): Chance(0.3, 0.3)}
    random = np.random.default_rng(6)
    drawn = sum(
        chances[leaf.tokens].before
        * random.beta(leaf.refusals + 0.5, leaf.responses - leaf.refusals + 0.5, 200_000)
        for leaf in leaves
    )
    found = log_odds(leaves, chances)
    assert found is not None
    assert found[0] == pytest.approx(logit(0.5 * 0.6 + 0.3 * 0.5))
    assert found[1] == pytest.approx(logit(drawn).std(), rel=0.01)


def test_how_many_draws_should_open_so_and_by_how_much_that_varies() -> None:
    """Of prompts with 6 and 30 % in the tree, two draws and three."""
    often = {(1,): Chance(0.2, 0.2), (2, 5): Chance(0.1, 0.1), (4,): Chance(0.0, 0.0)}
    asked = [
        Measured("p", 3, CHANCES, [Draw((1, 8), refuses=True), Draw((3,), refuses=False)]),
        Measured("q", 3, often, [Draw((2, 5), refuses=False)] * 3),
    ]
    _, opened = propensities("m", asked, {0: ALL, 3: OWN})
    law = [binom(2, 0.06), binom(3, 0.3)]
    assert (opened.draws, opened.inside) == (5, 4)
    assert opened.expected == pytest.approx(sum(each.mean() for each in law))
    assert opened.error == pytest.approx(math.sqrt(sum(each.var() for each in law)))


def test_what_rounding_adds_makes_no_probability_of_more_than_one() -> None:
    sure = {(1,): Chance(0.6, 0.6), (2, 5): Chance(0.4000000000000002, 0.4000000000000002)}
    whole = [Leaf((1,), 4, 4), Leaf((2, 5), 7, 7)]
    table, opened = propensities(
        "m", [Measured("p", 3, sure, [Draw((1,), refuses=True)])], {0: whole, 3: whole}
    )
    (row,) = table.rows(named=True)
    assert (row["mass"], row["tree_rate"], row["outside"]) == (1, 1, 0)
    assert (opened.expected, opened.error) == (1, 0)
    more = {(1,): Chance(1.0000000000000002, 1.0000000000000002)}
    told = probabilities("m", [Measured("p", 3, more, [])], {(1,): "1"})
    assert told.select("probability", "probability_sampled").row(0) == (1, 1)


def test_trees_are_that_of_all_for_log_odds_and_that_of_the_fold_for_draws() -> None:
    """As sampled responses open: with another probability than before top_p and the like."""
    chances = {(1,): Chance(0.3, 0.25), (2, 5): Chance(0.1, 0.05), (4,): Chance(0.2, 0.1)}
    draws = [Draw((4, 1), refuses=True), Draw((1, 1), refuses=False), Draw((2, 6), refuses=True)]
    table, opened = propensities("m", [Measured("p", 3, chances, draws)], {0: ALL, 3: OWN})
    (row,) = table.rows(named=True)
    assert row["mass"] == pytest.approx(0.3 + 0.1 + 0.2)
    chance = 0.3 * 44 / 50 + 0.1 + 0.2 * 2 / 3
    assert row["log_odds"] == pytest.approx(logit(chance))
    assert row["outside"] == pytest.approx(1 - 0.25 - 0.05)
    assert row["tree_rate"] == pytest.approx(0.25 * 38 / 40 + 0.05)
    # (4,) is a leaf of all responses, and none of those of other templates.
    assert row["drawn_outside_refusals"] == 2
    assert (opened.inside, opened.refusals, opened.outside) == (1, 2, 2)
    # A fold without a tree has no leaf at all.
    table, opened = propensities("m", [Measured("p", 2, chances, draws)], {0: ALL, 3: OWN})
    assert (table["outside"][0], opened.inside) == (1, 0)


def test_what_was_measured_of_each_opening_and_how_draws_open() -> None:
    draws = [
        Draw((2, 5, 1), refuses=True),
        Draw((2, 6), refuses=True),
        Draw((2, 5), refuses=False),
        Draw((1,), refuses=True),
        Draw((), refuses=False),
    ]
    chances = {(2, 5): Chance(0.2, 0.1), (1,): Chance(0.4, 0.5)}
    found = probabilities("m", [Measured("p", 3, chances, draws)], {(1,): "1", (2, 5): "2-5"})
    columns = ("opening", "probability", "probability_sampled", "drawn", "drawn_refusals")
    assert found.select(columns).rows() == [("1", 0.4, 0.5, 1, 1), ("2-5", 0.2, 0.1, 2, 1)]


def test_without_draws_or_tree() -> None:
    row = rows_of([])
    assert row["drawn"] == 0
    assert row["tree_rate"] > 0
    draws = [Draw((1,), refuses=True), Draw((3,), refuses=False)]
    table, opened = propensities("m", [Measured("p", 1, {}, draws)], {})
    (bare,) = table.rows(named=True)
    assert (bare["log_odds"], bare["tree_rate"], bare["outside"]) == (None, 0.0, 1.0)
    assert (opened.draws, opened.inside, opened.refusals, opened.outside) == (2, 0, 1, 1)
