"""Coverage of differences between prompts of a list that are adjusted for a covariate.

A prompt has a number that is larger at one level, by some standard deviations, and may move its
rate; levels differ by a known difference beyond that. Prints, for each scenario, in how many
studies the adjusted difference is no mere description (enough prompts of each level have the
outcome, and have it not), in how many of these its interval misses what is known, and in how many
of all that have one.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from refusal_parity.dimensions import list_up
from refusal_parity.statistics.designs.counts import Design
from refusal_parity.statistics.designs.kinds import DesignKind
from refusal_parity.statistics.methods.adjusted import differences, rare_levels

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 0.07
"""Of the studies in which it counts, those whose interval may miss."""


LEAST = 100
"""Studies that count, below which a share of them says little."""


@dataclass(frozen=True)
class Scenario:
    """Two levels of a list.

    Attributes:
        units: prompts of each level.
        rates: of each level at the mean number.
        apart: by how many standard deviations the numbers of the levels differ.
        slope: what one standard deviation adds to a rate.
        samples: responses to each prompt.
        likeness: correlation of two responses to one prompt.
        skewed: whether numbers are log-normal, a few of them far out.
    """

    units: tuple[int, int]
    rates: tuple[float, float]
    apart: float = 0.5
    slope: float = 0.0
    samples: int = 1
    likeness: float = 0.0
    skewed: bool = False


@dataclass(frozen=True)
class Found:
    """What the method did in some studies.

    Attributes:
        counts: how many studies have an interval that counts.
        missed: how many of these intervals miss.
        missed_of_any: share of all intervals that miss, 0 where there is none.
    """

    counts: int
    missed: int
    missed_of_any: float

    @property
    def beyond(self) -> bool:
        """Whether more miss than `MOST` and three standard errors, where `LEAST` or more count."""
        if self.counts < LEAST:
            return False
        error = (MOST * (1 - MOST) / self.counts) ** 0.5
        return bool(self.missed > self.counts * (MOST + 3 * error))

    def share(self) -> float:
        """Of the intervals that count, those that miss; 0 where none counts."""
        return self.missed / max(self.counts, 1)


def drawn(scenario: Scenario, random: np.random.Generator) -> tuple[Design, np.ndarray]:
    """One study, and its covariate, shape (cells, 1)."""
    level = np.repeat([0, 1], scenario.units)
    own = random.normal(size=len(level))
    if scenario.skewed:
        # Of standard deviation 1, as the others are.
        own = np.exp(own) / np.sqrt(np.e * (np.e - 1))
    x = own + scenario.apart * level
    mean = np.clip(np.array(scenario.rates)[level] + scenario.slope * (x - x.mean()), 0.001, 0.999)
    if scenario.likeness:
        size = (1 - scenario.likeness) / scenario.likeness
        mean = random.beta(mean * size, (1 - mean) * size)
    n = np.full(len(level), float(scenario.samples))
    k = random.binomial(scenario.samples, mean).astype(np.float64)
    unit = np.arange(len(level))
    return Design(("x", "y"), level, unit, 0 * unit, n, k, DesignKind.NESTED), x[:, None]


def simulate(scenario: Scenario, studies: int, seed: int) -> Found:
    """What the method does in so many studies."""
    list_up(["kind"])
    random = np.random.default_rng(seed)
    known = scenario.rates[1] - scenario.rates[0]
    counts, missed = [], []
    for _ in range(studies):
        design, x = drawn(scenario, random)
        found = differences(design, x, "kind", 0.05)
        if isinstance(found, str) or found[0].ci_low is None or found[0].ci_high is None:
            continue
        counts.append(not rare_levels(design))
        missed.append(not found[0].ci_low <= known <= found[0].ci_high)
    both = np.array(counts, dtype=bool) & np.array(missed, dtype=bool)
    return Found(sum(counts), int(both.sum()), sum(missed) / max(len(missed), 1))


def scenarios() -> Iterator[Scenario]:
    """Every combination that a list may have."""
    sizes = ((20, 20), (20, 200), (60, 60), (250, 200), (30, 450))
    rates = ((0.05, 0.05), (0.2, 0.2), (0.5, 0.5), (0.1, 0.6))
    for units, rate, (samples, likeness) in product(sizes, rates, ((1, 0.0), (5, 0.4))):
        for apart, skewed in ((0.5, False), (1.5, False), (1.0, True)):
            yield Scenario(units, rate, apart, 0.0, samples, likeness, skewed)
    for units, apart in product(sizes, (0.5, 1.5)):
        yield Scenario(units, (0.4, 0.4), apart, 0.08)


def main() -> int:
    """Run all of them; 1 where one leaves the bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    started, outside, worst = time.monotonic(), 0, 0.0
    for at, scenario in enumerate(scenarios()):
        found = simulate(scenario, given.studies, given.seed + at)
        if found.counts >= LEAST:
            worst = max(worst, found.share())
        outside += found.beyond
        print(
            f"{scenario.units} prompts, rates {scenario.rates}, {scenario.apart} apart, slope "
            f"{scenario.slope}, {scenario.samples} samples, likeness {scenario.likeness}"
            + ", skewed"
            * scenario.skewed
            + f": counts in {found.counts}, of which {100 * found.share():.1f} % miss; "
            f"{100 * found.missed_of_any:.1f} % with those that do not count"
            + " OUTSIDE"
            * found.beyond,
            flush=True,
        )
    print(
        f"{at + 1} scenarios of {given.studies:,} studies in {time.monotonic() - started:.0f} s: "
        f"where {LEAST} or more count at most {100 * worst:.1f} % of these miss; in {outside} more "
        f"than {100 * MOST:g} % and what chance allows"
    )
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main())
