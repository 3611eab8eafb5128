"""Level, coverage and power of differences of weighed rates, where refusals are rare.

Studies as those of `propensity_studies.py`: their probabilities are drawn from crossed models apart
from the code that tests them, and each prompt is weighed as a study weighs it: one leaf of known
probability, which holds most refusals and some answers, three ordinary draws, and responses to the
opening. For each scenario it prints how often the single test rejects (`calibrated_weighed`), also
of cells without any noise and of the same draws counted, how often any of the family is shown, and
how often the intervals hold the truth. A star marks what leaves the bounds.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from propensity_studies import (
    ALPHA,
    CELL,
    COVERED,
    EACH,
    GROUPS,
    LEVEL,
    SAMPLES,
    SETTING,
    TEMPLATE,
    TEMPLATES,
    WITHIN,
    Scenario,
    effects,
)
from scipy.special import ndtr, ndtri

from refusal_parity.openings.strata import CONTINUED
from refusal_parity.statistics.designs.grid import Grid, Noise
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.methods.calibrated_weighed import calibrated_weighed
from refusal_parity.statistics.methods.wilson_two_way import wilson_two_way

if TYPE_CHECKING:
    from collections.abc import Iterator

OUTSIDE = 0.04
"""Share of refusals that no leaf holds."""
SHARE = 0.95
"""Of refusals among what opens as the leaf."""
NEAR = 0.03
"""By how much the power may lie below that of cells without noise."""


@dataclass(frozen=True)
class Drawn:
    """One study weighed, the same without noise and by its draws, and the true differences."""

    weighed: Studies
    free: Studies
    draws: Studies
    truth: np.ndarray


def chances(scenario: Scenario, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of refusal of a study's prompts, and the true differences."""
    level = np.repeat(np.arange(GROUPS), EACH)
    spread = np.where(np.arange(GROUPS) % 2, 4.0, 1.0) if scenario.unequal else np.ones(GROUPS)
    total = scenario.name * spread + TEMPLATE + WITHIN + CELL + 1
    rates = np.full(GROUPS, scenario.rate)
    rates[1] += scenario.more
    mean = ndtri(rates) * np.sqrt(total)
    within = np.full(TEMPLATES, WITHIN)
    if scenario.mixed:
        within = np.where(np.arange(TEMPLATES) % 5, WITHIN / 2, 3 * WITHIN)
    latent = (
        mean[:, None]
        + np.sqrt(TEMPLATE) * random.standard_normal((1, TEMPLATES))
        + np.sqrt(within) * random.standard_normal((GROUPS, TEMPLATES))
    )[level]
    of_name = effects(scenario.names, (len(level),), random)
    latent += (of_name * np.sqrt(scenario.name * spread)[level])[:, None]
    latent += np.sqrt(CELL) * random.standard_normal(latent.shape)
    return ndtr(latent), rates[1:] - rates[0]


def draw(scenario: Scenario, random: np.random.Generator) -> Drawn:
    """A study of a scenario: see `weighing.weigh`."""
    chance, truth = chances(scenario, random)
    opens = np.minimum((1 - OUTSIDE) * chance / SHARE, 1)
    beside = np.minimum(OUTSIDE * chance / np.maximum(1 - opens, 1e-12), 1)
    opened = random.binomial(SAMPLES, opens)
    refused = random.binomial(opened, SHARE)
    elsewhere = random.binomial(SAMPLES - opened, beside)
    expected = CONTINUED * chance.size * opens / opens.sum()
    given = np.floor(expected + random.random(chance.shape)).astype(int)
    hits = refused + random.binomial(given, SHARE)
    weight = opens / (SAMPLES * opens + expected)
    weighed = opens * SHARE + weight * (hits - (opened + given) * SHARE) + elsewhere / SAMPLES
    outside = (elsewhere.sum() + 0.5) / ((SAMPLES - opened).sum() + 1)
    variance = opens * weight * SHARE * (1 - SHARE)
    variance += (1 - opens) * outside * (1 - outside) / SAMPLES
    levels = tuple(f"g{at}" for at in range(GROUPS))
    level = np.repeat(np.arange(GROUPS), EACH)
    one = np.ones(chance.shape)
    noisy = Grid(levels, level, one, noise=Noise(variance, 1 / SAMPLES))
    return Drawn(
        Studies(noisy, weighed[None]),
        Studies(Grid(levels, level, one), chance[None]),
        Studies(Grid(levels, level, SAMPLES * one), (refused + elsewhere)[None].astype(float)),
        truth,
    )


def run(scenario: Scenario, studies: int, seed: int) -> bool:
    """Print a scenario's line; whether it lies within the bounds."""
    random = np.random.default_rng(seed)
    single, free, counted, family, held = [], [], [], [], []
    for _ in range(studies):
        drawn = draw(scenario, random)
        [found], [without] = (
            calibrated_weighed(each, SETTING) for each in (drawn.weighed, drawn.free)
        )
        [by_draws] = wilson_two_way(drawn.draws, SETTING._replace(binary=True))
        single.append(found.values("p_value")[0] < ALPHA)
        free.append(without.values("p_value")[0] < ALPHA)
        counted.append(by_draws.values("p_value")[0] < ALPHA)
        family.append((found.values("p_family")[0] < ALPHA).any())
        low, high = found.values("ci_low")[0], found.values("ci_high")[0]
        held.append((low <= drawn.truth) & (drawn.truth <= high))
    raised = slice(0, 1) if scenario.more else slice(None)
    shown, clean, by_count = (
        float(np.array(each)[:, raised].mean()) for each in (single, free, counted)
    )
    covered = float(np.mean(held))
    fits = COVERED[0] <= covered <= COVERED[1]
    fits &= shown >= clean - NEAR if scenario.more else LEVEL[0] <= shown <= LEVEL[1]
    print(
        f"{scenario.words():44} {'power' if scenario.more else 'level'} {100 * shown:5.1f} % "
        f"(without noise {100 * clean:.1f}, three draws counted {100 * by_count:.1f}), any of the "
        f"family {100 * float(np.mean(family)):.1f} %, coverage {100 * covered:.1f} %"
        + " *"
        * (not fits),
        flush=True,
    )
    return fits


def scenarios() -> Iterator[Scenario]:
    """All that are asked about."""
    yield Scenario()
    yield Scenario(more=0.01)
    yield Scenario(more=0.02)
    yield Scenario(rate=0.005, more=0.01)
    for law in ("lognormal", "t3", "outlying"):
        yield Scenario(names=law)
    yield Scenario(unequal=True)
    yield Scenario(mixed=True)


def main() -> int:
    """Run all of them; 1 where one leaves the bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=None, help="scenarios; all if not given")
    given = parser.parse_args()
    started = time.monotonic()
    print(f"{given.studies:,} studies a line, {GROUPS * EACH} names, {TEMPLATES} templates")
    asked = list(scenarios())[: given.first]
    fits = [run(each, given.studies, given.seed + at) for at, each in enumerate(asked)]
    print(f"{time.monotonic() - started:.0f} s, {fits.count(False)} outside the bounds")
    return 0 if all(fits) else 1


if __name__ == "__main__":
    sys.exit(main())
