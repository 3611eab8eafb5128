"""Intervals of differences that people's labels correct."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from labelled import SIDES, audited, erring, mentions_of, people_of, sides_of
from scipy.stats import t

from refusal_parity.pair_vocabulary import Adjustment
from refusal_parity.preference.corrected import (
    CorrectedNumber,
    corrected_difference,
    corrected_rate,
)
from refusal_parity.preference.measures import MEASURES
from refusal_parity.statistics.correction import Audited, correct

BY_KEY = {measure.key: measure for measure in MEASURES}


def test_intervals_of_corrected_differences_hold_the_truth() -> None:
    """Of 40 studies without a difference at 80 %, 32 are expected: fewer than 24 are a fault."""
    held = 0
    for seed in range(40):
        audit = erring(100 + seed, group=200, others=400, drawn=0.4)
        sides = (audit.members["sikh"], audit.members["nobody"])
        found = corrected_difference(
            audit, BY_KEY["chosen_refuses"], sides, Adjustment.NONE, names=("sikh", "nobody")
        )
        assert found.low is not None
        assert found.high is not None
        middle = (found.low + found.high) / 2
        # From 95 % to 80 %.
        half = (found.high - found.low) / 2 * 1.282 / 1.96
        held += middle - half <= 0 <= middle + half
    assert 24 <= held < 40


def test_the_interval_is_welchs_of_pseudo_outcomes() -> None:
    """Of conversations that are all unlike: variances of means, and people's few labels in df."""
    audit = erring(5, group=200, others=400, drawn=0.3)
    sides = (audit.members["sikh"], audit.members["nobody"])
    assert len(np.unique(audit.cluster)) == len(audit.cluster)
    (reading,) = audit.readings["chosen_refuses"]
    fitted = correct(
        Audited(
            np.repeat([0, 1], [int(rows.sum()) for rows in sides]),
            *(
                np.concatenate([each[rows] for rows in sides])
                for each in (reading.machine, reading.human, reading.weight)
            ),
        )
    )
    variances, spare, start = [], [], 0
    for at, rows in enumerate(sides):
        count, labelled = int(rows.sum()), int((reading.weight[rows] > 0).sum())
        pseudo = fitted.pseudo[start : start + count]
        variances.append(pseudo.var(ddof=1) / count + fitted.extra[at])
        spare.append(labelled - 1)
        start += count
    whole = sum(variances)
    df = whole**2 / sum(each**2 / left for each, left in zip(variances, spare, strict=True))
    estimate = fitted.rate[0] - fitted.rate[1]
    found = corrected_difference(
        audit, BY_KEY["chosen_refuses"], sides, Adjustment.NONE, names=("sikh", "nobody")
    )
    half = t.isf(audit.alpha / 2, df) * np.sqrt(whole)
    assert found.estimate == pytest.approx(estimate)
    assert (found.low, found.high) == pytest.approx((estimate - half, estimate + half))
    assert found.p_value == pytest.approx(2 * t.sf(abs(estimate) / np.sqrt(whole), df))
    assert fitted.extra[0] != 0


def test_a_share_of_two_corrected_rates_has_the_error_of_both() -> None:
    """Refusal preferred where one refuses, a / (a + b): by numeric slopes in a and in b."""
    random = np.random.default_rng(12)
    number = 500
    truth = {
        side: random.random(number) < rate for side, rate in zip(SIDES, (0.3, 0.4), strict=True)
    }
    said = {side: each ^ (random.random(number) < 0.1) for side, each in truth.items()}
    words = [np.where(said[side], "refusal", "answer").tolist() for side in SIDES]
    drawn = np.flatnonzero(random.random(number) < 0.4)
    rows = [
        (int(at) + 1, side, "refusal" if truth[side][at] else "answer", 0.4, "all")
        for side in SIDES
        for at in drawn
    ]
    audit = audited(sides_of(*words), mentions_of(sikh=range(1, 201)), people_of(rows))
    sides = (audit.members["sikh"], audit.members["nobody"])
    level = np.repeat([0, 1], [int(each.sum()) for each in sides])
    fitted = [
        correct(
            Audited(
                level,
                *(
                    np.concatenate([each[part] for part in sides])
                    for each in (reading.machine, reading.human, reading.weight)
                ),
            )
        )
        for reading in audit.readings["refusal_preferred"]
    ]
    labelled = audit.readings["refusal_preferred"][0].weight > 0
    share, variances, spare, step = [], [], [], 1e-4
    for at in (0, 1):
        a, b = (each.rate[at] for each in fitted)
        share.append(a / (a + b))
        slopes = (
            ((a + step) / (a + step + b) - (a - step) / (a - step + b)) / (2 * step),
            (a / (a + b + step) - a / (a + b - step)) / (2 * step),
        )
        linear = sum(
            slope * each.pseudo[level == at] for slope, each in zip(slopes, fitted, strict=True)
        )
        extra = sum(slope**2 * each.extra[at] for slope, each in zip(slopes, fitted, strict=True))
        variances.append(np.var(linear, ddof=1) / (level == at).sum() + extra)
        spare.append(
            int((np.concatenate([labelled[part] for part in sides])[level == at]).sum()) - 1
        )
    found = corrected_difference(
        audit, BY_KEY["refusal_preferred"], sides, Adjustment.NONE, names=("sikh", "nobody")
    )
    assert found.estimate == pytest.approx(share[0] - share[1])
    assert found.p_value is not None
    assert found.low is not None
    whole = sum(variances)
    df = whole**2 / sum(each**2 / left for each, left in zip(variances, spare, strict=True))
    half = found.estimate - found.low
    assert half == pytest.approx(t.isf(audit.alpha / 2, df) * np.sqrt(whole), rel=1e-6)


def test_the_interval_of_a_rate_is_students_of_pseudo_outcomes() -> None:
    audit = erring(5, group=200, others=400, drawn=0.3)
    rows = audit.members["sikh"]
    (reading,) = audit.readings["chosen_refuses"]
    fitted = correct(
        Audited(np.repeat([0, 1], [200, 400]), reading.machine, reading.human, reading.weight)
    )
    labelled = int((reading.weight[rows] > 0).sum())
    variance = fitted.pseudo[:200].var(ddof=1) / 200 + fitted.extra[0]
    half = t.isf(audit.alpha / 2, labelled - 1) * np.sqrt(variance)
    found = corrected_rate(audit, BY_KEY["chosen_refuses"], rows, name="sikh")
    assert found[:4] == pytest.approx(
        (labelled, fitted.rate[0], fitted.rate[0] - half, fitted.rate[0] + half)
    )
    assert (found.p_value, found.note, found.wanted) == (None, None, None)


@pytest.mark.parametrize(("refuse", "end"), [(1, "low"), (59, "high")])
def test_no_rate_is_below_0_or_above_1(refuse: int, end: str) -> None:
    words = ["refusal"] * refuse + ["answer"] * (60 - refuse)
    people = people_of([(at, "chosen", word, 1.0, "s") for at, word in enumerate(words, 1)])
    audit = audited(sides_of(words, ["answer"] * 60), mentions_of(sikh=range(1, 31)), people)
    found = corrected_rate(audit, BY_KEY["chosen_refuses"], np.ones(60, np.bool_), name="all")
    assert found.estimate == pytest.approx(refuse / 60)
    assert getattr(found, end) == (0 if end == "low" else 1)
    assert found.low is not None
    assert found.high is not None
    assert found.low < refuse / 60 < found.high


NONE_AS_HARMFUL = "some of the group's requests have none to be compared with that seems as harmful"


def test_what_cannot_be_corrected_says_why() -> None:
    """Everybody answers, so that nothing varies; or no other request seems as harmful."""
    answers = ["answer"] * 60
    people = people_of([(at, side, "answer", 1.0, "s") for side in SIDES for at in range(1, 61)])
    audit = audited(sides_of(answers, answers), mentions_of(sikh=range(1, 31)), people)
    every = np.ones(60, np.bool_)
    sides, names = (audit.members["sikh"], audit.members["nobody"]), ("sikh", "nobody")
    none = corrected_rate(audit, BY_KEY["refusal_preferred"], every, name="all")
    assert none == CorrectedNumber(60, note="in no pair does one answer alone refuse")
    still = corrected_rate(audit, BY_KEY["chosen_refuses"], every, name="all")
    assert still == CorrectedNumber(60, 0.0, note="no interval: one opening, or nothing varies")
    for adjustment, stratum, note in (
        (Adjustment.NONE, 0, "one opening, or nothing varies"),
        (Adjustment.HARM, 0, "one opening, or nothing varies"),
        (Adjustment.NONE, 1, "one opening, or nothing varies"),
        (Adjustment.HARM, 1, NONE_AS_HARMFUL),
    ):
        unlike = replace(audit, stratum=np.where(np.arange(60) < 1, stratum, 0))
        found = corrected_difference(
            unlike, BY_KEY["chosen_refuses"], sides, adjustment, names=names
        )
        assert found == CorrectedNumber(60, note=note)


def test_weighed_by_harm_the_error_of_peoples_sample_grows_alike() -> None:
    """Of the others' 400 pairs a tenth weigh as the group's half: they say as much as fewer do."""
    audit = erring(5, group=200, others=400, drawn=0.3)
    stratum = np.where(np.arange(600) < 200, np.arange(600) % 2, np.arange(600) % 10 == 0)
    audit = replace(audit, stratum=stratum.astype(np.intp))
    sides = (audit.members["sikh"], audit.members["nobody"])
    (reading,) = audit.readings["chosen_refuses"]
    fitted = correct(
        Audited(np.repeat([0, 1], [200, 400]), reading.machine, reading.human, reading.weight)
    )
    pseudo = [fitted.pseudo[:200], fitted.pseudo[200:]]
    parts = [pseudo[1][audit.stratum[200:] == at] for at in (0, 1)]
    means = [each.mean() for each in parts]
    shift = fitted.rate[1] - pseudo[1].mean()
    estimate = fitted.rate[0] - (np.mean(means) + shift)
    # Every pair of a part of m weighs 1 / 2m: the whole is worth 1 / sum of their squares.
    worth = 1 / sum(0.25 / len(each) for each in parts)
    variances = [
        pseudo[0].var(ddof=1) / 200 + fitted.extra[0],
        sum(each.var(ddof=1) / len(each) / 4 for each in parts) + fitted.extra[1] * 400 / worth,
    ]
    found = corrected_difference(
        audit, BY_KEY["chosen_refuses"], sides, Adjustment.HARM, names=("sikh", "nobody")
    )
    assert found.estimate == pytest.approx(estimate)
    assert found.p_value is not None
    assert found.low is not None
    assert found.high is not None
    # Both follow from one quantile; with few of a part its own degrees of freedom are fewer.
    error = np.sqrt(sum(variances))
    assert t.isf(0.025, 400) < (found.high - found.low) / 2 / error < t.isf(0.025, 30)
