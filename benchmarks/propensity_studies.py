"""Level, coverage and power of odds ratios of refusal propensity, where refusals are rare.

Studies have 32 templates and 56 names in seven groups; their log-odds are drawn from crossed
models whose differences are known, apart from the code that tests them, and measured with
an error. Names may have a skewed law or heavy tails, templates may be of two kinds. For each
scenario it prints how often the single test of the first group rejects, by t and calibrated
(`calibrated_linear`), how often any of the family is shown, how often the intervals hold the
truth, and what the same study of three draws a prompt shows. A star marks what leaves the
bounds. With `--real` and a file of probabilities of prompts it also permutes its names, and
prints its odds ratios.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.methods.bias_reduced import ols_cr2_two_way
from refusal_parity.statistics.methods.calibrated_linear import calibrated_linear
from refusal_parity.statistics.methods.wilson_two_way import wilson_two_way
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.statistics.answers import Answers

ROOT: Final = Path(__file__).parents[1]
GROUPS, EACH, TEMPLATES, SAMPLES = 7, 8, 32, 3
NAME, TEMPLATE, WITHIN, CELL = 0.15, 1.5, 0.05, 0.3
"""Variances of names, templates, templates within groups and cells; that of responses is 1."""
ERROR: Final = 0.1
"""Standard deviation of what log-odds are measured with."""
ALPHA: Final = 0.05
LEVEL, COVERED, POWER = (0.02, 0.07), (0.925, 0.98), (0.5, 1.0)
AT_ONCE: Final = 50
SETTING: Final = Setting(ALPHA, 0.05, Draws(99, 1), Resamples(99, 1), deciding=True, binary=False)


@dataclass(frozen=True)
class Scenario:
    """One kind of study.

    Attributes:
        rate: of all groups but the first after the reference.
        more: by how much that group's rate lies above.
        names: law of the names' effects: normal, lognormal, t3, or outlying (1 in 20).
        name: their variance.
        unequal: whether the variance of names is 4 times as large in every other group.
        mixed: whether a fifth of the templates moves groups six times as much as the others.
        probit: whether refusals follow a normal law, so that log-odds are not quite linear.
    """

    rate: float = 0.01
    more: float = 0.0
    names: str = "normal"
    name: float = NAME
    unequal: bool = False
    mixed: bool = False
    probit: bool = False

    def words(self) -> str:
        """How it stands in the table."""
        said = [f"{100 * self.rate:g} %"]
        if self.more:
            said.append(f"+{100 * self.more:g}")
        said += [f"names {self.names}" + ("" if self.name == NAME else f" {self.name:g}")]
        said += ["unequal"] * self.unequal + ["mixed templates"] * self.mixed
        return ", ".join(said + ["log-odds of a probit"] * self.probit)


@dataclass(frozen=True)
class Drawn:
    """Studies of log-odds, the same with three draws a prompt, and the true differences."""

    odds: Studies
    draws: Studies
    truth: np.ndarray


def effects(law: str, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Effects of names with mean 0 and variance 1."""
    if law == "lognormal":
        spread = 0.8
        mean, square = np.exp(spread**2 / 2), np.exp(2 * spread**2)
        drawn = np.exp(spread * random.standard_normal(shape)) - mean
        return np.asarray(drawn / np.sqrt(square - mean**2))
    if law == "t3":
        return np.asarray(random.standard_t(3, shape) / np.sqrt(3))
    found = random.standard_normal(shape)
    if law == "outlying":
        far = random.random(shape) < 1 / 20
        found = np.where(far, found + 4, found) - 4 / 20
        found = found / np.sqrt(1 + 16 * 19 / 400)
    return found


def log_odds_of(latent: np.ndarray) -> np.ndarray:
    """Log-odds of a normal law."""
    return np.asarray(log_ndtr(latent) - log_ndtr(-latent))


def draw(scenario: Scenario, studies: int, random: np.random.Generator) -> Drawn:
    """Studies of a scenario."""
    level = np.repeat(np.arange(GROUPS), EACH)
    spread = np.where(np.arange(GROUPS) % 2, 4.0, 1.0) if scenario.unequal else np.ones(GROUPS)
    total = scenario.name * spread + TEMPLATE + WITHIN + CELL + 1
    rates = np.full(GROUPS, scenario.rate)
    rates[1] += scenario.more
    # Of equal odds: where names vary unequally, rates then differ.
    mean = ndtri(rates) * np.sqrt(total.mean())
    within = np.full(TEMPLATES, WITHIN)
    if scenario.mixed:
        within = np.where(np.arange(TEMPLATES) % 5, WITHIN / 2, 3 * WITHIN)
    of_template = np.sqrt(TEMPLATE) * random.standard_normal((studies, 1, TEMPLATES))
    of_group = np.sqrt(within) * random.standard_normal((studies, GROUPS, TEMPLATES))
    of_name = effects(scenario.names, (studies, len(level)), random)
    of_name *= np.sqrt(scenario.name * spread)[level]
    latent = (mean[:, None] + of_template + of_group)[:, level] + of_name[:, :, None]
    latent += np.sqrt(CELL) * random.standard_normal(latent.shape)
    measured, truth = latent, mean[1:] - mean[0]
    if scenario.probit:
        measured = log_odds_of(latent)
        nodes, weights = np.polynomial.hermite_e.hermegauss(60)
        at = mean[:, None] + np.sqrt(total - 1)[:, None] * nodes
        expected = log_odds_of(at) @ (weights / weights.sum())
        truth = expected[1:] - expected[0]
    measured = measured + ERROR * random.standard_normal(measured.shape)
    levels = tuple(f"g{at}" for at in range(GROUPS))
    one = Grid(levels, level, np.ones(latent.shape[1:]))
    several = Grid(levels, level, np.full(latent.shape[1:], float(SAMPLES)))
    hits = random.binomial(SAMPLES, ndtr(latent)).astype(np.float64)
    return Drawn(Studies(one, measured), Studies(several, hits), truth)


@dataclass
class Counts:
    """What was seen in each study; shares are taken at the end."""

    single: list[np.ndarray]
    by_t: list[np.ndarray]
    held: list[np.ndarray]
    family: list[np.ndarray]
    together: list[np.ndarray]
    by_draws: list[np.ndarray]

    def add(self, drawn: Drawn, found: Answers, by_t: Answers, by_draws: Answers) -> None:
        """One batch; `held` are all intervals of single groups, all groups alike."""
        truth = drawn.truth
        self.single.append(found.values("p_value") < ALPHA)
        self.by_t.append(by_t.values("p_value") < ALPHA)
        low, high = found.values("ci_low"), found.values("ci_high")
        self.held.append((low <= truth) & (truth <= high))
        self.family.append(found.values("p_family") < ALPHA)
        low, high = found.values("family_low"), found.values("family_high")
        held = (low <= truth) & (truth <= high)
        self.together.append(np.asarray(held.all(axis=1)))
        self.by_draws.append(by_draws.values("p_value") < ALPHA)


def run(scenario: Scenario, studies: int, seed: int) -> bool:
    """Print a scenario's line; whether it lies within the bounds."""
    random = np.random.default_rng(seed)
    counts = Counts([], [], [], [], [], [])
    for start in range(0, studies, AT_ONCE):
        drawn = draw(scenario, min(AT_ONCE, studies - start), random)
        [found], [by_t] = (
            calibrated_linear(drawn.odds, SETTING),
            ols_cr2_two_way(drawn.odds, SETTING),
        )
        [by_draws] = wilson_two_way(drawn.draws, SETTING._replace(binary=True))
        counts.add(drawn, found, by_t, by_draws)
    each = {key: np.concatenate(values) for key, values in vars(counts).items()}
    raised = slice(0, 1) if scenario.more else slice(None)
    single = each["single"][:, raised].mean()
    bounds = POWER if scenario.more else LEVEL
    held, family = each["held"].mean(), each["family"].any(axis=1).mean()
    fits = bounds[0] <= single <= bounds[1] and COVERED[0] <= held <= COVERED[1]
    fits = fits and (bool(scenario.more) or family <= LEVEL[1])
    print(
        f"{scenario.words():48} {'power' if scenario.more else 'level'} {100 * single:5.1f} % "
        f"(by t {100 * each['by_t'][:, raised].mean():.1f}, three draws "
        f"{100 * np.nanmean(each['by_draws'][:, raised]):.1f}), any of the family "
        f"{100 * family:.1f} %, coverage {100 * held:.1f} %, all at once "
        f"{100 * each['together'].mean():.1f} %" + " *" * (not fits),
        flush=True,
    )
    return bool(fits)


def scenarios() -> Iterator[Scenario]:
    """All that are asked about."""
    for probit in (False, True):
        yield Scenario(probit=probit)
        yield Scenario(more=0.01, probit=probit)
    yield Scenario(more=0.02)
    yield Scenario(rate=0.005, more=0.01)
    for law in ("lognormal", "t3", "outlying"):
        yield Scenario(names=law)
        yield Scenario(names=law, name=1.0)
    yield Scenario(unequal=True)
    yield Scenario(mixed=True)
    yield Scenario(names="lognormal", mixed=True)


def real_studies(path: Path) -> Studies:
    """Log-odds of a file of prompts: one object each with name, group, t (template) and mass."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    levels = sorted({row["group"] for row in rows}, key=lambda each: (each != "white", each))
    templates = {each: at for at, each in enumerate(dict.fromkeys(row["t"] for row in rows))}
    names = {each: at for at, each in enumerate(dict.fromkeys(row["name"] for row in rows))}
    level = np.zeros(len(names), dtype=np.intp)
    n, k = np.zeros((2, len(names), len(templates)))
    for row in rows:
        at = names[row["name"]], templates[row["t"]]
        level[at[0]] = levels.index(row["group"])
        n[at] += 1
        k[at] += np.log(row["mass"] / (1 - row["mass"]))
    return Studies(Grid(tuple(levels), level, n), k[None])


def permuted(studies: Studies, count: int, seed: int) -> tuple[float, float]:
    """Shares of contrasts that t and the calibrated test show with names dealt out anew."""
    random = np.random.default_rng(seed)
    dealt = np.stack([studies.k[0][random.permutation(len(studies.k[0]))] for _ in range(count)])
    alike = Studies(studies.grid, dealt)
    [by_t], [found] = ols_cr2_two_way(alike, SETTING), calibrated_linear(alike, SETTING)
    return (
        float((by_t.values("p_value") < ALPHA).mean()),
        float((found.values("p_value") < ALPHA).mean()),
    )


def of_real(path: Path, count: int, seed: int) -> bool:
    """Print odds ratios and permutations of a file; whether these lie within the bounds."""
    studies = real_studies(path)
    [found] = calibrated_linear(studies, SETTING._replace(deciding=False))
    columns = [found.values(key)[0] for key in ("estimate", "ci_low", "ci_high", "p_value")]
    for pair, estimate, low, high, p_value in zip(studies.pairs, *columns, strict=True):
        print(
            f"{pair.group:10} odds ratio {np.exp(estimate):.2f} ({np.exp(low):.2f} to "
            f"{np.exp(high):.2f}), p {p_value:.3f}"
        )
    by_t, shown = permuted(studies, count, seed)
    fits = 0.03 <= shown <= LEVEL[1]
    print(
        f"names permuted {count:,} times: {100 * shown:.1f} % of contrasts shown (by t "
        f"{100 * by_t:.1f} %)" + " *" * (not fits)
    )
    return fits


def main() -> int:
    """Run all of them; 1 where one leaves the bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--permutations", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--real",
        type=Path,
        default=ROOT / "../shared/reference/weighed-openings/smollm2.json",
        help="file of probabilities of prompts; left out where it is not there",
    )
    given = parser.parse_args()
    started = time.monotonic()
    print(f"{given.studies:,} studies a line, {GROUPS * EACH} names, {TEMPLATES} templates")
    fits = [run(each, given.studies, given.seed + at) for at, each in enumerate(scenarios())]
    if given.real.is_file():
        fits.append(of_real(given.real, given.permutations, given.seed))
    print(f"{time.monotonic() - started:.0f} s, {fits.count(False)} outside the bounds")
    return 0 if all(fits) else 1


if __name__ == "__main__":
    sys.exit(main())
