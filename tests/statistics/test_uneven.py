"""Levels of few names that vary more than others' do."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import f

from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.fits.least_squares import least_squares
from refusal_parity.statistics.variances.uneven import UNEVEN_NOTE, _p_values, uneven

TEMPLATES = 5
SIZES = (8, 6, 4)


def studies(last: tuple[int, ...]) -> Studies:
    """Of each name as many refusals in every template, of 6; those of the last level as given."""
    refusals = [2, 3, 4, 3, 2, 4, 3, 3, 3, 2, 4, 3, 2, 4, *last]
    k = np.repeat(np.array(refusals, float)[:, None], TEMPLATES, axis=1)
    level = np.repeat(np.arange(3), SIZES)
    return Studies(Grid(("x", "y", "z"), level, np.full(k.shape, 6.0)), k[None])


@pytest.mark.parametrize(("last", "is_said"), [((0, 6, 0, 6), 1), ((2, 4, 3, 3), 0)])
def test_the_f_test_is_that_of_design_effects(last: tuple[int, ...], is_said: int) -> None:
    fit = least_squares(studies(last))
    counts = fit.studies.k[0, :, 0]
    level = np.repeat(np.arange(3), SIZES)
    parts = [counts[level == at] / 6 for at in range(3)]
    # Without effects of templates a level's design effect is s^2 by p (1 - p), but for a factor.
    squares = [((each - each.mean()) ** 2).sum() * len(each) / len(each) for each in parts]
    spread = [each.mean() * (1 - each.mean()) for each in parts]
    ratio = squares[2] / (3 * spread[2])
    ratio /= (squares[0] + squares[1]) / (7 * spread[0] + 5 * spread[1])
    assert _p_values(fit)[0, 2] == pytest.approx(f.sf(ratio, 3, 12), rel=1e-9)
    notes = uneven(fit)
    assert len(notes) == is_said
    for note in notes:
        assert note.text == (
            f"{UNEVEN_NOTE} in z, which has 4: with so few, this comparison by itself is too sure"
        )
        pairs = [{pair.group, pair.reference} for pair in fit.studies.pairs]
        assert note.where[0].tolist() == ["z" in pair for pair in pairs]


@pytest.mark.parametrize(("names", "is_said"), [(8, True), (9, False)])
def test_more_than_eight_names_speak_for_themselves(names: int, *, is_said: bool) -> None:
    level = np.repeat(np.arange(3), (names, 6, 4))
    refusals = np.concatenate([np.resize([0.0, 6.0], names), [3, 2, 4, 3, 2, 4, 3, 3, 3, 3]])
    k = np.repeat(refusals[:, None], TEMPLATES, axis=1)
    fit = least_squares(Studies(Grid(("x", "y", "z"), level, np.full(k.shape, 6.0)), k[None]))
    assert _p_values(fit)[0, 0] < 0.001
    assert [f"in x, which has {names}:" in str(each.text) for each in uneven(fit)] == [
        True
    ] * is_said


@pytest.mark.parametrize(("last", "is_said"), [((0, 6), 1), ((2, 4), 0)])
def test_two_names_have_one_degree_of_freedom(last: tuple[int, ...], is_said: int) -> None:
    refusals = np.array([2, 3, 4, 3, 2, 4, 3, 3, 3, 2, 4, 3, 2, 4, *last], float)
    level = np.repeat(np.arange(3), (8, 6, 2))
    k = np.repeat(refusals[:, None], TEMPLATES, axis=1)
    fit = least_squares(Studies(Grid(("x", "y", "z"), level, np.full(k.shape, 6.0)), k[None]))
    parts = [refusals[level == at] / 6 for at in range(3)]
    squares = [((each - each.mean()) ** 2).sum() for each in parts]
    spread = [each.mean() * (1 - each.mean()) for each in parts]
    ratio = squares[2] / spread[2]
    ratio /= (squares[0] + squares[1]) / (7 * spread[0] + 5 * spread[1])
    assert _p_values(fit)[0, 2] == pytest.approx(f.sf(ratio, 1, 12), rel=1e-9)
    assert len(uneven(fit)) == is_said


def test_studies_do_not_change_each_other() -> None:
    even, split = studies((2, 4, 3, 3)), studies((0, 6, 0, 6))
    both = Studies(even.grid, np.concatenate([even.k, split.k]))
    alone = [_p_values(least_squares(each))[0] for each in (even, split)]
    assert _p_values(least_squares(both)) == pytest.approx(np.array(alone))


def test_what_does_not_vary_is_not_uneven() -> None:
    """A level without a refusal, and one beside others without any."""
    quiet = studies((0, 0, 0, 0))
    k = np.zeros_like(quiet.k)
    k[0, 14:] = np.array([0, 6, 0, 6])[:, None]
    with np.errstate(all="raise"):
        assert _p_values(least_squares(quiet))[0, 2] == 1
        assert _p_values(least_squares(Studies(quiet.grid, k)))[0].tolist() == [1, 1, 1]
