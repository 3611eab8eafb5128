"""Whether studies find what their plan promises: `make bench-planned`.

For several designs, patterns of variance and rates the plan's smallest difference is held against
studies drawn apart from the package, response by response on the probit scale, and decided by the
calibrated test, each by other studies simulated from its own null model: how many of them show it,
and nine and eleven tenths of it. The plan is within a tenth where four of five lies between these.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.special import ndtr, ndtri
from verdicts import by_simulation

from refusal_parity.config import AnalysisConfig, AssumedVariance, DimensionConfig
from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.fits.least_squares import least_squares
from refusal_parity.statistics.planning.table import planned_design
from refusal_parity.statistics.simulation.latent import Latent, components_at
from refusal_parity.statistics.variances.effective import effective
from refusal_parity.vocabulary import Scope

if TYPE_CHECKING:
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

SAMPLES = 3
DESIGNS = {"24x32": ([8, 8, 8, 4, 4], 24), "32x56": ([8] * 7, 32)}
PATTERNS = {
    "MILD": (0.35, 0.7, 0.1, 0.17),
    "STRONG": (5.4, 11.5, 0.2, 1.1),
    "MODERN": (0.15, 1.5, 0.05, 0.3),
}
RATES = (0.01, 0.05, 0.2, 0.5)


def planned(design: str, pattern: str, rate: float) -> float | None:
    """The plan's smallest difference of the second group, for new templates and names."""
    sizes, templates = DESIGNS[design]
    prompts = pl.DataFrame(
        [
            {"name_id": f"{group}-{at}", "group": f"g{group}", "gender": "x", "arm": "plain",
             "template_id": f"t{template}"}
            for group, size in enumerate(sizes) for at in range(size)
            for template in range(templates)
        ]
    )  # fmt: skip
    name, template, within, cell = PATTERNS[pattern]
    model = Latent(np.zeros(1), np.array([name]), template, within, cell, 1.0)
    parts = components_at(model.with_rates(np.array([rate])), 0)
    analysis = AnalysisConfig(
        dimensions={"group": DimensionConfig(reference="g0")},
        assumed=AssumedVariance(**parts._asdict()),
    )
    rows = planned_design(prompts, analysis, samples=SAMPLES).filter(
        pl.col("scope").cast(pl.String) == str(Scope.NEW_NAMES_AND_TEMPLATES),
        pl.col("quantity").cast(pl.String) == "minimum_detectable",
        pl.col("names") == sizes[1],
    )
    value: float | None = rows["value"][0]
    return value


def shown(design: str, pattern: str, rates: tuple[float, float], studies: int, seed: int) -> float:
    """Share of studies that show the second group's difference; all others have the first rate."""
    sizes, templates = DESIGNS[design]
    name, template, within, cell = PATTERNS[pattern]
    random = np.random.default_rng(seed)
    level = np.repeat(np.arange(len(sizes)), sizes)
    whole = np.sqrt(1 + name + template + within + cell)
    means = np.where(level == 1, ndtri(rates[1]), ndtri(rates[0])) * whole
    shape = (studies, len(level), templates)
    score = means[:, None] + np.zeros(shape)
    score += np.sqrt(template) * random.standard_normal((studies, 1, templates))
    score += np.sqrt(within) * random.standard_normal((studies, len(sizes), templates))[:, level]
    score += np.sqrt(name) * random.standard_normal((*shape[:2], 1))
    score += np.sqrt(cell) * random.standard_normal(shape)
    k = random.binomial(SAMPLES, ndtr(score)).astype(float)
    grid = Grid(
        tuple(f"g{at}" for at in range(len(sizes))), level, np.full(shape[1:], float(SAMPLES))
    )
    drawn = Studies(grid, k)
    _, is_shown, *_ = by_simulation(
        drawn, effective(least_squares(drawn)), np.zeros(len(sizes) - 1), random
    )
    return float(is_shown[:, 0].mean())


def main() -> None:
    """Print a line for each design, pattern and rate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--design", choices=DESIGNS)
    arguments = parser.parse_args()
    for design in [arguments.design] if arguments.design else DESIGNS:
        for pattern in PATTERNS:
            for rate in RATES:
                plan = planned(design, pattern, rate)
                if plan is None:
                    print(f"{design} {pattern} {rate:g}: none, however large", flush=True)
                    continue
                print(f"{design} {pattern} {rate:g}: plan {plan:.4f}", end="")
                for factor in (0.9, 1.0, 1.1):
                    rates = (rate, rate + factor * plan)
                    found = shown(design, pattern, rates, arguments.studies, 2)
                    print(f", {factor:g} of it shown in {found:.1%}", end="", flush=True)
                print()


if __name__ == "__main__":
    main()
