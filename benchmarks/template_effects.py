"""Whether the spread of differences over templates, its test and its intervals keep their word.

Studies of two groups are drawn from probit models whose true variance of the difference
between templates has a closed form. For each scenario it prints how often the test rejects
(where there is no variance, or its power), the mean estimate of the variance against the truth,
how often the interval of the variance holds it where there is an interval, and how often the
interval of a new template holds one that was drawn beside the study.
"""

from __future__ import annotations

import argparse
import sys
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from refusal_parity.statistics.resampling.randomisation import Draws
from refusal_parity.statistics.variances.across_templates import across_templates

PATTERNS = {
    "MILD": (0.35, 0.7, 0.1, 0.17),
    "STRONG": (5.4, 11.5, 0.2, 1.1),
    "LOW": (0.05, 0.7, 0.02, 0.1),
    "MODERN": (0.15, 1.5, 0.05, 0.3),
}
"""Latent variances of names, templates, templates within groups, and cells; of responses 1."""

DESIGNS = {"32x8+8": (32, 8, 8), "24x8+4": (24, 8, 4), "12x4+4": (12, 4, 4)}
NULL, OWN, MORE = 0.0, 1.0, 3.0
"""Times the pattern's variance of templates within groups that there is."""

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(60)
_SHARES = _WEIGHTS / _WEIGHTS.sum()


class Scenario(NamedTuple):
    """One kind of study of two groups."""

    pattern: str
    design: str
    rate: float
    shift: float
    times: float


class Seen(NamedTuple):
    """What came out of a scenario; shares of studies, and variances."""

    rejected: float
    truth: float
    estimate: float
    with_interval: float
    covered: float
    new_level: float
    new_covered: float


def seen(scenario: Scenario, studies: int, random: np.random.Generator) -> Seen:
    """Draw studies and hold their answers against the truth."""
    name, template, within, cell = PATTERNS[scenario.pattern]
    within *= scenario.times
    templates, *sizes = DESIGNS[scenario.design]
    level = np.repeat([0, 1], sizes)
    scale = np.sqrt(name + template + within + cell + 1)
    mean = ndtri(np.array([scenario.rate, scenario.rate + scenario.shift])) * scale

    def normal(variance: float, *shape: int) -> np.ndarray:
        return np.asarray(np.sqrt(variance) * random.standard_normal((studies, *shape)))

    shape = (len(level), templates + 1)
    score = normal(template, 1, shape[1]) + normal(within, 2, shape[1])[:, level]
    score = score + mean[level][:, None] + normal(name, shape[0], 1) + normal(cell, *shape)
    rates = random.binomial(3, ndtr(score)) / 3
    ours = level == 1
    found = across_templates(rates[:, :, :-1], ours, Draws(999, 1), 0.05)
    fresh = rates[:, ours, -1].mean(axis=1) - rates[:, ~ours, -1].mean(axis=1)
    truth = _truth(mean, name + cell + 1, template, within)
    known, tested = np.isfinite(found.high), np.isfinite(found.p_value)
    held = (found.low <= truth + 1e-12) & (truth <= found.high)
    new = (found.new_low <= fresh + 1e-12) & (fresh <= found.new_high + 1e-12)
    return Seen(
        rejected=float((found.p_value < 0.05).mean()),
        truth=truth,
        estimate=float(found.variance.mean()),
        with_interval=float((known & tested).mean()),
        covered=float(held[known & tested].mean()) if (known & tested).any() else float("nan"),
        new_level=found.new_level,
        new_covered=float(new.mean()),
    )


def _truth(mean: np.ndarray, own: float, template: float, within: float) -> float:
    """Variance over templates of the difference between the groups' expected rates."""
    shared = np.sqrt(template) * _NODES[:, None, None]
    first = ndtr((mean[0] + shared + np.sqrt(within) * _NODES[None, :, None]) / np.sqrt(own))
    second = ndtr((mean[1] + shared + np.sqrt(within) * _NODES[None, None, :]) / np.sqrt(own))
    weights = _SHARES[:, None, None] * _SHARES[None, :, None] * _SHARES[None, None, :]
    difference = second - first
    centre = float((difference * weights).sum())
    return float(((difference - centre) ** 2 * weights).sum())


def main() -> int:
    """Print a line for each scenario; 1 where one leaves its bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    random = np.random.default_rng(given.seed)
    spare = 3 * np.sqrt(0.06 / given.studies)
    wrong = 0
    for pattern in PATTERNS:
        for design in DESIGNS:
            for rate in (0.005, 0.02, 0.2, 0.5, 0.8):
                for shift, times in ((0.0, NULL), (0.0, OWN), (0.05, MORE)):
                    scenario = Scenario(pattern, design, rate, shift, times)
                    one = seen(scenario, given.studies, random)
                    bad = (
                        (times == NULL and one.rejected > 0.07)
                        or one.covered < 0.925 - spare
                        or one.new_covered < one.new_level - spare
                    )
                    wrong += bad
                    print(
                        f"{pattern:7} {design:7} rate {rate:5.3f}+{shift:4.2f} x{times:g}: rejects "
                        f"{100 * one.rejected:5.1f} %, sd {100 * one.truth**0.5:5.2f} (mean "
                        f"{100 * max(one.estimate, 0) ** 0.5:5.2f}), interval in "
                        f"{100 * one.with_interval:3.0f} %, covers {100 * one.covered:5.1f} %, new "
                        f"{100 * one.new_covered:5.1f} of {100 * one.new_level:4.1f} %"
                        f"{' *' if bad else ''}",
                        flush=True,
                    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
