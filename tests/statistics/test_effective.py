"""Effective numbers of responses, against their formulas written out cell by cell."""

from __future__ import annotations

import numpy as np
import pytest

from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.fits.least_squares import least_squares
from refusal_parity.statistics.variances.effective import (
    effective,
    effective_of_rates,
    halfway,
    worth,
    worth_at_most,
)

LEVELS = ("x", "y", "z")
LEVEL = np.array([0, 0, 0, 1, 1, 1, 1, 2, 2, 2])


def made_up(
    seed: int, rates: tuple[float, float, float] = (0.3, 0.5, 0.2), *, lacking: bool = False
) -> Studies:
    """Ten names of three levels with six templates; cells of 2 to 5 responses, two of none.

    Where it is lacking, the last level has nothing of the last template.
    """
    random = np.random.default_rng(seed)
    n = random.integers(2, 6, (10, 6)).astype(float)
    n[1, 2] = n[8, 0] = 0
    n[7:, 5] *= not lacking
    odds = np.array(rates)[LEVEL][:, None] + random.normal(0, 0.12, (10, 1))
    odds = odds + random.normal(0, 0.15, (3, 6))[LEVEL] * (np.array(rates)[LEVEL] > 0)[:, None]
    floor = np.where(np.array(rates)[LEVEL] > 0, 0.02, 0)[:, None]
    k = random.binomial(n.astype(int), np.clip(odds, floor, np.maximum(floor, 0.98)))
    k[np.array(rates)[LEVEL] == 0] = 0
    return Studies(Grid(LEVELS, LEVEL, n), k[None].astype(float))


class Dense:
    """The same study, by sums over its cells."""

    def __init__(self, studies: Studies) -> None:
        n, k = studies.grid.n, studies.k[0]
        rows = [(i, t) for i in range(10) for t in range(6) if n[i, t]]
        of_level = np.array([LEVEL[i] == np.arange(3) for i, _ in rows])
        of_template = np.array([t == np.arange(1, 6) for _, t in rows])
        columns = np.hstack([of_level, of_template]).astype(float)
        weight = np.array([n[at] for at in rows])
        share = np.array([k[at] / n[at] for at in rows])
        root = np.sqrt(weight)
        found = np.linalg.lstsq(columns * root[:, None], share * root, rcond=None)[0]
        self.effects = found[:3]
        self.influence = np.linalg.inv((columns.T * weight) @ columns)[:3]
        self.left = {
            at: k[at] - n[at] * (row @ found) for at, row in zip(rows, columns, strict=True)
        }
        self.n, self.names = n, [np.flatnonzero(at == LEVEL) for at in range(3)]
        self.size = np.array([n[of].sum() for of in self.names])
        self.rate = np.array([k[of].sum() for of in self.names]) / self.size
        self.spread = self.rate * (1 - self.rate)
        m = np.array([len(of) for of in self.names])
        self.own = np.array(
            [
                len(of) / (len(of) - 1) / size**2
                * sum(sum(self.left.get((i, t), 0) for t in range(6)) ** 2 for i in of)
                for of, size in zip(self.names, self.size, strict=True)
            ]
        )  # fmt: skip
        pooled = ((m - 1) * self.size * self.own).sum()
        self.effect = pooled / ((m - 1) * self.spread).sum()
        self.by_name = self.own / 2 + self.effect * self.spread / self.size / 2
        self.spare = m - 1

    def beside(self, level: int, other: int) -> tuple[float, float]:
        """Variance between a level's names, and its responses, as both weigh in a difference."""
        change = self.influence[level] - self.influence[other]
        weight = {(at, t): change @ self.row(at, t) for at in range(3) for t in range(6)}
        between = [
            len(of) / (len(of) - 1)
            * sum(sum(weight[at, t] * self.left.get((i, t), 0) for t in range(6)) ** 2 for i in of)
            for at, of in enumerate(self.names)
        ]  # fmt: skip
        [third] = {0, 1, 2} - {level, other}
        size = 1 / sum(
            weight[level, t] ** 2 * self.n[i, t] for i in self.names[level] for t in range(6)
        )
        own = between[level] + between[third] / 2
        return own / 2 + self.effect * self.spread[level] / size / 2, size

    def row(self, level: int, t: int) -> np.ndarray:
        return np.concatenate([np.arange(3) == level, np.arange(1, 6) == t]).astype(float)

    def mean(self, level: int, t: int) -> float:
        of = self.names[level]
        return sum(self.left.get((i, t), 0) for i in of) / max(self.n[of, t].sum(), 1)

    def of_cell(self, level: int) -> float:
        """The variance of a cell's mean beyond its name and its template within the level."""
        of = self.names[level]
        cells = [(i, t) for i in of for t in range(6) if self.n[i, t]]
        squares = 0.0
        for i, t in cells:
            name = sum(self.left.get((i, u), 0) for u in range(6)) / self.n[i].sum()
            squares += (self.left[i, t] / self.n[i, t] - self.mean(level, t) - name) ** 2
        return squares / (len(cells) - len(of) - len({t for _, t in cells}) + 1)

    def by_template(self, a: int, b: int) -> tuple[float, int]:
        """The variance of templates for two levels, and its degrees of freedom."""
        sums = np.array([[self.n[self.names[at], t].sum() for t in range(6)] for at in (a, b)])
        weight = sums[0] * sums[1] / sums.sum(axis=0)
        weight /= weight.sum()
        gap = np.array([self.mean(a, t) - self.mean(b, t) for t in range(6)])
        paired = int((weight > 0).sum())
        seen = paired / (paired - 1) * ((weight * (gap - weight @ gap)) ** 2).sum()
        noise = sum(
            self.of_cell(at)
            * sum(
                weight[t] ** 2 * (self.n[self.names[at], t] ** 2).sum() / sums[row, t] ** 2
                for t in np.flatnonzero(weight)
            )
            for row, at in enumerate((a, b))
        )
        return max(seen - noise, 0.0), paired - 1


@pytest.mark.parametrize("lacking", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_numbers_are_those_of_the_formulas(seed: int, *, lacking: bool) -> None:
    studies = made_up(seed, lacking=lacking)
    dense = Dense(studies)
    with np.errstate(all="raise"):
        found = effective(least_squares(studies))
    templates = []
    for at, pair in enumerate(studies.pairs):
        a, b = LEVELS.index(pair.group), LEVELS.index(pair.reference)
        of_both, freedom = dense.by_template(a, b)
        templates.append(of_both)
        part = of_both / (dense.spread[a] + dense.spread[b])
        named = {}
        for level, other, number in (
            (a, b, found.rates.n),
            (b, a, found.rates.n_reference),
        ):
            named[level], size = dense.beside(level, other)
            if not (lacking and LEVELS.index("z") in {a, b}):
                named[level], size = dense.by_name[level], dense.size[level]
            variance = named[level] + part * dense.spread[level]
            assert number[0, at] == pytest.approx(min(dense.spread[level] / variance, size))
        variance = named[a] + named[b] + of_both
        assert found.variance[0, at] == pytest.approx(variance)
        parts = sum(named[each] ** 2 / dense.spare[each] for each in (a, b)) + of_both**2 / freedom
        assert found.df[0, at] == pytest.approx(variance**2 / parts)
        assert found.rates.difference[0, at] == pytest.approx(dense.effects[a] - dense.effects[b])
        assert (found.rates.rate[0, at], found.rates.reference[0, at]) == pytest.approx(
            (dense.rate[a], dense.rate[b])
        )
        assert found.rates.correlation[0, at] == 0
    # Both kinds of design come: templates that move levels apart, and that do not.
    if seed == 0:
        assert max(templates) > 0


def test_a_rate_of_0_is_worth_what_the_others_design_effect_says() -> None:
    studies = made_up(1, rates=(0.0, 0.5, 0.2))
    found, dense = effective(least_squares(studies)), Dense(studies)
    assert dense.rate[0] == 0
    [at] = [at for at, pair in enumerate(studies.pairs) if set(pair) == {"x", "y"}]
    number = found.rates.n if studies.pairs[at].group == "x" else found.rates.n_reference
    assert number[0, at] == pytest.approx(min(dense.size[0] / dense.effect, dense.size[0]))


def test_where_nothing_varies_names_or_templates_are_the_number() -> None:
    """Three and four names with six templates; two templates would be fewer."""
    studies = made_up(2, rates=(0.0, 0.0, 0.0))
    with np.errstate(all="raise"):
        found = effective(least_squares(studies))
    sizes = dict(zip(LEVELS, (3, 4, 3), strict=True))
    for at, pair in enumerate(studies.pairs):
        assert found.rates.n[0, at] == sizes[pair.group]
        assert found.rates.n_reference[0, at] == sizes[pair.reference]
        assert found.df[0, at] == sizes[pair.group] + sizes[pair.reference] - 2
        assert found.variance[0, at] == found.rates.difference[0, at] == 0
    grid = studies.grid
    few = Studies(Grid(LEVELS, grid.level, grid.n[:, 3:5]), studies.k[:, :, 3:5])
    assert set(effective(least_squares(few)).rates.n[0]) == {2}


def test_of_single_rates_half_the_variance_is_pooled_within_a_model() -> None:
    n, k = np.array([40.0, 60.0, 50.0]), np.array([10.0, 0.0, 25.0])
    variance, pool = np.array([0.01, 0.0, 0.004]), np.array([0, 0, 1])
    found = effective_of_rates(n, k, variance, np.array([5.0, 6.0, 7.0]), pool)
    effect = 40 * 0.01 / (0.25 * 0.75)
    own = 0.01 / 2 + effect * (0.25 * 0.75) / 40 / 2
    other = 0.004 / 2 + (50 * 0.004 / 0.25) * 0.25 / 50 / 2
    assert found == pytest.approx([0.25 * 0.75 / own, 60 / effect, min(0.25 / other, 50)])
    with np.errstate(all="raise"):
        nothing = effective_of_rates(n, np.zeros(3), np.zeros(3), np.array([5.0, 6.0, 7.0]), pool)
    assert nothing.tolist() == [5, 6, 7]


def test_a_number_is_the_spread_by_the_variance_and_at_most_the_responses() -> None:
    spread, variance = np.array([0.25, 0.25, 0.0, 0.25]), np.array([0.01, 0.001, 0.01, 0.0])
    with np.errstate(all="raise"):
        found = worth(spread, variance, np.array([100.0, 100.0, 9.0, 8.0]), np.full(4, 5.0))
    assert found.tolist() == [25, 100, 5, 5]
    # A quarter of each response's variance is a design effect of 1 at 10 responses.
    assert halfway(np.array([0.04]), np.array([2.0]), np.array([0.25]), np.array([10.0])) == (
        pytest.approx([0.02 + 0.5 * 2 * 0.25 / 10])
    )


def test_few_events_are_not_worth_more_than_the_levels_together_say() -> None:
    """Design effects of 4, 1.6 and less than 1, which is taken for 1, and of a rate of 0."""
    spread, size = np.array([[0.25, 0.09, 0.16, 0.0]]), np.array([[100.0, 50.0, 80.0, 30.0]])
    alone = spread / size
    variance = alone * np.array([[4.0, 1.6, 0.2, 9.0]])
    variance[0, 3] = 0.05
    pooled = float(variance[0, :3].sum() / alone.sum())
    assert 1.6 < pooled < 4
    effects = [4.0, (1.6 + pooled) / 2, max((0.2 + pooled) / 2, 1), pooled]
    assert worth_at_most(spread, variance, size)[0] == pytest.approx(size[0] / effects)
    # Another study beside it changes nothing of the first.
    beside = (np.vstack([each, 2 * each[:, ::-1]]) for each in (spread, variance))
    assert worth_at_most(*beside, size)[0] == pytest.approx(size[0] / effects)
    sure = worth_at_most(spread[:, :3], alone[:, :3] / 9, size[:, :3])
    assert sure.tolist() == size[:, :3].tolist()
    assert np.isnan(worth_at_most(np.zeros((1, 2)), np.zeros((1, 2)), np.ones((1, 2)))).all()
