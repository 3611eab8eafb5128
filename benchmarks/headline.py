"""Size, coverage and power of what the report decides, at every rate.

Studies are drawn from probit models whose true rates have a closed form, apart from the
model that calibrates the test: names may vary unequally or have a skewed law, cells may
be missing. For each scenario it prints how often

- a single comparison rejects, and that of the group for which it does so most,
- any comparison of the family is shown, and the first group's,
- the interval of a single comparison holds the truth, and of the group for which it does least,
- the intervals of the family hold all truths at once,

each with its Monte Carlo error. A star marks what leaves the bounds.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from refusal_parity.statistics.adjust import holm
from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.distributions import t_isf
from refusal_parity.statistics.fits.least_squares import least_squares
from refusal_parity.statistics.methods.calibrated import NAMES, TEMPLATES, calibrated
from refusal_parity.statistics.methods.wilson_two_way import wilson_two_way
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws
from refusal_parity.statistics.variances.effective import effective

if TYPE_CHECKING:
    from collections.abc import Iterable

ALPHA = 0.05
AT_ONCE = 50
SINGLE, FAMILY, COVERED = (0.0, 0.07), (0.0, 0.07), (0.925, 1.0)

DESIGNS = {
    "24x32": ((8, 8, 8, 4, 4), 24),
    "32x56": ((8,) * 7, 32),
    "20x24": ((8, 8, 8), 20),
    "6x12": ((4, 4, 4), 6),
}
PATTERNS = {
    "MILD": (0.35, 0.7, 0.1, 0.17),
    "STRONG": (5.4, 11.5, 0.2, 1.1),
    "LOW": (0.05, 0.7, 0.02, 0.1),
    "MODERN": (0.15, 1.5, 0.05, 0.3),
}
"""Variances of names, templates, templates within groups, and cells; that of responses is 1."""

RATES = (0.005, 0.02, 0.2, 0.8, 0.98)
DIFFERENCES = ((0.005, 0.01), (0.01, 0.05), (0.2, 0.15), (0.8, 0.15), (0.98, -0.05))


@dataclass(frozen=True)
class Scenario:
    """One kind of study.

    Attributes:
        design: of `DESIGNS`.
        pattern: of `PATTERNS`.
        rate: of the reference.
        more: by how much the other groups' rates lie above it.
        names: factors of the variance of each group's names, repeated as needed.
        skewed: whether one name in ten lies far above the others of its group.
        missing: share of the cells without a response; the others have 1 to 4.
        samples: of each cell, where none is missing.
    """

    design: str
    pattern: str
    rate: float
    more: tuple[float, ...] = (0.0,)
    names: tuple[float, ...] = (1.0,)
    skewed: bool = False
    missing: float = 0.0
    samples: int = 3

    @property
    def rates(self) -> np.ndarray:
        """True rates of the groups."""
        others = len(DESIGNS[self.design][0]) - 1
        return np.asarray(self.rate + np.concatenate([[0.0], np.resize(self.more, others)]))

    def words(self) -> str:
        """How it stands in the table."""
        said = [self.design, self.pattern, f"{100 * self.rate:g} %"]
        if any(self.more):
            said.append("+" + "/".join(f"{100 * each:g}" for each in self.more))
        if len(self.names) > 1:
            said.append("names x" + "/".join(f"{each:g}" for each in self.names))
        return " ".join([*said, *["skewed"] * self.skewed, *["unbalanced"] * (self.missing > 0)])


def parts(variance: float, *, skewed: bool) -> list[tuple[float, float, float]]:
    """Shares, means and variances of the normal laws that names' effects mix; mean 0."""
    if not skewed:
        return [(1.0, 0.0, variance)]
    # A tenth of the names carries six tenths of the variance.
    far = np.sqrt(0.6 * variance * 0.9 / 0.1)
    return [(0.9, -far / 9, 0.4 * variance), (0.1, far, 0.4 * variance)]


def threshold(rate: float, own: float, rest: float, *, skewed: bool) -> float:
    """The mean of the latent scale that gives a rate over new names and templates."""

    def expected(mean: float) -> float:
        return sum(
            share * float(ndtr((mean + at) / np.sqrt(variance + rest)))
            for share, at, variance in parts(own, skewed=skewed)
        )

    return float(brentq(lambda mean: expected(mean) - rate, -60, 60))


def scores(
    scenario: Scenario, studies: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Groups of the names, and scores of names and templates before what cells add.

    The second is of shape (studies, names, templates).
    """
    sizes, templates = DESIGNS[scenario.design]
    name, template, within, cell = PATTERNS[scenario.pattern]
    level = np.repeat(np.arange(len(sizes)), sizes)
    own = name * np.resize(scenario.names, len(sizes))
    rest = template + within + cell + 1
    mean = np.array(
        [
            threshold(rate, variance, rest, skewed=scenario.skewed)
            for rate, variance in zip(scenario.rates, own, strict=True)
        ]
    )
    normal = random.standard_normal
    of_name = np.empty((studies, len(level)))
    for group, variance in enumerate(own):
        mixed = parts(variance, skewed=scenario.skewed)
        shape = (studies, sizes[group])
        which = random.choice(len(mixed), size=shape, p=[share for share, _, _ in mixed])
        places, widths = (np.array([each[at] for each in mixed]) for at in (1, 2))
        of_name[:, level == group] = places[which] + np.sqrt(widths[which]) * normal(shape)
    score = mean[level][None, :, None] + of_name[..., None]
    score = score + np.sqrt(template) * normal((studies, 1, templates))
    score += (np.sqrt(within) * normal((studies, len(sizes), templates)))[:, level]
    return level, score


def draw(scenario: Scenario, studies: int, random: np.random.Generator) -> Studies:
    """Studies of a scenario, with the pairs with the reference."""
    return answered(scenario, *scores(scenario, studies, random), random)


def answered(
    scenario: Scenario, level: np.ndarray, score: np.ndarray, random: np.random.Generator
) -> Studies:
    """Studies whose responses follow from the scores of names and templates."""
    *_, cell = PATTERNS[scenario.pattern]
    score = score + np.sqrt(cell) * random.standard_normal(score.shape)
    n: np.ndarray = np.full(score.shape[1:], scenario.samples)
    if scenario.missing:
        # One design for all studies of a batch; groups lose rows on templates of their own.
        n = np.asarray(random.integers(1, 5, n.shape))
        n[random.random(n.shape) < scenario.missing] = 0
    k = random.binomial(n, ndtr(score)).astype(float)
    names = tuple(f"g{at}" for at in range(len(DESIGNS[scenario.design][0])))
    return Studies(Grid(names, level, n.astype(float)), k)


@dataclass
class Seen:
    """Verdicts of studies, each an array of shape (studies, pairs) or (studies, 1)."""

    single: list[np.ndarray] = field(default_factory=list)
    shown: list[np.ndarray] = field(default_factory=list)
    covered: list[np.ndarray] = field(default_factory=list)
    together: list[np.ndarray] = field(default_factory=list)
    by_t: list[np.ndarray] = field(default_factory=list)


def decide(studies: Studies, truth: np.ndarray, seen: Seen, *, calibrates: bool = True) -> None:
    """What the report would say of each study; or what t and Holm would, however large it is."""
    setting = Setting(ALPHA, 0.05, Draws(1, 1), Resamples(1, 1), deciding=True)
    large = len(studies.grid.level) >= NAMES and studies.grid.n.shape[1] >= TEMPLATES
    large = large and calibrates
    (by_t,) = wilson_two_way(studies, setting)
    p_values = np.nan_to_num(by_t.values("p_value"), nan=1.0)
    adjusted: np.ndarray = np.array([holm(row) for row in p_values])
    seen.by_t.append(adjusted < ALPHA)
    known = np.asarray(np.isfinite(by_t.values("estimate")))
    if large:
        (found,) = calibrated(studies, setting)
        low, high = found.values("family_low"), found.values("family_high")
        shown: np.ndarray = np.asarray(found.values("p_family") < ALPHA)
    else:
        found = by_t
        shown = np.asarray(adjusted < ALPHA)
        tests = shown.shape[1] - shown.sum(axis=1, keepdims=True)
        each = effective(least_squares(studies))
        level = ALPHA / np.maximum(tests, 1)
        low, high = each.rates.limits(np.asarray(t_isf(level / 2, each.df)))
    kept = np.asarray(known.all(axis=1))
    holds = (found.values("ci_low") <= truth) & (truth <= found.values("ci_high"))
    rejected = np.asarray(found.values("p_value") < ALPHA)
    seen.single.append(rejected[kept])
    seen.shown.append(shown[kept])
    seen.covered.append(holds[kept])
    together = np.asarray(((low <= truth) & (truth <= high)).all(axis=1, keepdims=True))
    seen.together.append(together[kept])


def run(scenario: Scenario, count: int, seed: int = 1) -> Seen:
    """Draw and decide studies of a scenario."""
    random = np.random.default_rng([seed, *map(ord, scenario.words())])
    seen = Seen()
    truth = scenario.rates[1:] - scenario.rates[0]
    for _ in range(-(-count // AT_ONCE)):
        decide(draw(scenario, min(AT_ONCE, count), random), truth, seen)
    return seen


SCENARIOS: dict[str, list[Scenario]] = {
    "power": [
        Scenario("32x56", "MODERN", 0.01, (0.05, *(0.0,) * 5)),
        Scenario("32x56", "MODERN", 0.2, (0.15, *(0.0,) * 5)),
        Scenario("32x56", "MODERN", 0.01, (0.02,)),
        Scenario("24x32", "STRONG", 0.01, (0.05,)),
        Scenario("32x56", "MODERN", 0.2, (0.15,)),
        Scenario("24x32", "STRONG", 0.2, (0.3,)),
    ],
    "null": [Scenario(*each) for each in product(DESIGNS, PATTERNS, RATES)],
    "unequal": [
        Scenario(design, pattern, rate, names=names)
        for design, pattern, rate in product(("24x32", "32x56"), ("MILD", "MODERN"), (0.02, 0.2))
        for others in [(1.0,) * (len(DESIGNS[design][0]) - 1)]
        for names in ((*others[:-1], 10.0, 10.0), (0.1, *others), (10.0, *others))
    ],
    "other": [
        Scenario(design, pattern, rate, more, skewed=skewed, missing=0.0 if skewed else 0.18)
        for pattern, rate in product(("MILD", "MODERN"), (0.02, 0.2))
        for more in ((), (0.1,))
        for design, skewed in (("32x56" if more else "24x32", True), ("24x32", False))
    ],
    "differences": [
        Scenario(design, pattern, rate, (first,))
        for design, pattern in product(("24x32", "32x56", "6x12"), PATTERNS)
        for rate, first in DIFFERENCES
    ],
}
"""What is simulated, by the parts of the benchmark."""


def print_table(kind: str, rows: Iterable[Scenario], count: int) -> None:
    """One line a scenario."""
    heads = ("single", "worst", "any shown", "first", "by t, any", "covers", "least", "all at once")
    print(f"\n{kind}, {count} studies each\n{'':44s}" + "".join(f"{each:>13s}" for each in heads))
    for scenario in rows:
        seen = run(scenario, count)
        parts_of = {key: np.concatenate(each) for key, each in vars(seen).items()}
        null = not any(scenario.more)
        by_pair = {key: each.mean(axis=0) for key, each in parts_of.items()}
        values = [
            (by_pair["single"].mean(), SINGLE if null else None),
            (by_pair["single"].max(), None),
            (parts_of["shown"].any(axis=1).mean(), FAMILY if null else None),
            (by_pair["shown"][0], None),
            (parts_of["by_t"].any(axis=1).mean(), FAMILY if null else None),
            (by_pair["covered"].mean(), COVERED),
            (by_pair["covered"].min(), None),
            (by_pair["together"][0], COVERED),
        ]
        cells = []
        for value, bounds in values:
            off = bounds is not None and not bounds[0] <= value <= bounds[1]
            error = 100 * np.sqrt(value * (1 - value) / len(parts_of["shown"]))
            cells.append(f"{100 * value:6.1f} ({error:3.1f}){'*' if off else ' '}")
        print(f"{scenario.words():44s}" + "".join(f"{each:>13s}" for each in cells), flush=True)


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--part", choices=SCENARIOS, action="append")
    parser.add_argument("--design", choices=DESIGNS)
    arguments = parser.parse_args()
    for kind in arguments.part or SCENARIOS:
        chosen = (each for each in SCENARIOS[kind] if arguments.design in {None, each.design})
        print_table(kind, chosen, arguments.studies)


if __name__ == "__main__":
    main()
