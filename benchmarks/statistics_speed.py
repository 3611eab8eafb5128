"""Times the statistics, and the ratio to scipy's permutation test, in one run."""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from functools import partial

import numpy as np
import polars as pl
from scipy.stats import permutation_test

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.statistics.design import build_designs
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.exact import exact_tests
from refusal_parity.statistics.grid import Grid, grid_of
from refusal_parity.statistics.influence import influences
from refusal_parity.statistics.latent import Latent, simulate
from refusal_parity.statistics.randomisation import Draws, permutation_names, randomisation_tests
from refusal_parity.statistics.rates import rates
from refusal_parity.statistics.selfcheck import null_verdicts, selfcheck

GROUPS, NAMES, TEMPLATES, SAMPLES = 7, 8, 32, 3
LEVELS = [f"g{at}" for at in range(GROUPS)]
ANALYSIS = AnalysisConfig(
    dimensions={
        "group": DimensionConfig(reference="g0"),
        "gender": DimensionConfig(reference="man"),
        "commonness": DimensionConfig(reference="common"),
    }
)


def observations(model: int) -> pl.DataFrame:
    """A study of 1,792 prompts x 3 samples from one model, 1 % of it without a label."""
    random = np.random.default_rng(model)
    level = np.repeat(np.arange(GROUPS), NAMES)
    n = np.full((len(level), TEMPLATES), float(SAMPLES))
    latent = Latent(np.zeros(GROUPS), np.full(GROUPS, 0.2), 0.5, 0.02, 0.1, 0.18)
    rate = latent.with_rates(np.full(GROUPS, 0.2))
    k = simulate(Grid(tuple(LEVELS), level, n), rate, 1, random).k[0]
    name, template, sample = (each.ravel() for each in np.indices((len(level), TEMPLATES, SAMPLES)))
    refused = sample < k[name, template]
    kinds = np.where(
        refused,
        np.where(random.random(len(name)) < 0.3, "harmful_refusal", "refusal"),
        np.where(random.random(len(name)) < 0.1, "partial_answer", "answer"),
    )
    return pl.DataFrame(
        {
            "model": f"m{model}",
            "prompt_id": [f"{a}-{b}" for a, b in zip(name, template, strict=True)],
            "sample": sample,
            "template_id": [f"t{at}" for at in template],
            "family": "f",
            "name_id": [f"n{at}" for at in name],
            "name": [f"n{at}" for at in name],
            "group": [LEVELS[at] for at in level[name]],
            "gender": np.where(name % 2, "woman", "man"),
            "commonness": np.where(name % 4 < 2, "common", "less common"),
            "arm": "plain",
            "label": np.where(random.random(len(name)) < 0.01, "", kinds),
            "exclusion": None,
        }
    ).with_columns(pl.col("label").replace("", None))


def permutations() -> None:
    """100,000 permutations of one model's names: all outcomes, dimensions and contrasts."""
    study, draws = observations(0), Draws(100_000, 1)
    levels = {"group": LEVELS, "gender": ["man", "woman"], "commonness": ["common", "less common"]}
    counted = {
        dimension: list(build_designs(study, dimension, names, ANALYSIS.outcomes).values())
        for dimension, names in levels.items()
    }
    started = time.perf_counter()
    for designs in counted.values():
        randomisation_tests(designs, draws)
        for design in designs:
            exact_tests(design, 0.05, draws)
    print(f"100,000 permutations, one model: {time.perf_counter() - started:.2f} s (target 2)")
    names = counted["gender"][0].by_name()
    sides = [(names.k / names.n)[names.level == at] for at in (0, 1)]
    started = time.perf_counter()
    permutation_names(names.k[None], names.n, names.level, draws)
    mine = time.perf_counter() - started
    started = time.perf_counter()
    permutation_test(
        sides,
        lambda x, y, axis: np.mean(x, axis=axis) - np.mean(y, axis=axis),
        permutation_type="independent",
        vectorized=True,
        n_resamples=draws.permutations,
        batch=10_000,
        rng=np.random.default_rng(1),
    )
    theirs = time.perf_counter() - started
    print(
        f"one outcome, two groups: {mine:.2f} s, scipy.stats.permutation_test {theirs:.2f} s, "
        f"ratio {theirs / mine:.1f}"
    )


def self_check() -> None:
    """2,000 simulated studies of the design, every method."""
    study = observations(0)
    design = next(iter(build_designs(study, "group", LEVELS, ANALYSIS.outcomes).values()))
    grid = grid_of(design)
    even = Latent(np.zeros(GROUPS), np.full(GROUPS, 0.2), 0.5, 0.02, 0.1, 0.18)
    started = time.perf_counter()
    null_verdicts(grid, even.with_rates(np.full(GROUPS, 0.2)), ANALYSIS)
    print(f"2,000 studies, one comparison: {time.perf_counter() - started:.1f} s (target 60)")
    started = time.perf_counter()
    selfcheck(study, ANALYSIS)
    print(
        "2,000 studies, a model's three outcomes and three dimensions, both variances of names: "
        f"{time.perf_counter() - started:.1f} s"
    )


def statistics_of(model: int) -> float:
    """Rates, disparities and influence of one model; the process's peak memory in GB."""
    study = observations(model)
    for compute in (rates, disparities, influences):
        compute(study, ANALYSIS)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def many(models: int) -> None:
    """The statistics of many models in two processes."""
    started = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        peaks = pool.map(partial(statistics_of), range(models), chunksize=1)
    print(
        f"{models} models x {GROUPS * NAMES * TEMPLATES * SAMPLES:,} rows in 2 processes: "
        f"{time.perf_counter() - started:.0f} s (target 120 for 50), peak of a process "
        f"{max(peaks):.2f} GB"
    )


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=50)
    arguments = parser.parse_args()
    permutations()
    self_check()
    many(arguments.models)


if __name__ == "__main__":
    main()
