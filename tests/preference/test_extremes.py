"""Bounds on differences: the least and the most that any labels of the rest would give."""

from __future__ import annotations

from itertools import product
from typing import Final

import numpy as np
import pytest

from refusal_parity.pair_vocabulary import Adjustment
from refusal_parity.preference.audit import Audit
from refusal_parity.preference.extremes import difference_extremes, rate_extremes
from refusal_parity.preference.measures import CHOSEN_REFUSES, MEASURES, REJECTED_REFUSES

_NAN: Final = float("nan")
BY_KEY: Final = {measure.key: measure for measure in MEASURES}
GROUP: Final = np.arange(10) < 4
STRATUM: Final = np.array([0, 0, 1, 1, 0, 1, 0, 1, 1, 2])
CHOSEN: Final = np.array([1, _NAN, 0, 1, 0, 0, 1, _NAN, 0, 0])
REJECTED: Final = np.array([0, 0, _NAN, 1, 1, 0, _NAN, _NAN, 1, 0])


def _audit(chosen: np.ndarray, rejected: np.ndarray) -> Audit:
    one = np.where(chosen != rejected, chosen, _NAN)
    preferred = np.where(np.isnan(chosen) | np.isnan(rejected), _NAN, one)
    return Audit(
        values={
            CHOSEN_REFUSES: chosen,
            REJECTED_REFUSES: rejected,
            "refusal_preferred": preferred,
            "chosen_words": np.ones(10),
        },
        cluster=np.arange(10),
        stratum=STRATUM,
        members={},
        categories={},
        slurs={},
        in_answers={},
        alpha=0.05,
    )


def _difference(audit: Audit, key: str, adjustment: Adjustment) -> float:
    """Of pairs that are all labelled."""
    value = audit.values[key]

    def mean(rows: np.ndarray) -> float:
        return float(np.nanmean(value[rows]))

    if adjustment is Adjustment.NONE:
        return mean(GROUP) - mean(~GROUP)
    shares = [(GROUP & (each == STRATUM)).sum() / GROUP.sum() for each in range(3)]
    others = [mean(~GROUP & (each == STRATUM)) for each in range(3)]
    return mean(GROUP) - float(np.dot(shares, others))


@pytest.mark.parametrize(
    ("key", "adjustment"),
    [
        (CHOSEN_REFUSES, Adjustment.NONE),
        (CHOSEN_REFUSES, Adjustment.HARM),
        (REJECTED_REFUSES, Adjustment.HARM),
        ("refusal_preferred", Adjustment.NONE),
    ],
    ids=["chosen", "chosen, adjusted", "rejected, adjusted", "preferred"],
)
def test_they_are_those_of_all_labels_that_could_be(key: str, adjustment: Adjustment) -> None:
    holes = [
        (side, at) for side in (0, 1) for at in range(10) if np.isnan((CHOSEN, REJECTED)[side][at])
    ]
    found = []
    for labels in product((0.0, 1.0), repeat=len(holes)):
        sides = [CHOSEN.copy(), REJECTED.copy()]
        for (side, at), label in zip(holes, labels, strict=True):
            sides[side][at] = label
        found.append(_difference(_audit(*sides), key, adjustment))
    bounds = difference_extremes(_audit(CHOSEN, REJECTED), BY_KEY[key], GROUP, ~GROUP, adjustment)
    assert bounds.lowest == pytest.approx(min(found))
    assert bounds.highest == pytest.approx(max(found))


@pytest.mark.parametrize(
    ("key", "adjustment"),
    [
        ("chosen_words", Adjustment.NONE),
        ("refusal_preferred", Adjustment.HARM),
    ],
)
def test_what_has_none(key: str, adjustment: Adjustment) -> None:
    audit = _audit(CHOSEN, REJECTED)
    found = difference_extremes(audit, BY_KEY[key], GROUP, ~GROUP, adjustment)
    assert found == (None, None)


def test_a_stratum_that_the_reference_lacks_leaves_them_open() -> None:
    only_last = STRATUM == 2
    found = difference_extremes(
        _audit(CHOSEN, REJECTED), BY_KEY[CHOSEN_REFUSES], only_last, GROUP, Adjustment.HARM
    )
    assert found == (None, None)
    nobody = np.zeros(10, bool)
    for sides in ((nobody, GROUP), (GROUP, nobody)):
        for adjustment in Adjustment:
            audit = _audit(CHOSEN, REJECTED)
            found = difference_extremes(audit, BY_KEY[CHOSEN_REFUSES], *sides, adjustment)
            assert found == (None, None)
    assert rate_extremes(_audit(CHOSEN, REJECTED), BY_KEY[CHOSEN_REFUSES], nobody) == (None, None)
