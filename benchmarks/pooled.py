"""Whether intervals of pooled rates of names and templates hold the truth: `make bench-pooled`.

Studies are those of `headline.py`, whose true rates are known: a name's is its mean chance over the
templates drawn, a template's over the names drawn, what single prompts have of their own averaged
out. For each scenario it prints, of names and of templates, how many intervals hold the truth,
on the average and in the group for which fewest do, how wide they are, and how far pooled and seen
rates lie from the truth (root mean square). A star marks what leaves its bounds.
"""

from __future__ import annotations

import argparse
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from headline import RATES
from scenarios import DESIGNS, PATTERNS, Scenario, answered, scores
from scipy.special import ndtr

from refusal_parity.statistics.pooling.weighing import pool

if TYPE_CHECKING:
    from collections.abc import Iterator

ALPHA = 0.05
LEAST = 0.925


class Seen(NamedTuple):
    """What came out of a scenario; shares, and differences of rates.

    Attributes:
        studies: in which the outcome varied.
        covered: share of names whose interval holds the truth.
        covered_worst: the same in the group where it is lowest.
        error: its standard error.
        width: mean width of intervals of names.
        off: of pooled rates of names, root mean square.
        off_raw: of seen rates.
        covered_templates: share of templates whose interval holds the truth.
        error_templates: its standard error.
    """

    studies: int
    covered: float
    covered_worst: float
    error: float
    width: float
    off: float
    off_raw: float
    covered_templates: float
    error_templates: float


def seen(scenario: Scenario, count: int, seed: int = 1) -> Seen:
    """Draw studies of a scenario and hold their estimates against the truth."""
    random = np.random.default_rng([seed, *map(ord, scenario.words())])
    cell = PATTERNS[scenario.pattern][3]
    rows = []
    by_group = []
    for _ in range(count):
        level, score = scores(scenario, 1, random)
        studies = answered(scenario, level, score, random)
        true = ndtr(score[0] / np.sqrt(1 + cell))
        of_name, of_template = true.mean(axis=1), true.mean(axis=0)
        n, k = studies.grid.n, studies.k[0]
        found = pool(studies.grid, k, ALPHA)
        if found is None:
            continue
        names, templates = found.names, found.templates
        held = (names.low <= of_name) & (of_name <= names.high)
        by_group.append([held[level == group].mean() for group in range(level.max() + 1)])
        rows.append(
            [
                held.mean(),
                (names.high - names.low).mean(),
                ((names.rate - of_name) ** 2).mean(),
                ((k.sum(axis=1) / n.sum(axis=1) - of_name) ** 2).mean(),
                ((templates.low <= of_template) & (of_template <= templates.high)).mean(),
            ]
        )
    values = np.array(rows)
    mean, error = values.mean(axis=0), values.std(axis=0) / np.sqrt(len(values))
    return Seen(
        studies=len(values),
        covered=float(mean[0]),
        covered_worst=float(np.mean(by_group, axis=0).min()),
        error=float(error[0]),
        width=float(mean[1]),
        off=float(np.sqrt(mean[2])),
        off_raw=float(np.sqrt(mean[3])),
        covered_templates=float(mean[4]),
        error_templates=float(error[4]),
    )


def scenarios(kind: str) -> Iterator[Scenario]:
    """The scenarios of a part of the benchmark."""
    if kind == "alike":
        for design, pattern, rate in product(DESIGNS, PATTERNS, RATES):
            yield Scenario(design, pattern, rate)
    elif kind == "differences":
        for design, pattern in product(("24x32", "32x56"), PATTERNS):
            yield Scenario(design, pattern, 0.01, (0.05, *(0.0,) * 5))
            yield Scenario(design, pattern, 0.2, (0.15,))
    else:
        for pattern, rate in product(PATTERNS, (0.005, 0.02, 0.2, 0.98)):
            yield Scenario("24x32", pattern, rate, missing=0.18)
            yield Scenario("24x32", pattern, rate, law="skewed")
            yield Scenario("24x32", pattern, rate, names=(1.0, 1.0, 1.0, 10.0, 10.0))


KINDS = ("alike", "differences", "other")


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--part", choices=KINDS, action="append")
    parser.add_argument("--design", choices=DESIGNS)
    arguments = parser.parse_args()
    for kind in arguments.part or KINDS:
        for scenario in scenarios(kind):
            if arguments.design not in {None, scenario.design}:
                continue
            with np.errstate(all="ignore"):
                one = seen(scenario, arguments.studies)
            off = one.covered < LEAST or one.covered_templates < LEAST
            print(
                f"{scenario.words():44s} names {100 * one.covered:5.1f} ({100 * one.error:3.1f}), "
                f"worst group {100 * one.covered_worst:5.1f}, width {100 * one.width:5.2f}, off "
                f"{100 * one.off:5.2f} (seen {100 * one.off_raw:5.2f}); templates "
                f"{100 * one.covered_templates:5.1f} ({100 * one.error_templates:3.1f}); "
                f"{one.studies} studies{' *' if off else ''}",
                flush=True,
            )


if __name__ == "__main__":
    main()
