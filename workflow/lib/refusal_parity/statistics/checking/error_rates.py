"""How often verdicts on simulated studies are wrong, and how surely that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from refusal_parity.statistics.proportions import wilson

if TYPE_CHECKING:
    from refusal_parity.statistics.answers import Verdicts


class Rate(NamedTuple):
    """A false positive rate with its Monte Carlo interval."""

    mean: float
    low: float
    high: float


def monte_carlo(verdicts: Verdicts) -> Rate:
    """Mean over studies and groups; Wilson's interval at the effective number of tests.

    Tests of one study share it: the effective number is p (1 - p) / Var(mean)
    with the variance between studies, at least the number of studies.
    """
    answered = verdicts.known.any(axis=1)
    known, wrong = verdicts.known[answered], verdicts.wrong[answered]
    studies = len(known)
    mean = float(wrong.sum() / known.sum())
    terms = (wrong - mean * known).sum(axis=1)
    variance = float((terms**2).sum()) / float(known.sum()) ** 2
    tests = mean * (1 - mean) / variance if variance > 0 else studies
    tests = min(max(tests, studies), float(known.sum()))
    low, high = wilson(np.array(mean * tests), np.array(tests), 0.05)
    return Rate(mean, float(low), float(high))
