"""Size, coverage and power of what the report decides, at every rate.

Studies are those of `scenarios.py`, whose true rates are known, and verdicts those of
`verdicts.py`. For each scenario it prints how often

- a single comparison rejects, and that of the group for which it does so most,
- any comparison of the family is shown, and the first group's,
- the interval of a single comparison holds the truth, and of the group for which it does least,
- the intervals of the family hold all truths at once,

each with its Monte Carlo error. A star marks what leaves the bounds.
"""

from __future__ import annotations

import argparse
import time
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scenarios import DESIGNS, PATTERNS, Scenario, draw
from verdicts import Seen, decide

if TYPE_CHECKING:
    from collections.abc import Iterable

AT_ONCE = 50
SINGLE, FAMILY, COVERED = (0.0, 0.07), (0.0, 0.07), (0.925, 1.0)

RATES = (0.005, 0.02, 0.2, 0.8, 0.98)
DIFFERENCES = ((0.005, 0.01), (0.01, 0.05), (0.2, 0.15), (0.8, 0.15), (0.98, -0.05))


def run(scenario: Scenario, count: int, seed: int = 1) -> Seen:
    """Draw and decide studies of a scenario."""
    random = np.random.default_rng([seed, *map(ord, scenario.words())])
    seen = Seen()
    truth = scenario.rates[1:] - scenario.rates[0]
    for _ in range(-(-count // AT_ONCE)):
        decide(draw(scenario, min(AT_ONCE, count), random), truth, seen, random)
    return seen


SMALL = ("24x32", "32x56", "20x24", "6x12")
ONE, ALL = (1.0, *(0.0,) * 5), (1.0,)
"""Which groups differ from the reference."""

SCENARIOS: dict[str, list[Scenario]] = {
    "power": [
        Scenario(design, pattern, rate, tuple(more * each for each in groups))
        for design, pattern, rate, more, groups in (
            ("32x56", "MODERN", 0.01, 0.05, ONE),
            ("32x56", "MODERN", 0.01, 0.02, ALL),
            ("32x56", "MODERN", 0.2, 0.15, ONE),
            ("32x56", "MODERN", 0.2, 0.15, ALL),
            ("24x32", "STRONG", 0.01, 0.05, ALL),
            ("24x32", "STRONG", 0.2, 0.3, ALL),
        )
    ],
    "null": [Scenario(*each) for each in product(SMALL, PATTERNS, RATES)],
    "unequal": [
        Scenario(design, pattern, rate, names=names)
        for design, pattern, rate in product(("24x32", "32x56"), ("MILD", "MODERN"), (0.02, 0.2))
        for others in [(1.0,) * (len(DESIGNS[design][0]) - 1)]
        for names in ((*others[:-1], 10.0, 10.0), (0.1, *others), (10.0, *others))
    ],
    "other": [
        Scenario(design, pattern, rate, more, law=law, missing=0.0 if law == "skewed" else 0.18)
        for pattern, rate in product(("MILD", "MODERN"), (0.02, 0.2))
        for more in ((), (0.1,))
        for design, law in (("32x56" if more else "24x32", "skewed"), ("24x32", "normal"))
    ],
    "differences": [
        Scenario(design, pattern, rate, (first,))
        for design, pattern in product(("24x32", "32x56", "6x12"), PATTERNS)
        for rate, first in DIFFERENCES
    ],
    "strange": [
        Scenario(design, pattern, rate, **kind)
        for pattern, rate in product(("MODERN", "MILD"), (0.02, 0.2))
        for design, kind in (
            ("24x32", {"law": "lognormal"}),
            ("24x32", {"law": "t3"}),
            ("24x32", {"law": "mixed"}),
            ("24x32", {"hot": True}),
            ("24x32", {"easy": True}),
            ("24x32", {"missing": 0.2}),
            ("24x32", {"samples": 1}),
            ("24x32", {"samples": 10}),
            ("24x32", {"names": (1.0, 4.0, 1.0, 1.0, 1.0)}),
            ("24x48, 20 against 4", {}),
            ("24x48, 4 against 20", {}),
            ("24x48, 4 against 20", {"law": "lognormal"}),
        )
    ],
    "large": [
        Scenario("250x133, uneven", pattern, rate, missing=0.2)
        for pattern, rate in product(("MODERN", "MILD"), (0.02, 0.2))
    ],
}
"""What is simulated, by the parts of the benchmark."""


def print_table(kind: str, rows: Iterable[Scenario], count: int) -> None:
    """One line a scenario."""
    heads = ("single", "worst", "any shown", "first", "by t, any", "covers", "least", "all at once")
    print(f"\n{kind}, {count} studies each\n{'':48s}" + "".join(f"{each:>13s}" for each in heads))
    for scenario in rows:
        started = time.process_time()
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
        each_took = 1e3 * (time.process_time() - started) / count
        line = "".join(f"{each:>13s}" for each in cells)
        print(f"{scenario.words():48s}{line}  {each_took:.0f} ms a study", flush=True)


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--part", choices=SCENARIOS, action="append")
    parser.add_argument("--design", choices=DESIGNS)
    parser.add_argument("--pattern", choices=PATTERNS)
    arguments = parser.parse_args()
    for kind in arguments.part or SCENARIOS:
        chosen = (
            each
            for each in SCENARIOS[kind]
            if arguments.design in {None, each.design} and arguments.pattern in {None, each.pattern}
        )
        print_table(kind, chosen, arguments.studies)


if __name__ == "__main__":
    main()
