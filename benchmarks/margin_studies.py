"""How often a difference of the margin is called small, and one of nothing: `make bench-margin`.

Studies are drawn from a probit model with true rates in closed form or over a fine grid of
name effects, apart from the simulation that the package has. In every group but the reference the
rate differs by the margin, where the equivalence test may answer in 5 % of studies, or by
nothing, which shows its power. Names vary normally, or skewed, or as a mixture of many alike and
some far off; responses may be missing.

With `--part corrected` a machine misses refusals and gives false alarms, and people label a sample
drawn by group and machine's label; with `--part listed` prompts are of one level each.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri
from scipy.stats import gamma

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.methods.design_based import DESIGN_BASED_EQUIVALENCE, design_based
from refusal_parity.statistics.methods.equivalence import equivalence
from refusal_parity.statistics.methods.nested import unit_score_equivalence
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

MARGIN, ALPHA, SAMPLES = 0.05, 0.05, 3
LABELS = 100
SETTING = Setting(ALPHA, MARGIN, Draws(1, 1), Resamples(1, 1), deciding=True)
DESIGNS = {"24x32": ([8, 8, 8, 4, 4], 24), "32x56": ([8] * 7, 32), "6x12": ([4] * 3, 6)}
RATES = ((0.005, 0.055), (0.01, 0.06), (0.99, 0.94), (0.2, 0.25), (0.01, 0.01))


@dataclass(frozen=True)
class Pattern:
    """Variances on the probit scale; that of a response is 1."""

    name: float
    template: float
    template_group: float
    cell: float


PATTERNS = {
    "MILD": Pattern(0.35, 0.7, 0.1, 0.17),
    "STRONG": Pattern(5.4, 11.5, 0.2, 1.1),
    "LOW": Pattern(0.05, 0.7, 0.02, 0.1),
    "MODERN": Pattern(0.15, 1.5, 0.05, 0.3),
}


def skewed(share: FloatArray) -> FloatArray:
    """Quantiles of a gamma distribution of shape 2, with mean 0 and variance 1."""
    return np.asarray((gamma.ppf(share, 2) - 2) / np.sqrt(2))


def mixed(share: FloatArray) -> FloatArray:
    """Those of three in four names about one value and one in four about another, likewise."""
    grid = np.linspace(-5, 5, 20_001)
    held = 0.75 * ndtr((grid + 0.5) / 0.5) + 0.25 * ndtr((grid - 1.5) / 0.5)
    values = np.interp(share, held, grid)
    return np.asarray(values)


EFFECTS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "normal": ndtri,
    "skewed": skewed,
    "mixed": mixed,
}
EFFECT_SHARES = (np.arange(4000) + 0.5) / 4000


class Share(NamedTuple):
    """Studies in which the margin is called kept: all contrasts, the worst one, the answered."""

    mean: float
    worst: float
    answered: float


def intercept(rate: float, pattern: Pattern, effects: str) -> float:
    """The mean of the latent scale with which a group has a rate over new names and templates."""
    names = np.sqrt(pattern.name) * EFFECTS[effects](EFFECT_SHARES)
    rest = np.sqrt(pattern.template + pattern.template_group + pattern.cell + 1)
    return float(brentq(lambda m: ndtr((m + names) / rest).mean() - rate, -60, 60))


def draw(  # noqa: PLR0913 - what a study is made of
    design: str,
    pattern: Pattern,
    rates: tuple[float, float],
    studies: int,
    random: np.random.Generator,
    *,
    effects: str = "normal",
    missing: float = 0.0,
) -> Studies:
    """Studies whose reference has the first rate, and all other groups the second."""
    sizes, templates = DESIGNS[design]
    level = np.repeat(np.arange(len(sizes)), sizes)
    means = np.array([intercept(rate, pattern, effects) for rate in rates])
    shape = (studies, len(level), templates)
    n = np.full(shape[1:], float(SAMPLES))
    if missing:
        n = random.binomial(SAMPLES, 1 - missing, shape[1:]).astype(float)
    score = means[np.minimum(level, 1)][:, None] + np.zeros(shape)
    score += np.sqrt(pattern.template) * random.standard_normal((studies, 1, templates))
    shift = random.standard_normal((studies, len(sizes), templates))
    score += np.sqrt(pattern.template_group) * shift[:, level]
    names = EFFECTS[effects](random.random((studies, len(level))))
    score += np.sqrt(pattern.name) * names[..., None]
    score += np.sqrt(pattern.cell) * random.standard_normal(shape)
    k = random.binomial(n.astype(int), ndtr(score)).astype(float)
    return Studies(Grid(tuple(f"g{at}" for at in range(len(sizes))), level, n), k)


def called_small(parts: Iterable[Studies]) -> Share:
    """How often the equivalence test says that a group differs by less than the margin.

    Groups are told apart over all parts: the highest of many shares of few studies is high.
    """
    answers = [equivalence(each, SETTING)[0].values("p_value") for each in parts]
    return share_of(np.concatenate(answers))


def share_of(p_value: FloatArray) -> Share:
    """Of p-values of shape (studies, pairs), how many call the margin kept."""
    small, known = p_value < ALPHA, np.isfinite(p_value)
    return Share(
        float(small.sum() / max(known.sum(), 1)),
        float((small.sum(axis=0) / np.maximum(known.sum(axis=0), 1)).max()),
        float(known.mean()),
    )


def corrected_small(
    studies: Studies, random: np.random.Generator, *, misses: float = 0.1, alarms: float = 0.005
) -> Share:
    """How often `design_based_equivalence` says so, one study after the other.

    The machine misses some outcomes and sees some that are not there. People label
    `LABELS` responses of each group and reading of the machine, or all where there are fewer.
    """
    grid = studies.grid
    name, template = (np.repeat(each.ravel(), SAMPLES) for each in np.indices(grid.n.shape))
    level = grid.level[name]
    rows = pl.DataFrame({
        "group": np.array(grid.levels)[level],
        "name_id": name.astype(str), "text_id": template.astype(str),
        "filtered": np.zeros(len(level), bool),
    }).with_columns(human_split=pl.lit(None, pl.String))  # fmt: skip
    analysis = AnalysisConfig(
        dimensions={"group": DimensionConfig(reference=grid.levels[0])}, alpha=ALPHA, margin=MARGIN
    )
    small = []
    words = np.array(["answer", "refusal"])
    for k in studies.k:
        truth = (np.arange(SAMPLES) < k[..., None]).ravel()
        luck = random.random(len(truth))
        machine = np.where(truth, luck >= misses, luck < alarms)
        stratum = 2 * level + machine
        weight = np.full(len(truth), np.nan)
        for each in np.unique(stratum):
            of_stratum = np.flatnonzero(stratum == each)
            drawn = random.choice(of_stratum, min(LABELS, len(of_stratum)), replace=False)
            weight[drawn] = len(of_stratum) / len(drawn)
        is_drawn = pl.Series(~np.isnan(weight))
        audited = rows.with_columns(
            machine_label=words[machine.astype(int)],
            human_label=pl.when(is_drawn).then(pl.Series(words[truth.astype(int)])),
            weight=pl.when(is_drawn).then(pl.Series(weight)),
            stratum=pl.when(is_drawn).then(pl.Series(stratum.astype(str))),
        )
        found = design_based(audited, "group", grid.levels, Outcome.REFUSAL, analysis)
        small.append(
            [
                np.nan if row.p_value is None else row.p_value
                for row in found
                if row.method == DESIGN_BASED_EQUIVALENCE and row.reference == grid.levels[0]
            ]
        )
    return share_of(np.array(small, dtype=np.float64))


def listed_small(
    rates: tuple[float, float], units: int, likeness: float, random: np.random.Generator
) -> FloatArray:
    """The p-values of `unit_score_equivalence` in 250 lists of prompts of two levels.

    A prompt's rate has a beta distribution, with which its responses are as alike as said.
    """
    level = np.repeat([0, 1], units)
    size = (1 - likeness) / likeness
    mean = np.array(rates)[level]
    own = random.beta(mean * size, (1 - mean) * size, (250, len(level)))
    k = random.binomial(SAMPLES, own)[..., None].astype(float)
    n = np.full((len(level), 1), float(SAMPLES))
    [answers] = unit_score_equivalence(Studies(Grid(("g0", "g1"), level, n), k), SETTING)
    return answers.values("p_value")


def of_parts(kind: str, studies: int) -> None:
    """Print the lines of the corrected test, or of that of lists of prompts."""
    if kind == "listed":
        for units, likeness in product((50, 200, 800), (0.1, 0.4, 0.8)):
            random = np.random.default_rng(1)
            print(f"{units} prompts a level, likeness {likeness:g}", end="")
            for rates in RATES:
                found = [
                    listed_small(rates, units, likeness, random)
                    for _ in range(max(studies // 250, 1))
                ]
                share = share_of(np.concatenate(found)).mean
                print(f"  {rates[0]:g}/{rates[1]:g}: {share:5.1%}", end="")
            print(flush=True)
        return
    for design, key in product(("24x32", "32x56"), PATTERNS):
        random = np.random.default_rng(1)
        print(f"{design} {key:7} corrected", end="")
        for rates in RATES:
            drawn = draw(design, PATTERNS[key], rates, studies, random)
            mean, worst, answered = corrected_small(drawn, random)
            print(
                f"  {rates[0]:g}/{rates[1]:g}: {mean:5.1%} ({worst:.1%}, of {answered:.0%})",
                end="",
                flush=True,
            )
        print()


def main() -> None:
    """Print a line for each design, pattern, kind of name effects and pair of rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--part", choices=("crossed", "corrected", "listed"), default="crossed")
    arguments = parser.parse_args()
    if arguments.part != "crossed":
        of_parts(arguments.part, arguments.studies)
        return
    kinds = [("normal", 0.0), ("skewed", 0.0), ("mixed", 0.0), ("normal", 0.15)]
    for design in DESIGNS:
        for key, pattern in PATTERNS.items():
            for effects, missing in kinds:
                random = np.random.default_rng(1)
                print(f"{design} {key:7}{effects:7}{missing:5.0%} missing", end="")
                for rates in RATES:
                    parts = [
                        draw(design, pattern, rates, 250, random, effects=effects, missing=missing)
                        for _ in range(max(arguments.studies // 250, 1))
                    ]
                    mean, worst, _ = called_small(parts)
                    print(f"  {rates[0]:g}/{rates[1]:g}: {mean:5.1%} ({worst:.1%})", end="")
                print(flush=True)


if __name__ == "__main__":
    main()
