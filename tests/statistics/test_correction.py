"""The corrected rate against the estimators of survey sampling, written out from the books."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from refusal_parity.statistics.correction import Audited, correct, correct_around

ROWS = 600
PROBABILITIES = (0.08, 0.25, 0.8)
"""Inclusion probabilities of three strata: as unequal as floors and quotas make them."""


class Population(NamedTuple):
    """A made-up study of two levels whose machine errs, and whose sample is stratified."""

    audited: Audited
    inclusion: np.ndarray


def population(seed: int, *, unlike: bool = False) -> Population:
    """Of rows that count alike, or not."""
    random = np.random.default_rng(seed)
    level = np.repeat([0, 1], ROWS // 2)
    truth = (random.random(ROWS) < np.where(level == 1, 0.4, 0.25)).astype(float)
    machine = np.where(random.random(ROWS) < 0.15, 1 - truth, truth)
    inclusion = random.choice(PROBABILITIES, ROWS)
    drawn = random.random(ROWS) < inclusion
    weight = np.where(drawn, 1 / inclusion, 0.0)
    # Errors count more, so that nothing comes out right without what rows count.
    worth = np.where(machine == truth, 0.6, 0.8) * random.lognormal(0, 0.5, ROWS)
    return Population(
        Audited(level, machine, np.where(drawn, truth, 0), weight, worth if unlike else None),
        inclusion,
    )


class Row(NamedTuple):
    """A row of a sample: what the machine says, people, its weight, and what it counts."""

    f: float
    y: float
    w: float
    a: float


def of_level(audited: Audited, level: int) -> tuple[list[tuple[float, float]], list[Row]]:
    """What the machine says of all rows of a level and what each counts; and its sample."""
    rows = [
        Row(*map(float, row))
        for row, at in zip(
            zip(audited.machine, audited.human, audited.weight, audited.worths, strict=True),
            audited.level,
            strict=True,
        )
        if at == level
    ]
    return [(row.f, row.a) for row in rows], [row for row in rows if row.w > 0]


def slope_by_hand(sample: list[Row]) -> float:
    """Least squares of y on f and 1, weighed by (1 - pi) / pi^2: the least sampling variance.

    That of the sum of a (y - lambda f - c) / pi over rows that are drawn each by itself.
    """
    root = np.sqrt([row.a**2 * row.w * (row.w - 1) for row in sample])
    sides = np.array([[row.f, 1.0] for row in sample])
    fit = np.linalg.lstsq(root[:, None] * sides, root * [row.y for row in sample], rcond=None)
    return float(fit[0][0])


def rate_by_hand(every: list[tuple[float, float]], sample: list[Row], slope: float) -> float:
    """The difference estimator with Hajek's weights (Sarndal, Swensson and Wretman 1992, 6.3)."""
    hajek = sum(a * w * (y - slope * f) for f, y, w, a in sample)
    hajek /= sum(a * w for *_, w, a in sample)
    return slope * sum(f * a for f, a in every) / sum(a for _, a in every) + hajek


def scale_and_offset(
    every: list[tuple[float, float]], sample: list[Row], slope: float
) -> tuple[float, float]:
    """What weights are multiplied by to add up to the level, and the mean error by them."""
    whole = sum(a for _, a in every)
    scale = whole / sum(a * w for *_, w, a in sample)
    return scale, sum(a * w * scale * (y - slope * f) for f, y, w, a in sample) / whole


@pytest.mark.parametrize("unlike", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_rate_and_slope_with_unequal_inclusion_probabilities(seed: int, *, unlike: bool) -> None:
    audited = population(seed, unlike=unlike).audited
    found = correct(audited)
    for level in (0, 1):
        every, sample = of_level(audited, level)
        slope = slope_by_hand(sample)
        assert 0 < slope < 1
        assert found.slope[level] == pytest.approx(slope, rel=1e-9)
        assert found.rate[level] == pytest.approx(rate_by_hand(every, sample, slope), rel=1e-9)


@pytest.mark.parametrize("unlike", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_pseudo_outcomes_carry_the_rate_and_its_sampling_variance(
    seed: int, *, unlike: bool
) -> None:
    """Written out: p_i = lambda f + c + w~ s (y - lambda f - c), with w~ scaled to the level."""
    audited = population(seed, unlike=unlike).audited
    found = correct(audited)
    for level in (0, 1):
        every, sample = of_level(audited, level)
        slope = found.slope[level]
        scale, offset = scale_and_offset(every, sample, slope)
        counts = {reading: sum(row.f == reading for row in sample) for reading in (0.0, 1.0)}
        expected = []
        at = iter(sample)
        rows = np.flatnonzero(audited.level == level)
        for row in rows:
            predicted = slope * audited.machine[row] + offset
            if audited.weight[row] > 0:
                f, y, w, _ = next(at)
                spare = (counts[f] / (counts[f] - 1)) ** 0.5
                predicted += spare * scale * w * (y - slope * f - offset)
            expected.append(predicted)
        assert found.pseudo[rows] == pytest.approx(expected, rel=1e-12)


def smoothing_by_hand(audited: Audited) -> list[float]:
    """Halfway between a level's own share of disagreement and that of all, less what is seen.

    Where rows are not worth the same, each counts by what its error adds to the variance.
    """
    samples = {level: of_level(audited, level) for level in (0, 1)}
    lines = {level: slope_by_hand(sample) for level, (_, sample) in samples.items()}
    ends = {level: scale_and_offset(*samples[level], lines[level]) for level in samples}

    def counting(level: int, reading: float) -> list[tuple[float, bool, float]]:
        """Of each row: what its error counts, whether it is one, and its square."""
        scale, offset = ends[level]
        return [
            (
                row.a**2 * scale * row.w * max(scale * row.w - 1, 0),
                row.f != row.y,
                (row.y - lines[level] * row.f - offset) ** 2,
            )
            for row in samples[level][1]
            if row.f == reading
        ]

    def wrong(rows: list[tuple[float, bool, float]]) -> float:
        if audited.worth is None:
            return sum(unlike for _, unlike, _ in rows)
        return len(rows) * sum(v * unlike for v, unlike, _ in rows) / sum(v for v, *_ in rows)

    extra = []
    for level, (every, _) in samples.items():
        added = 0.0
        for reading in (0.0, 1.0):
            of_all = [counting(each, reading) for each in samples]
            pooled = (sum(map(wrong, of_all)) + 0.5) / (sum(map(len, of_all)) + 1)
            own = of_all[level]
            share = (wrong(own) / len(own) + pooled) / 2
            seen = sum(v * square for v, _, square in own) * len(own) / (len(own) - 1)
            added += share * (1 - share) * sum(v for v, *_ in own) - seen
        extra.append(added / sum(a for _, a in every) ** 2)
    return extra


@pytest.mark.parametrize("unlike", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_smoothing_goes_halfway_to_the_disagreement_of_all_levels(
    seed: int, *, unlike: bool
) -> None:
    audited = population(seed, unlike=unlike).audited
    found = correct(audited)
    assert found.extra == pytest.approx(smoothing_by_hand(audited), rel=1e-9)
    assert np.abs(found.extra).min() > 0


def test_rows_that_are_drawn_for_certain_have_no_sampling_error() -> None:
    """Their weights, scaled to the level, may come out below 1: that takes nothing away."""
    audited = population(6).audited
    # Others stand for more than there are, and each row drawn for certain for less than itself.
    certain = np.arange(ROWS) % 2 == 0
    drawn = certain | (audited.weight > 2)
    weight = np.where(certain, 1.0, np.where(drawn, 12.0, 0.0))
    assert (np.bincount(audited.level, weight) > 1.1 * ROWS / 2).all()
    truth = population(6).audited.machine.copy()
    truth[::7] = 1 - truth[::7]
    scaled = audited._replace(human=np.where(drawn, truth, 0), weight=weight)
    assert correct(scaled).extra == pytest.approx(smoothing_by_hand(scaled), rel=1e-9)


def test_a_sample_without_disagreement_still_has_sampling_variance() -> None:
    audited = population(1).audited
    agreed = audited._replace(human=np.where(audited.weight > 0, audited.machine, 0))
    assert (correct(agreed).extra > 0).all()


def test_a_machine_that_says_the_opposite_is_left_alone() -> None:
    """Its slope is below 0 in the one level: people's labels alone decide that rate."""
    audited = population(2).audited
    turned = audited._replace(
        human=np.where(audited.level == 1, 1 - audited.machine, audited.human)
        * (audited.weight > 0)
    )
    _, sample = of_level(turned, 1)
    assert slope_by_hand(sample) < 0
    found = correct(turned)
    assert found.slope[1] == 0
    hajek = sum(row.w * row.y for row in sample) / sum(row.w for row in sample)
    assert found.rate[1] == pytest.approx(hajek)
    assert found.rate[0] == pytest.approx(correct(audited).rate[0])


@pytest.mark.parametrize("unlike", [False, True])
def test_readings_that_are_certain_share_in_the_rate_and_bring_no_error(*, unlike: bool) -> None:
    """A third of one level is known: the share h that is not has the error, h^2 times."""
    given = population(4, unlike=unlike).audited
    random = np.random.default_rng(9)
    known = (given.level == 1) & (random.random(ROWS) < 1 / 3)
    refused = (random.random(ROWS) < 0.5).astype(float)
    around = correct_around(
        given._replace(
            machine=np.where(known, refused, given.machine), weight=np.where(known, 0, given.weight)
        ),
        known,
    )
    rest = correct(
        Audited(
            *(
                each[~known]
                for each in (given.level, given.machine, given.human, given.weight, given.worths)
            )
        )
    )
    own, worth = given.level == 1, given.worths
    whole = worth[own].sum()
    share = worth[own & ~known].sum() / whole
    assert around.rate[0] == pytest.approx(rest.rate[0])
    certain = (worth * refused)[known].sum() / whole
    assert around.rate[1] == pytest.approx(certain + share * rest.rate[1])
    assert around.extra == pytest.approx(rest.extra * [1, share**2])
    assert around.slope == pytest.approx(rest.slope)
    assert around.pseudo[known].tolist() == refused[known].tolist()
    assert around.pseudo[~known] == pytest.approx(rest.pseudo)


def test_a_level_whose_sample_tells_no_slope_has_that_of_all() -> None:
    """The machine says the same of all its sampled rows; of none at all the slope is 1."""
    audited = population(2).audited
    dull = (audited.level == 1) & (audited.machine > 0)
    weight = np.where(dull, 0, audited.weight)
    found = correct(audited._replace(weight=weight))
    _, sample = of_level(audited, 0)
    assert found.slope == pytest.approx([slope_by_hand(sample)] * 2, rel=1e-9)
    nowhere = correct(audited._replace(weight=np.where(audited.machine > 0, 0, audited.weight)))
    assert nowhere.slope.tolist() == [1, 1]


def test_no_bias_over_all_samples() -> None:
    """Mean over 4,000 samples of one population: Horvitz-Thompson weights, not any weights."""
    random = np.random.default_rng(5)
    given = population(3)
    machine, level = given.audited.machine, given.audited.level
    # People refuse more often where fewer are sampled: any other weights are biased.
    truth = (random.random(ROWS) < np.where(given.inclusion < 0.1, 0.7, 0.2)).astype(float)
    rates = []
    for _ in range(4_000):
        drawn = random.random(ROWS) < given.inclusion
        weight = np.where(drawn, 1 / given.inclusion, 0)
        rates.append(correct(Audited(level, machine, truth * drawn, weight)).rate)
    true = np.bincount(level, truth) / np.bincount(level)
    error = np.mean(rates, axis=0) - true
    assert np.abs(error).max() < 0.012
    unweighted = np.bincount(level, truth * given.inclusion) / np.bincount(level, given.inclusion)
    assert np.abs(unweighted - true).min() > 0.1
