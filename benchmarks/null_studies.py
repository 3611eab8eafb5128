"""False positive rates and coverage of every method, over studies from logistic mixed models.

The models are apart from the probit model of the self-check: their variances
are those that R's glmer fits to the released labels of Llama-2-Chat 7B
(arXiv 2403.13213), and two more patterns. Prints one table for each, and says
which methods leave the bounds that a finding needs.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.kinds import DesignKind
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.methods import METHODS
from refusal_parity.statistics.registry import Setting, suited_to
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.statistics.answers import Answers, Verdicts

AT_ONCE = 250
DRAWS = 999
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
WEIGHTS = WEIGHTS / WEIGHTS.sum()

DESIGNS = {"released": ([8, 8, 8, 4, 4], 24, 3), "demo": ([8] * 7, 32, 3)}


@dataclass(frozen=True)
class Pattern:
    """Variances on the logit scale; `reference` is that of the reference's names, if its own."""

    intercept: float
    name: float
    template: float
    cell: float = 0.0
    template_group: float = 0.0
    reference: float | None = None
    shift: float = 0.0


PATTERNS = {
    "crossed": Pattern(-4.573, 9.805, 21.877),
    "cells": Pattern(-6.081, 15.773, 33.590, cell=3.178),
    "template x group": Pattern(-6.095, 15.726, 33.395, cell=2.830, template_group=0.618),
    "mild": Pattern(-1.8, 1.0, 2.0, cell=0.5, template_group=0.3),
    "calm reference": Pattern(-6.081, 15.773, 33.590, cell=3.178, reference=1.5),
}


def mean_rate(intercept: np.ndarray, variance: float) -> np.ndarray:
    """Expected rate over a normal effect of a variance."""
    rate: np.ndarray = expit(intercept[..., None] + np.sqrt(variance) * NODES) @ WEIGHTS
    return rate


@dataclass(frozen=True)
class Drawn:
    """Studies, and true rates over new templates (groups,) and over theirs (studies, groups)."""

    studies: Studies
    everywhere: np.ndarray
    here: np.ndarray


def draw(
    pattern: Pattern, sizes: list[int], templates: int, samples: int, random: np.random.Generator
) -> Drawn:
    """Draw AT_ONCE studies; every group but the reference has the pattern's shift."""
    level = np.repeat(np.arange(len(sizes)), sizes)
    groups, shape = len(sizes), (AT_ONCE, len(level), templates)
    own = np.full(groups, pattern.name)
    if pattern.reference is not None:
        own[0] = pattern.reference
    # A calmer reference must not have another rate: its intercept makes up for it.
    total = own + pattern.template + pattern.cell + pattern.template_group
    intercept = pattern.intercept * np.sqrt((1 + total / 2.89) / (1 + total[-1] / 2.89))
    intercept += np.where(np.arange(groups) > 0, pattern.shift, 0)
    if pattern.reference is not None and not pattern.shift:
        wanted = mean_rate(intercept[1:2], total[1])[0]
        low, high = -40.0, 40.0
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (
                (middle, high)
                if mean_rate(np.array([middle]), total[0])[0] < wanted
                else (low, middle)
            )
        intercept[0] = low
    shared = np.sqrt(pattern.template) * random.standard_normal((AT_ONCE, 1, templates))
    shared = shared + np.sqrt(pattern.template_group) * random.standard_normal(
        (AT_ONCE, groups, templates)
    )
    shared += intercept[:, None]
    score = shared[:, level]
    score += (np.sqrt(own[level]) * random.standard_normal(shape[:2]))[..., None]
    score += np.sqrt(pattern.cell) * random.standard_normal(shape)
    k = random.binomial(samples, expit(score)).astype(float)
    grid = Grid(tuple(f"g{at}" for at in range(groups)), level, np.full(shape[1:], float(samples)))
    here = np.stack(
        [mean_rate(shared[:, at], own[at] + pattern.cell).mean(axis=1) for at in range(groups)],
        axis=1,
    )
    everywhere = np.array([mean_rate(intercept[[at]], total[at])[0] for at in range(groups)])
    return Drawn(Studies(grid, k), everywhere, here)


def runs(
    pattern: Pattern, design: tuple[list[int], int, int], studies: int, seed: int
) -> Iterator[tuple[Drawn, list[Answers]]]:
    """All methods on many studies, AT_ONCE at a time."""
    random = np.random.default_rng(seed)
    for at in range(studies // AT_ONCE):
        drawn = draw(pattern, *design, random)
        setting = Setting(
            0.05, 0.05, Draws(DRAWS, seed + at), Resamples(DRAWS, seed + at), deciding=True
        )
        yield (
            drawn,
            [
                row
                for method in suited_to(DesignKind.CROSSED)
                if method.checked and method.run is not None
                for row in method.run(drawn.studies, setting)
            ],
        )


def null_value(row: Answers) -> float:
    """What a method estimates where there is no difference."""
    return 1.0 if row.estimand in {Estimand.RISK_RATIO, Estimand.ODDS_RATIO} else 0.0


def share(verdicts: list[Verdicts]) -> float:
    """Share of answered tests that are wrong."""
    known = sum(int(each.known.sum()) for each in verdicts)
    wrong = sum(int((each.wrong & each.known).sum()) for each in verdicts)
    return wrong / known if known else float("nan")


def false_positives(name: str, design: str, studies: int) -> dict[tuple[str, str], float]:
    """Rejections of each method in studies without an effect."""
    verdicts: dict[tuple[str, str], list[Verdicts]] = {}
    for _, found in runs(PATTERNS[name], DESIGNS[design], studies, 1):
        for row in found:
            if row.method == "equivalence":
                continue  # Its null is a difference of the margin: `margin_studies.py`.
            verdicts.setdefault((row.method, row.estimand), []).append(
                row.rejects(0.05, null=null_value(row))
            )
    return {key: share(each) for key, each in verdicts.items()}


def coverage(name: str, design: str, studies: int) -> dict[tuple[str, str], float]:
    """How often each interval of a difference holds the truth of its own scope."""
    verdicts: dict[tuple[str, str], list[Verdicts]] = {}
    pattern = replace(PATTERNS[name], shift=0.25 * np.sqrt(PATTERNS[name].name + 3))
    for drawn, found in runs(pattern, DESIGNS[design], studies, 2):
        for row in found:
            if row.ci_low is None or row.estimand is not Estimand.RISK_DIFFERENCE:
                continue
            if row.method == "equivalence":
                continue
            new = row.method.scope is Scope.NEW_NAMES_AND_TEMPLATES
            rates = drawn.everywhere[None] if new else drawn.here
            truth = rates[:, 1:] - rates[:, :1]
            verdicts.setdefault((row.method, row.estimand), []).append(row.misses(truth))
    return {key: 1 - share(each) for key, each in verdicts.items()}


def report(
    title: str, tables: dict[str, dict[tuple[str, str], float]], bounds: tuple[float, float]
) -> None:
    """Print methods by patterns; a star marks a valid method outside the bounds."""
    print(f"\n{title}")
    print(f"{'':42s}" + "".join(f"{name[:16]:>18s}" for name in tables))
    for key in next(iter(tables.values())):
        cells = []
        for table in tables.values():
            value = table[key]
            off = METHODS[key[0]].controls(key[1]) and not bounds[0] <= value <= bounds[1]
            cells.append(f"{100 * value:15.1f} %{'*' if off else ' '}")
        print(f"{key[0] + ' ' + key[1]:42s}" + "".join(cells), flush=True)


def main() -> None:
    """Run all patterns and designs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=2000, help=f"multiple of {AT_ONCE}")
    parser.add_argument("--design", choices=DESIGNS, action="append")
    arguments = parser.parse_args()
    for design in arguments.design or DESIGNS:
        started = time.perf_counter()
        report(
            f"False positives, {design} design, {arguments.studies} studies",
            {name: false_positives(name, design, arguments.studies) for name in PATTERNS},
            (0.03, 0.08),
        )
        report(
            f"Coverage with planted differences, {design} design, {arguments.studies} studies",
            {name: coverage(name, design, arguments.studies) for name in PATTERNS},
            (0.93, 0.97),
        )
        print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
