"""Type I error and coverage of what an arm changes, where both arms share names and templates.

Responses follow a probit law. Names, templates, the pair of template and group, and cells have
effects that both arms share, and effects of their own in the arm, so that what the arm changes
varies over names and templates. Rates over the population of names and templates are known in
closed form. Prints, for each scenario and question, in how many studies the interval misses
the truth, and in how many it does not hold 0: where nothing is changed both are one, else the
second is the power. A guard's arm has the baseline's very responses but for those that are stopped.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri

from refusal_parity.statistics.arm_changes import ArmMeans, change_of, difference_of_changes
from refusal_parity.statistics.designs.counts import Design
from refusal_parity.statistics.variances.level_means import level_means
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray
    from refusal_parity.statistics.variances.level_means import LevelMeans

WORST = 0.075
"""Of intervals of 95 % that may miss."""


@dataclass(frozen=True)
class Pattern:
    """Variances on the probit's scale, a response's being 1."""

    name: float
    template: float
    template_group: float
    cell: float


PATTERNS = {
    "mild": Pattern(0.35, 0.7, 0.1, 0.17),
    "strong": Pattern(5.4, 11.5, 0.2, 1.1),
    "low": Pattern(0.05, 0.7, 0.02, 0.1),
    "modern": Pattern(0.15, 1.5, 0.05, 0.3),
}
SIZES = {"24x32": ((8, 8, 8, 4, 4), 24), "32x56": ((8,) * 7, 32), "6x12": ((4, 4, 4), 6)}


@dataclass(frozen=True)
class Scenario:
    """A design, its variances, and what the arm does.

    Attributes:
        groups: names of each group, the reference first.
        templates: how many.
        pattern: variances that both arms share.
        own: share of each variance that the arm has for itself.
        before: rate in the baseline.
        after: rate in the arm, of the reference and of the others.
        guard: whether the arm has the baseline's very responses, but for those that a guard
            stops: a share of each group's cells, by effects of its own.
    """

    groups: tuple[int, ...]
    templates: int
    pattern: Pattern
    own: float
    before: float
    after: tuple[float, float]
    guard: bool = False


def simulate(scenario: Scenario, random: np.random.Generator) -> ArmMeans:
    """Rates of one study, a cell for each name and template; three samples in each arm."""
    pattern, samples = scenario.pattern, 3
    names, templates, groups = sum(scenario.groups), scenario.templates, len(scenario.groups)
    group = np.repeat(np.arange(groups), scenario.groups)
    total = pattern.name + pattern.template + pattern.template_group + pattern.cell

    def effects(scale: float) -> FloatArray:
        def drawn(variance: float, *shape: int) -> FloatArray:
            return random.normal(0, np.sqrt(scale * variance), shape)

        found = drawn(pattern.template_group, templates, groups)[:, group]
        found += drawn(pattern.name, 1, names)
        found += drawn(pattern.template, templates, 1)
        found += drawn(pattern.cell, templates, names)
        return found

    shared, own = effects(1 - scenario.own), effects(scenario.own)
    rates = np.array(scenario.after)[np.minimum(group, 1)]
    spread = np.sqrt(1 + total)
    baseline = ndtr(ndtri(scenario.before) * spread + shared + effects(scenario.own))
    without = random.binomial(samples, baseline) / samples
    if scenario.guard:
        stopped = (rates - scenario.before) / (1 - scenario.before)
        chance = ndtr(ndtri(stopped) * spread + effects(1.0))
        with_arm = np.where(random.random(chance.shape) < chance, 1.0, without)
    else:
        arm = ndtr(ndtri(rates) * spread + shared + own)
        with_arm = random.binomial(samples, arm) / samples
    template, name = np.indices(with_arm.shape)

    def means(rates: FloatArray) -> LevelMeans:
        return level_means(
            Design(
                tuple(str(at) for at in range(groups)),
                np.broadcast_to(group, rates.shape).ravel(),
                name.ravel(),
                template.ravel(),
                np.ones(rates.size),
                rates.ravel(),
            )
        )

    sizes, change = np.array(scenario.groups), with_arm - without
    return ArmMeans(
        (means(np.maximum(change, 0)), means(np.maximum(-change, 0))),
        means(change),
        (samples * templates * sizes).astype(np.float64),
        np.minimum(sizes, templates).astype(np.float64),
        one_way=scenario.guard,
    )


def main() -> None:
    """Print a line for each scenario and question."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    wanted = parser.parse_args()
    random = np.random.default_rng(wanted.seed)
    print(f"{'scenario':46s} {'question':12s} {'misses':>7s}  {'shown':>7s}  not estimable")
    for size in wanted.sizes:
        groups, templates = SIZES[size]
        for key, pattern in PATTERNS.items():
            for before, after in ((0.1, (0.3, 0.3)), (0.1, (0.3, 0.5))):
                scenario = Scenario(groups, templates, pattern, 0.2, before, after, guard=True)
                words = f"{size} {key} guard {before:g} to {after[0]:g}, {after[1]:g}"
                _report(words, scenario, wanted.studies, random)
            for before, after in (
                (0.02, (0.02, 0.02)),
                (0.2, (0.2, 0.2)),
                (0.2, (0.3, 0.45)),
                (0.02, (0.05, 0.15)),
                (0.8, (0.8, 0.8)),
                (0.15, (0.05, 0.01)),
                (0.005, (0.01, 0.05)),
                (0.5, (0.9, 0.97)),
            ):
                for own in (0.2,) if key != "modern" else (0.05, 0.5):
                    scenario = Scenario(groups, templates, pattern, own, before, after)
                    words = f"{size} {key} {before:g} to {after[0]:g}, {after[1]:g}, own {own:g}"
                    _report(words, scenario, wanted.studies, random)


def _report(words: str, scenario: Scenario, studies: int, random: np.random.Generator) -> None:
    started = time.perf_counter()
    one = np.eye(len(scenario.groups))[1]
    scope = Scope.NEW_NAMES_AND_TEMPLATES
    cost = scenario.after[1] - scenario.before
    truths = {
        "one group": cost,
        "between": cost - (scenario.after[0] - scenario.before),
    }
    missed = dict.fromkeys(truths, 0)
    shown = dict.fromkeys(truths, 0)
    lost = dict.fromkeys(truths, 0)
    for _ in range(studies):
        means = simulate(scenario, random)
        numbers = {
            "one group": change_of(means, one, scope, 0.05),
            "between": difference_of_changes(means, 1, 0, scope, 0.05),
        }
        for question, truth in truths.items():
            found = numbers[question]
            if found is None or "ci_low" not in found:
                lost[question] += 1
                continue
            missed[question] += not found["ci_low"] <= truth <= found["ci_high"]
            shown[question] += not found["ci_low"] <= 0 <= found["ci_high"]
    seconds = time.perf_counter() - started
    for question in truths:
        known = max(studies - lost[question], 1)
        share, power = missed[question] / known, shown[question] / known
        mark = "  <- above" if share > WORST else ""
        print(
            f"{words:46s} {question:12s} {share:7.1%}  {power:7.1%}  {lost[question]}{mark}",
            flush=True,
        )
    print(f"{'':46s} {seconds:.1f} s", flush=True)


if __name__ == "__main__":
    main()
