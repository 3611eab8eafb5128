"""Whether a labelling errs alike at all levels."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from refusal_parity.agreement.errors import at_risk, difference_of_errors
from refusal_parity.agreement.pairs import Pair
from refusal_parity.vocabulary import Coefficient

LEVELS = ["x", "y", "z"]
NAMES, TEMPLATES = 5, 12


def refusals(
    *rates: float, seed: int = 0, listed: bool = False, weight: int = 1
) -> tuple[Pair, np.ndarray]:
    """Refusals to a few names of each level, of which a share is missed; their levels' codes.

    Args:
        rates: of each level.
        seed: of the draw.
        listed: whether names are units of a prompt list.
        weight: the largest; they are drawn from 1 on.
    """
    random = np.random.default_rng(seed)
    level, own, template = (each.ravel() for each in np.indices((len(rates), NAMES, TEMPLATES)))
    missed = random.random(level.size) < np.array(rates)[level]
    pair = Pair(
        truth=np.ones(level.size, dtype=np.intp),
        given=np.where(missed, 0, 1),
        weight=random.integers(1, weight + 1, level.size).astype(float),
        name=level * NAMES + own,
        template=np.zeros_like(template) if listed else template,
        listed=listed,
    )
    return pair, level


def test_at_risk_are_refusals_of_being_missed_and_all_others_of_being_called_so() -> None:
    pair, _ = refusals(0.5)
    mixed = replace(pair, truth=np.arange(len(pair.truth)) % 3 // 2)
    assert set(at_risk(mixed, Coefficient.MISSED_REFUSAL).truth) == {1}
    others = at_risk(mixed, Coefficient.FALSE_REFUSAL)
    assert (set(others.truth), len(others.truth)) == ({0}, 2 * len(pair.truth) // 3)


def test_a_response_that_weighs_twice_counts_as_two() -> None:
    pair, level = refusals(0.1, 0.5, 0.3, weight=3)
    found = difference_of_errors(pair, level, LEVELS, 0.05)
    times = pair.weight.astype(int)
    wrong = pair.truth != pair.given
    rates = [np.repeat(wrong[level == at], times[level == at]).mean() for at in range(3)]
    assert found.spread == pytest.approx(max(rates) - min(rates))
    assert (found.n_of, found.wrong) == (len(wrong), wrong.sum())
    # It is the same of weights that are all larger by as much, and of what is labelled rightly.
    for same in (
        replace(pair, weight=7 * pair.weight),
        replace(pair, given=1 - pair.given),
    ):
        tested = difference_of_errors(same, level, LEVELS, 0.05)
        assert found.p_value == pytest.approx(tested.p_value, rel=1e-9)
    alike = difference_of_errors(
        replace(pair, weight=np.ones_like(pair.weight)), level, LEVELS, 0.05
    )
    assert found.p_value != pytest.approx(alike.p_value, rel=1e-3)


def test_which_level_is_the_first_changes_nothing() -> None:
    pair, level = refusals(0.1, 0.4, 0.3)
    found = difference_of_errors(pair, level, LEVELS, 0.05)
    turned = difference_of_errors(pair, 2 - level, LEVELS[::-1], 0.05)
    assert turned.p_value == pytest.approx(found.p_value, rel=1e-9)
    assert turned.spread == pytest.approx(found.spread)


def test_of_a_list_the_smallest_p_value_of_all_pairs_counts_by_holm() -> None:
    """Each pair of levels by itself, times three: Holm's smallest of three."""
    pair, level = refusals(0.05, 0.3, 0.7, seed=2, listed=True)
    found = difference_of_errors(pair, level, LEVELS, 0.05)
    alone = []
    for two in combinations(range(3), 2):
        rows = np.isin(level, two)
        codes = np.searchsorted(two, level[rows])
        of_two = difference_of_errors(pair.keep(rows), codes, [LEVELS[each] for each in two], 0.05)
        assert of_two.p_value is not None
        alone.append(of_two.p_value)
    assert found.p_value == pytest.approx(3 * min(alone), rel=1e-6)
    assert found.p_value < 0.05


@pytest.mark.parametrize(
    ("rates", "errors", "note"),
    [
        ((0.0, 0.0, 0.0), 0, "no error to compare"),
        ((0.3, 0.3, 0.3), 10, None),
        ((0.3, 0.3, 0.3), 9, "only 9 errors"),
        ((0.3, 0.3, 0.3), 1, "only 1 error"),
    ],
)
@pytest.mark.parametrize("listed", [False, True])
def test_of_few_errors_a_test_says_little(
    rates: tuple[float, ...], errors: int, note: str | None, *, listed: bool
) -> None:
    pair, level = refusals(*rates, listed=listed)
    wrong = np.flatnonzero(pair.truth != pair.given)
    some = np.random.default_rng(1).permutation(wrong)[:errors]
    given = np.ones_like(pair.given)
    given[some] = 0
    found = difference_of_errors(replace(pair, given=given), level, LEVELS, 0.05)
    assert found.wrong == errors
    assert found.spread is not None
    if listed:
        assert found.note == note
        assert (found.p_value is None) == (errors == 0)
    else:
        # The two-way test may have something to say of its own before.
        assert (
            ((found.note or "").rpartition("; ")[2] == note)
            if note
            else ("only" not in (found.note or ""))
        )


def test_one_level_has_nothing_to_compare() -> None:
    pair, level = refusals(0.5)
    found = difference_of_errors(pair, level, ["x"], 0.05)
    assert (found.spread, found.p_value) == (None, None)
    assert found.note is not None
    listed, level = refusals(0.5, listed=True)
    found = difference_of_errors(listed, level, ["x"], 0.05)
    assert (found.spread, found.p_value) == (None, None)
    assert found.note == "one level, or one prompt in it"
    none = pair.keep(np.zeros(len(pair.truth), dtype=bool))
    nothing = difference_of_errors(none, level[:0], ["x"], 0.05)
    assert (nothing.n_of, nothing.spread, nothing.note) == (0, None, "nothing to label wrongly")


def test_levels_that_nobody_is_of_are_no_levels() -> None:
    """Codes that do not occur: of x and z alone."""
    pair, level = refusals(0.1, 0.5, seed=3)
    found = difference_of_errors(pair, 2 * level, LEVELS, 0.05)
    assert found == difference_of_errors(pair, level, ["x", "z"], 0.05)
