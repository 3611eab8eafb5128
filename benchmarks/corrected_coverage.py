"""How often intervals corrected by human labels hold the planted difference.

Studies of 7 groups x 8 names x 32 templates x 3 samples are drawn from planted
populations of names and templates, labelled by a machine that errs, and
audited by 300 human labels, drawn by group and machine label or by group
alone. Printed for each population: how many of the 95 % intervals of the six
differences from the first group hold the truth, their mean width, and how many
are not estimable, for machine labels corrected by the human ones, human labels
alone, machine labels alone, and the true labels.

    python benchmarks/corrected_coverage.py [studies [population ...]]
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.special import expit, logit
from scipy.stats import t

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "lib"))
from refusal_parity.statistics.correction import Audited, correct
from refusal_parity.statistics.designs.counts import Design
from refusal_parity.statistics.variances.level_means import contrast, level_means
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    from refusal_parity.statistics.designs.counts import FloatArray, IntArray

GROUPS, NAMES, TEMPLATES, SAMPLES, LABELS = 7, 8, 32, 3, 300
NONE: Final = np.zeros(GROUPS)
LAST: Final = (np.arange(GROUPS) > 3).astype(float)


@dataclass(frozen=True, kw_only=True)
class Population:
    """What studies are drawn from.

    Attributes:
        rate: of each group for a name and template without effect, shape (groups,).
        names: standard deviation of names, on the logit scale as all others.
        templates: of templates.
        both: of template by group.
        cells: of name by template.
        misses: share of refusals that the machine takes for none, shape (groups,).
        alarms: share of others that it takes for refusals, shape (groups,).
    """

    rate: FloatArray
    names: float
    templates: float
    both: float
    cells: float
    misses: FloatArray
    alarms: FloatArray

    def truth(self) -> FloatArray:
        """Rates over all names and templates, by integration, shape (groups,)."""
        sd = np.sqrt(self.names**2 + self.templates**2 + self.both**2 + self.cells**2)
        nodes, weights = np.polynomial.hermite_e.hermegauss(60)
        rates = expit(logit(self.rate)[:, None] + sd * nodes)
        return np.asarray(rates @ weights / weights.sum())


POPULATIONS: Final = {
    # Rates as planted in demo-guarded, a good classifier.
    "demo": Population(
        rate=np.array([0.12, 0.36, 0.26, 0.22, 0.2, 0.17, 0.22]),
        names=0.45,
        templates=0.5,
        both=0.2,
        cells=0.3,
        misses=NONE + 0.05,
        alarms=NONE + 0.02,
    ),
    # Variances as in the released Llama-2-Chat 7B study, no difference.
    "released": Population(
        rate=NONE + 0.03,
        names=1.5,
        templates=2.0,
        both=0.5,
        cells=1.5,
        misses=NONE + 0.1,
        alarms=NONE + 0.01,
    ),
    # No difference, but false alarms for the last three groups.
    "differential": Population(
        rate=NONE + 0.18,
        names=0.5,
        templates=0.8,
        both=0.2,
        cells=0.5,
        misses=NONE + 0.05,
        alarms=0.02 + 0.1 * LAST,
    ),
    # Names and templates hardly differ, the machine errs much.
    "noisy machine": Population(
        rate=NONE + 0.27,
        names=0.05,
        templates=0.05,
        both=0.05,
        cells=0.05,
        misses=NONE + 0.2,
        alarms=NONE + 0.1,
    ),
    # Refusals of the last three groups are often missed, where few rows are drawn.
    "missed": Population(
        rate=NONE + 0.12,
        names=0.3,
        templates=0.4,
        both=0.1,
        cells=0.1,
        misses=0.3 * LAST,
        alarms=NONE,
    ),
    "perfect machine": Population(
        rate=NONE + 0.14,
        names=0.4,
        templates=0.6,
        both=0.2,
        cells=0.3,
        misses=NONE,
        alarms=NONE,
    ),
}


class Study(NamedTuple):
    """Rows of one study: codes, true and machine readings, weights of its audits."""

    level: IntArray
    name: IntArray
    template: IntArray
    truth: FloatArray
    machine: FloatArray
    by_machine: FloatArray
    by_group: FloatArray


def draw(population: Population, random: np.random.Generator) -> Study:
    """One study of the population."""
    shape = (GROUPS * NAMES, TEMPLATES, SAMPLES)
    name, template, _ = np.indices(shape)
    group = np.repeat(np.arange(GROUPS), NAMES)
    effects = (
        logit(population.rate)[group][:, None]
        + random.normal(0, population.names, GROUPS * NAMES)[:, None]
        + random.normal(0, population.templates, TEMPLATES)
        + random.normal(0, population.both, (GROUPS, TEMPLATES))[group]
        + random.normal(0, population.cells, shape[:2])
    )
    level = group[name].ravel()
    truth = (random.random(shape) < expit(effects)[..., None]).astype(float).ravel()
    luck = random.random(truth.size)
    heard = np.where(
        truth > 0, luck >= population.misses[level], luck < population.alarms[level]
    ).astype(float)
    return Study(
        level,
        name.ravel(),
        template.ravel(),
        truth,
        heard,
        _audit(level * 2 + heard.astype(int), LABELS // GROUPS // 2, random),
        _audit(level, LABELS // GROUPS, random),
    )


def _audit(stratum: IntArray, size: int, random: np.random.Generator) -> FloatArray:
    """1 / inclusion probability of rows drawn from each stratum, 0 of the others."""
    weight = np.zeros(len(stratum))
    for each in np.unique(stratum):
        rows = np.flatnonzero(stratum == each)
        drawn = random.choice(rows, min(size, len(rows)), replace=False)
        weight[drawn] = len(rows) / len(drawn)
    return weight


class Interval(NamedTuple):
    """Differences from the first group, and half-widths of the intervals, shape (groups - 1,)."""

    difference: FloatArray
    half_width: FloatArray


def intervals(study: Study, y: FloatArray, extra: FloatArray = NONE) -> Interval:
    """95 % intervals of the differences in the mean of y."""
    # Rows stand in the order of names, templates and samples.
    first = slice(None, None, SAMPLES)
    means = level_means(
        Design(
            tuple(map(str, range(GROUPS))),
            study.level[first],
            study.name[first],
            study.template[first],
            np.full(y.size // SAMPLES, float(SAMPLES)),
            y.reshape(-1, SAMPLES).sum(axis=1),
        )
    )
    found = []
    for group in range(1, GROUPS):
        weights = np.zeros(GROUPS)
        weights[[0, group]] = -1, 1
        one = contrast(
            means, weights, Scope.NEW_NAMES_AND_TEMPLATES, extra=float(extra[[0, group]].sum())
        )
        found.append((one.estimate, one.std_error, one.df) if one else (0, np.inf, 1))
    difference, std_error, df = np.array(found).T
    return Interval(difference, t.isf(0.025, df) * std_error)


def corrected(study: Study, weight: FloatArray, *, machine: bool = True) -> Interval:
    """Intervals from one audit; without the machine's labels, by the human ones alone."""
    heard = study.machine if machine else np.zeros_like(study.machine)
    found = correct(Audited(study.level, heard, study.truth, weight))
    # Without a machine there is no disagreement with it to be smoothed.
    return intervals(study, found.pseudo, found.extra if machine else NONE)


class Coverage(NamedTuple):
    """Share of the intervals that hold the truth, their mean width, and share not estimable."""

    held: float
    width: float
    none: float


def simulate(population: Population, studies: int, seed: int) -> dict[str, Coverage]:
    """Coverage of each kind of interval."""
    random = np.random.default_rng(seed)
    rates = population.truth()
    truth = rates[1:] - rates[0]
    found: dict[str, list[Interval]] = {}
    for _ in range(studies):
        study = draw(population, random)
        kinds = {
            "corrected, by machine label": corrected(study, study.by_machine),
            "corrected, by group": corrected(study, study.by_group),
            "human alone, by group": corrected(study, study.by_group, machine=False),
            "machine alone": intervals(study, study.machine),
            "true labels": intervals(study, study.truth),
        }
        for kind, interval in kinds.items():
            found.setdefault(kind, []).append(interval)
    return {kind: _coverage(each, truth) for kind, each in found.items()}


def _coverage(found: list[Interval], truth: FloatArray) -> Coverage:
    difference, half_width = (np.stack(each) for each in zip(*found, strict=True))
    known = np.isfinite(half_width)
    held = (np.abs(difference - truth) <= half_width)[known]
    return Coverage(
        float(held.mean()), float(2 * half_width[known].mean()), float(1 - known.mean())
    )


def main() -> None:
    """Print coverage and width for every population."""
    studies = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    wanted = sys.argv[2:] or list(POPULATIONS)
    print(f"{studies} studies of each population; 95 % intervals: coverage, width, not estimable")
    for name in wanted:
        for kind, one in simulate(POPULATIONS[name], studies, seed=1).items():
            print(
                f"{name:16} {kind:28} {100 * one.held:5.1f} %  {100 * one.width:5.1f} points  "
                f"{100 * one.none:5.2f} %",
                flush=True,
            )


if __name__ == "__main__":
    main()
