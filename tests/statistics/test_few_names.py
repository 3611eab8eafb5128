"""Permutations of names where few names have an outcome."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.methods.exact import exact_tests
from refusal_parity.statistics.methods.randomisation import f_test, spread_test
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.few_names import least_p_value
from refusal_parity.statistics.resampling.randomisation import Draws

NAMES, TEMPLATES = 8, 10
SETTING = Setting(0.05, 0.05, Draws(1999, 1), Resamples(9, 1))


def studies(
    hits: list[tuple[int, int]], groups: int, *, lost: int, lacking: bool = False
) -> Studies:
    """A study in which these names have the outcome under these templates, or alone lack it."""
    n = np.full((groups * NAMES, TEMPLATES), 2.0)
    random = np.random.default_rng(3)
    cells = random.choice(n.size, lost, replace=False)
    n.flat[cells] -= random.integers(1, 3, lost)
    k = np.zeros_like(n)
    for at in hits:
        n[at] = 2
        k[at] = 1
    levels = tuple("abc"[:groups])
    grid = Grid(levels, np.repeat(np.arange(groups), NAMES), n)
    return Studies(grid, (n - k if lacking else k)[None], every_pair=True)


@pytest.mark.parametrize("sizes", [(4, 4), (3, 6), (3, 3, 4), (1, 5)])
@pytest.mark.parametrize("few", range(6))
def test_share_of_permutations_that_set_groups_furthest_apart(
    sizes: tuple[int, ...], few: int
) -> None:
    """Against a list of all ways to choose the names: all are of one of the smallest groups."""
    names, smallest = sum(sizes), min(sizes)
    of = np.repeat(np.arange(len(sizes)), sizes)
    chosen = list(combinations(range(names), few))
    small = [at for at, size in enumerate(sizes) if size == smallest]
    expected = np.mean([any((of[list(each)] == at).all() for at in small) for each in chosen])
    n = np.full(names, 3.0)
    k = np.where(np.arange(names) < few, 2.0, 0)
    found = least_p_value(np.stack([k, n - k]), n, np.array(sizes))
    assert found == pytest.approx(np.full(2, expected), abs=1e-12)


@pytest.mark.parametrize("lacking", [False, True])
@pytest.mark.parametrize("lost", [0, 9, 40])
def test_one_response_is_no_evidence(lost: int, *, lacking: bool) -> None:
    """Whichever group it is in, the others could have had it as well."""
    one = studies([(2, 4)], 3, lost=lost, lacking=lacking)
    for answers in (*spread_test(one, SETTING), *f_test(one, SETTING), *exact_tests(one, SETTING)):
        p_value = np.broadcast_to(answers.p_value, (1, len(answers.pairs or [None])))
        of_pairs_with_it = p_value[0, :2] if answers.pairs else p_value[0]
        assert (of_pairs_with_it == 1).all()
        said = [
            each.text(0) for each in answers.remarks if callable(each.text) and each.where.any()
        ]
        assert (
            "few names have the outcome, or lack it: permutations of names allow no p-value below 1"
            in said
        )


@pytest.mark.parametrize("lost", [0, 9, 40])
def test_three_names_of_one_group_are_as_rare_as_three_names(lost: int) -> None:
    three = studies([(0, 1), (1, 5), (2, 4), (2, 6)], 2, lost=lost)
    (answers,) = exact_tests(three, SETTING)
    assert np.ravel(answers.p_value) == pytest.approx([2 * 56 / 560], abs=1e-12)


@pytest.mark.parametrize(
    "sums",
    [[60.0, 81, 70, 55, 90, 66], [-2.5, -3, -1, -4, 0.5, -2], [-1.0, 0, 0, 0, 1, 0], [0.2] * 6],
    ids=["lengths", "log-odds", "changes of rates", "probabilities"],
)
def test_sums_of_other_quantities_have_no_such_bound(sums: list[float]) -> None:
    """One name of six alone is above 0 in some of them."""
    assert least_p_value(np.array([sums]), np.full(6, 3.0), np.array([3, 3])) == 0
