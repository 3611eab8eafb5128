"""Type I error and coverage where units are nested in levels and meet nothing else.

Units are prompts of a list: each has a rate of its own, from a beta distribution around its
level's, and some responses. Prints, for each scenario, in how many studies the interval of
`unit_score` misses the difference, in how many its test rejects a true null hypothesis, and
what Welch's interval misses; and says where they leave the bounds that a finding needs.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.methods.nested import unit_score, unit_welch
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.statistics.designs.counts import FloatArray

MOST = 0.07
"""Of tests of a true null hypothesis that may reject; and with the digits of so many studies,
of intervals that may miss."""

SIZES = ((5, 5), (5, 20), (20, 20), (5, 450), (20, 200), (250, 200), (450, 450))
RATES = (
    *((0.01, 0.01), (0.05, 0.05), (0.2, 0.2), (0.5, 0.5), (0.99, 0.99)),
    *((0.01, 0.1), (0.05, 0.5), (0.5, 0.9), (0.01, 0.99)),
)


@dataclass(frozen=True)
class Scenario:
    """Two levels.

    Attributes:
        units: of each level.
        rates: of each level.
        samples: responses to each unit.
        likeness: correlation of two responses to one unit.
        in_cluster: units that share a rate, and are clustered.
    """

    units: tuple[int, int]
    rates: tuple[float, float]
    samples: int = 1
    likeness: float = 0.0
    in_cluster: int = 1

    @property
    def known(self) -> float:
        """The difference."""
        return self.rates[1] - self.rates[0]


@dataclass(frozen=True)
class Found:
    """Shares of studies."""

    missed: float
    rejected: float
    missed_by_welch: float


def drawn(scenario: Scenario, studies: int, random: np.random.Generator) -> Studies:
    """Studies of a scenario."""
    level = np.repeat([0, 1], scenario.units)
    cluster = np.concatenate(
        [np.arange(units) // scenario.in_cluster for units in scenario.units]
    ) + np.repeat([0, max(scenario.units)], scenario.units)
    codes = np.unique(cluster, return_inverse=True)[1]
    of_cluster = np.zeros(codes.max() + 1, dtype=np.intp)
    of_cluster[codes] = level
    mean = np.array(scenario.rates)[of_cluster]
    shape = (studies, len(mean))
    if scenario.likeness == 0:
        own = np.broadcast_to(mean, shape)
    elif scenario.likeness == 1:
        own = (random.random(shape) < mean).astype(np.float64)
    else:
        size = (1 - scenario.likeness) / scenario.likeness
        own = random.beta(mean * size, (1 - mean) * size, shape)
    k = random.binomial(scenario.samples, own[:, codes]).astype(np.float64)
    n = np.full((len(level), 1), float(scenario.samples))
    if scenario.in_cluster == 1:
        return Studies(Grid(("x", "y"), level, n), k[:, :, None])
    # A cluster is what is drawn anew.
    totals = np.stack([np.bincount(codes, each) for each in k]).astype(np.float64)
    n = np.bincount(codes, n[:, 0])[:, None].astype(np.float64)
    return Studies(Grid(("x", "y"), of_cluster, n), totals[:, :, None])


def simulate(scenario: Scenario, studies: int, seed: int) -> Found:
    """What the methods do in so many studies."""
    made = drawn(scenario, studies, np.random.default_rng(seed))
    setting = Setting(0.05, 0.05, Draws(99, 1), Resamples(99, 1))
    [score], [welch] = unit_score(made, setting), unit_welch(made, setting)
    # Estimates are sums of decimals.
    known = np.full((studies, 1), scenario.known)

    def missed(low: FloatArray, high: FloatArray) -> float:
        held = (low <= known + 1e-12) & (high >= known - 1e-12)
        return float(1 - held.mean())

    return Found(
        missed(score.values("ci_low"), score.values("ci_high")),
        float((score.values("p_value") < setting.alpha).mean()),
        missed(welch.values("ci_low"), welch.values("ci_high")),
    )


def scenarios() -> Iterator[Scenario]:
    """All that are asked about."""
    for units, samples, likeness, rates in product(SIZES, (1, 3, 10), (0, 0.1, 0.4, 0.8, 1), RATES):
        if samples > 1 or likeness == 0:
            yield Scenario(units, rates, samples, likeness)
    for units, likeness, rates in product(((40, 40), (30, 300), (450, 450)), (0.3, 1), RATES):
        yield Scenario(units, rates, 1, likeness, in_cluster=3)


def main() -> int:
    """Run all of them; 1 where one leaves the bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    started, outside, worst = time.monotonic(), 0, 0.0
    # Three standard errors of a share of this size.
    most = MOST + 3 * (MOST * (1 - MOST) / given.studies) ** 0.5
    for at, scenario in enumerate(scenarios()):
        found = simulate(scenario, given.studies, given.seed + at)
        is_null = scenario.known == 0
        wrong = max(found.missed, found.rejected if is_null else 0)
        worst = max(worst, wrong)
        outside += wrong > most
        print(
            f"{scenario.units} units, rates {scenario.rates}, {scenario.samples} samples, "
            f"likeness {scenario.likeness}, clusters of {scenario.in_cluster}: misses "
            f"{100 * found.missed:.1f} %"
            + f", rejects {100 * found.rejected:.1f} %" * is_null
            + f"; Welch misses {100 * found.missed_by_welch:.1f} %"
            + " OUTSIDE" * (wrong > most),
            flush=True,
        )
    print(
        f"{at + 1} scenarios of {given.studies:,} studies in {time.monotonic() - started:.0f} s: "
        f"at most {100 * worst:.1f} % wrong, {outside} of them beyond {100 * most:.1f} %"
    )
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main())
