"""Size and coverage of studies that draw until their intervals are narrow enough.

Studies are drawn from the probit models of `headline.py`, with as many templates, names or
samples as the last stage has. Each is looked at stage by stage by the rule of the package
(`half_widths`), and what the report decides is noted where it stops. What the rule asks for is the
median half-width at a stage in the middle, so that studies stop at every stage: nothing tries
the rule harder. For each scenario it prints

- at which stages studies stop,
- how often a single comparison rejects, and any of the family is shown,
- how often the interval of a single comparison holds the truth, that of the group for which it
  does least, and those of the family all at once,
- the same of the family in studies that stopped before the last stage, and by how much the first
  group's difference is estimated too high on average, in points.

A star marks what leaves the bounds. `--first` begins growing templates with other stages than 20.
`--by-t` lets t and Holm decide, whose limits the calibrated ones contain: a hundred times faster.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from headline import COVERED, FAMILY
from scenarios import DESIGNS, Scenario, draw
from verdicts import Seen, decide

from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.half_widths import half_widths
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws

if TYPE_CHECKING:
    from collections.abc import Iterator

AT_ONCE: Final = 50
PILOTS: Final = 200
SINGLE: Final = (0.02, 0.07)
SETTING: Final = Setting(0.05, 0.05, Draws(1, 1), Resamples(1, 1), deciding=True)

DESIGNS |= {"48x24": ((8, 8, 8), 48), "20x48": ((16, 16, 16), 20), "20x56": ((8,) * 7, 20)}

STAGES: Final = {
    "templates": (20, 28, 36, 48),
    "names": (8, 12, 16),
    "samples": (1, 2, 4, 8),
}


@dataclass(frozen=True)
class Growing:
    """Studies of a scenario that grow in stages."""

    scenario: Scenario
    grow: str
    stages: tuple[int, ...]

    def words(self) -> str:
        """How it stands in the table."""
        return f"{self.scenario.words()}, {self.grow} {'/'.join(map(str, self.stages))}"

    def at(self, studies: Studies, size: int, random: np.random.Generator) -> Studies:
        """What whole studies had at a stage."""
        grid = studies.grid
        if self.grow == "templates":
            return Studies(Grid(grid.levels, grid.level, grid.n[:, :size]), studies.k[..., :size])
        if self.grow == "names":
            first = [np.flatnonzero(grid.level == level)[:size] for level in set(grid.level)]
            kept = np.sort(np.concatenate(first))
            return Studies(Grid(grid.levels, grid.level[kept], grid.n[kept]), studies.k[:, kept])
        k = studies.k.astype(int)
        n = grid.n.astype(int)
        if size < n.max():
            k = random.hypergeometric(k, n - k, size)
        return Studies(
            Grid(grid.levels, grid.level, np.full(n.shape, float(size))), k.astype(float)
        )

    def seen_at(self, studies: Studies, random: np.random.Generator) -> list[Studies]:
        """Whole studies at every stage; each stage's samples are among the next one's."""
        found = [studies]
        for size in self.stages[::-1]:
            found.append(self.at(found[-1], size, random))
        return found[:0:-1]


@dataclass
class Stopped:
    """What was decided, by the stage at which studies stopped.

    Attributes:
        aim: half-width that was asked for.
        seen: verdicts by stage.
        estimates: of the first group's difference.
    """

    aim: float
    seen: list[Seen]
    estimates: list[np.ndarray]


def run(growing: Growing, count: int, *, by_t: bool = False, seed: int = 1) -> Stopped:
    """Draw studies, let each stop by the rule, and decide it there."""
    scenario, middle = growing.scenario, len(growing.stages) // 2
    pilot = np.random.default_rng([seed, 0, *map(ord, growing.words())])
    there = growing.seen_at(draw(scenario, PILOTS, pilot), pilot)[middle]
    aim = float(np.median(half_widths(there, SETTING, enough=0).max(axis=1)))
    found = Stopped(aim, [Seen() for _ in growing.stages], [])
    random = np.random.default_rng([seed, 1, *map(ord, growing.words())])
    truth = scenario.rates[1:] - scenario.rates[0]
    for _ in range(-(-count // AT_ONCE)):
        going = np.arange(min(AT_ONCE, count))
        whole = draw(scenario, len(going), random)
        for stage, all_of_them in enumerate(growing.seen_at(whole, random)):
            here = all_of_them.take(going)
            stops: np.ndarray = np.full(len(here), stage == len(growing.stages) - 1)
            if not stops.all():
                widths = half_widths(here, SETTING, 0 if by_t else aim)
                stops = np.asarray((widths <= aim).all(axis=1))
            if stops.any():
                done = here.take(np.flatnonzero(stops))
                decide(done, truth, found.seen[stage], random, calibrates=not by_t)
                found.estimates.append(done.rates[:, 1] - done.rates[:, 0])
            going = going[~stops]
            if not len(going):
                break
    return found


def gathered(seen: list[Seen]) -> dict[str, np.ndarray] | None:
    """Verdicts of several stages together; None where no study stopped there."""
    parts = {key: [part for each in seen for part in vars(each)[key]] for key in vars(Seen())}
    if not any(map(len, parts["shown"])):
        return None
    return {key: np.concatenate(each) for key, each in parts.items()}


def scenarios(grow: str) -> Iterator[Growing]:
    """The studies that grow by something."""
    design = {"templates": "48x24", "names": "20x48", "samples": "24x32"}[grow]
    most = 8 if grow == "samples" else 3

    def growing(pattern: str, rate: float, more: tuple[float, ...] = (0.0,)) -> Growing:
        scenario = Scenario(design, pattern, rate, more, samples=most)
        return Growing(scenario, grow, STAGES[grow])

    for rate in (0.01, 0.05, 0.2, 0.5):
        yield growing("MODERN", rate)
    yield growing("STRONG", 0.01)
    yield growing("STRONG", 0.2)
    others = (0.0,) * (len(DESIGNS[design][0]) - 2)
    yield growing("MODERN", 0.01, (0.05, *others))
    yield growing("MODERN", 0.05, (0.05, *others))
    yield growing("MODERN", 0.2, (0.15, *others))
    yield growing("MODERN", 0.5, (0.2, *others))
    yield growing("STRONG", 0.01, (0.05, *others))
    if grow == "names":
        for more in (0.0, 0.05):
            seven = Scenario("20x56", "MODERN", 0.01, (more, *(0.0,) * 5))
            yield Growing(seven, grow, (4, 6, 8))


HEADS: Final = ("asked", "stop at", "single", "any shown", "covers", "least", "all at once",
                "all, early", "bias")  # fmt: skip


def print_line(growing: Growing, count: int, *, by_t: bool = False) -> None:
    """What comes of one scenario."""
    found = run(growing, count, by_t=by_t)
    whole, early = gathered(found.seen), gathered(found.seen[:-1])
    assert whole is not None  # noqa: S101 - every study stops somewhere
    null = not any(growing.scenario.more)
    stops = [sum(map(len, each.shown)) for each in found.seen]
    studies = len(whole["shown"])
    values = [
        (whole["single"].mean(), SINGLE if null else None),
        (whole["shown"].any(axis=1).mean(), FAMILY if null else None),
        (whole["covered"].mean(), COVERED),
        (whole["covered"].mean(axis=0).min(), None),
        (whole["together"].mean(), COVERED),
        (np.nan if early is None else early["together"].mean(), None),
    ]
    cells = [f"{100 * found.aim:.1f}", "/".join(f"{100 * each / studies:.0f}" for each in stops)]
    for value, bounds in values:
        off = bounds is not None and not bounds[0] <= value <= bounds[1]
        error = 100 * np.sqrt(value * (1 - value) / studies)
        cells.append(f"{100 * value:.1f} ({error:.1f}){'*' if off else ' '}")
    truth = growing.scenario.rates[1] - growing.scenario.rates[0]
    cells.append(f"{100 * (np.concatenate(found.estimates).mean() - truth):+.2f}")
    print(f"{growing.words():52s}" + "".join(f"{each:>13s}" for each in cells), flush=True)


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--grow", choices=STAGES, action="append")
    parser.add_argument("--by-t", action="store_true", help="let t and Holm decide")
    parser.add_argument("--first", type=int, help="templates of the first stage, instead of 20")
    arguments = parser.parse_args()
    print(f"{arguments.studies} studies each\n{'':52s}" + "".join(f"{each:>13s}" for each in HEADS))
    for grow in arguments.grow or STAGES:
        for growing in scenarios(grow):
            started = time.perf_counter()
            if arguments.first and grow == "templates":
                growing = replace(growing, stages=(arguments.first, *growing.stages[1:]))  # noqa: PLW2901 - the same with another start
            print_line(growing, arguments.studies, by_t=arguments.by_t)
            print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
