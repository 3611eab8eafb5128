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


def population(seed: int) -> Population:
    random = np.random.default_rng(seed)
    level = np.repeat([0, 1], ROWS // 2)
    truth = (random.random(ROWS) < np.where(level == 1, 0.4, 0.25)).astype(float)
    machine = np.where(random.random(ROWS) < 0.15, 1 - truth, truth)
    inclusion = random.choice(PROBABILITIES, ROWS)
    drawn = random.random(ROWS) < inclusion
    weight = np.where(drawn, 1 / inclusion, 0.0)
    return Population(Audited(level, machine, np.where(drawn, truth, 0), weight), inclusion)


def of_level(audited: Audited, level: int) -> tuple[list[float], list[tuple[float, float, float]]]:
    """All machine readings of a level, and (machine, human, weight) of its sample."""
    every = [float(f) for f, at in zip(audited.machine, audited.level, strict=True) if at == level]
    sample = [
        (float(f), float(y), float(w))
        for f, y, w, at in zip(
            audited.machine, audited.human, audited.weight, audited.level, strict=True
        )
        if at == level and w > 0
    ]
    return every, sample


def slope_by_hand(sample: list[tuple[float, float, float]]) -> float:
    """Weighted least squares of y on f, weights w (w - 1) = (1 - pi) / pi^2."""
    weights = [w * (w - 1) for _, _, w in sample]
    total = sum(weights)
    mean_f = sum(v * f for v, (f, _, _) in zip(weights, sample, strict=True)) / total
    mean_y = sum(v * y for v, (_, y, _) in zip(weights, sample, strict=True)) / total
    above = sum(
        v * (f - mean_f) * (y - mean_y) for v, (f, y, _) in zip(weights, sample, strict=True)
    )
    below = sum(v * (f - mean_f) ** 2 for v, (f, _, _) in zip(weights, sample, strict=True))
    return above / below


def rate_by_hand(
    every: list[float], sample: list[tuple[float, float, float]], slope: float
) -> float:
    """The difference estimator with Hajek's weights (Sarndal, Swensson and Wretman 1992, 6.3)."""
    hajek = sum(w * (y - slope * f) for f, y, w in sample) / sum(w for _, _, w in sample)
    return slope * sum(every) / len(every) + hajek


@pytest.mark.parametrize("seed", range(8))
def test_rate_and_slope_with_unequal_inclusion_probabilities(seed: int) -> None:
    audited = population(seed).audited
    found = correct(audited)
    for level in (0, 1):
        every, sample = of_level(audited, level)
        slope = slope_by_hand(sample)
        assert 0 < slope < 1
        assert found.slope[level] == pytest.approx(slope, rel=1e-12)
        assert found.rate[level] == pytest.approx(rate_by_hand(every, sample, slope), rel=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_pseudo_outcomes_carry_the_rate_and_its_sampling_variance(seed: int) -> None:
    """Written out: p_i = lambda f + c + w~ s (y - lambda f - c), with w~ scaled to the level."""
    audited = population(seed).audited
    found = correct(audited)
    for level in (0, 1):
        every, sample = of_level(audited, level)
        slope = found.slope[level]
        scale = len(every) / sum(w for _, _, w in sample)
        offset = sum(w * scale * (y - slope * f) for f, y, w in sample) / len(every)
        counts = {reading: sum(f == reading for f, _, _ in sample) for reading in (0.0, 1.0)}
        expected = []
        at = iter(sample)
        rows = np.flatnonzero(audited.level == level)
        for row in rows:
            predicted = slope * audited.machine[row] + offset
            if audited.weight[row] > 0:
                f, y, w = next(at)
                spare = (counts[f] / (counts[f] - 1)) ** 0.5
                predicted += spare * scale * w * (y - slope * f - offset)
            expected.append(predicted)
        assert found.pseudo[rows] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_smoothing_goes_halfway_to_the_disagreement_of_all_levels(seed: int) -> None:
    audited = population(seed).audited
    found = correct(audited)
    samples = {level: of_level(audited, level) for level in (0, 1)}
    extra = []
    for every, sample in samples.values():
        slope = slope_by_hand(sample)
        scale = len(every) / sum(w for _, _, w in sample)
        offset = sum(scale * w * (y - slope * f) for f, y, w in sample) / len(every)
        added = 0.0
        for reading in (0.0, 1.0):
            everywhere = [
                (f, y) for _, rows in samples.values() for f, y, _ in rows if f == reading
            ]
            pooled = (sum(f != y for f, y in everywhere) + 0.5) / (len(everywhere) + 1)
            own = [(f, y, scale * w) for f, y, w in sample if f == reading]
            share = (sum(f != y for f, y, _ in own) / len(own) + pooled) / 2
            certain = [w * max(w - 1, 0) for _, _, w in own]
            seen = sum(
                v * (y - slope * f - offset) ** 2 for v, (f, y, _) in zip(certain, own, strict=True)
            )
            added += share * (1 - share) * sum(certain) - seen * len(own) / (len(own) - 1)
        extra.append(added / len(every) ** 2)
    assert found.extra == pytest.approx(extra, rel=1e-10)
    assert np.abs(found.extra).min() > 0


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
    hajek = sum(w * y for _, y, w in sample) / sum(w for _, _, w in sample)
    assert found.rate[1] == pytest.approx(hajek)
    assert found.rate[0] == pytest.approx(correct(audited).rate[0])


def test_readings_that_are_certain_share_in_the_rate_and_bring_no_error() -> None:
    """A third of one level is known: the share h that is not has the error, h^2 times."""
    given = population(4).audited
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
        Audited(*(each[~known] for each in (given.level, given.machine, given.human, given.weight)))
    )
    own = given.level == 1
    share = (own & ~known).sum() / own.sum()
    assert around.rate[0] == pytest.approx(rest.rate[0])
    assert around.rate[1] == pytest.approx(refused[known].sum() / own.sum() + share * rest.rate[1])
    assert around.extra == pytest.approx(rest.extra * [1, share**2])
    assert around.pseudo[known].tolist() == refused[known].tolist()


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
