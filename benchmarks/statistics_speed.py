"""Times the statistics, and the ratio to scipy's permutation test, in one run."""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from scipy.stats import permutation_test

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.dimensions import composed
from refusal_parity.statistics.checking.selfcheck import selfcheck
from refusal_parity.statistics.checking.verdicts import null_verdicts
from refusal_parity.statistics.designs.counts import build_designs
from refusal_parity.statistics.designs.grid import Grid, grid_of
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.influence import influences
from refusal_parity.statistics.methods.exact import exact_tests
from refusal_parity.statistics.methods.randomisation import f_test, spread_test
from refusal_parity.statistics.rates import rates
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws, permutation_names
from refusal_parity.statistics.simulation.drawing import simulate
from refusal_parity.statistics.simulation.latent import Latent

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUPS, NAMES, TEMPLATES, SAMPLES = 7, 8, 32, 3
LEVELS = [f"g{at}" for at in range(GROUPS)]
ANALYSIS = AnalysisConfig(
    dimensions={
        "group": DimensionConfig(reference="g0"),
        "gender": DimensionConfig(reference="man"),
        "commonness": DimensionConfig(reference="common"),
    }
)


@contextmanager
def timed(what: str, target: str = "") -> Iterator[None]:
    """Print how long the body took: on the clock, and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    yield
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    print(f"{what}: {clock:.2f} s ({processor:.2f} s of one core){target}", flush=True)


def observations(
    model: int, names: int = GROUPS * NAMES, templates: int = TEMPLATES
) -> pl.DataFrame:
    """A study of 1,792 prompts x 3 samples from one model, 1 % of it without a label."""
    random = np.random.default_rng(model)
    level = np.arange(names) * GROUPS // names
    n = np.full((len(level), templates), float(SAMPLES))
    latent = Latent(np.zeros(GROUPS), np.full(GROUPS, 0.2), 0.5, 0.02, 0.1, 0.18)
    rate = latent.with_rates(np.full(GROUPS, 0.2))
    k = simulate(Grid(tuple(LEVELS), level, n), rate, 1, random).k[0]
    name, template, sample = (each.ravel() for each in np.indices((len(level), templates, SAMPLES)))
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
            "text_id": [f"t{at}" for at in template],
            "family": "f",
            "name_id": [f"n{at}" for at in name],
            "name": [f"n{at}" for at in name],
            "group": [LEVELS[at] for at in level[name]],
            "gender": np.where(name % 2, "woman", "man"),
            "commonness": np.where(name % 4 < 2, "common", "less common"),
            "arm": "plain",
            "label": np.where(random.random(len(name)) < 0.01, "", kinds),
            "exclusion": None,
            "words": random.integers(5, 60, len(name)),
        }
    ).with_columns(
        pl.col("label").replace("", None),
        *composed(),
        machine_label=pl.lit(None, dtype=pl.String),
    )


def permutations() -> None:
    """100,000 permutations of one model's names: all outcomes, dimensions and contrasts."""
    study, draws = observations(0), Draws(100_000, 1)
    levels = {"group": LEVELS, "gender": ["man", "woman"], "commonness": ["common", "less common"]}
    counted = {
        dimension: list(build_designs(study, dimension, names, ANALYSIS.readings).values())
        for dimension, names in levels.items()
    }
    with timed("100,000 permutations, one model's outcomes and contrasts", ", target 2 s"):
        for designs in counted.values():
            studies = Studies.of(designs)
            setting = Setting(0.05, 0.05, draws, Resamples(1, 1))
            for test in (spread_test, f_test, exact_tests):
                test(studies, setting)
    names = counted["gender"][0].by_name()
    sides = [(names.k / names.n)[names.level == at] for at in (0, 1)]
    # Another seed: permutations of the one above are kept, and scipy draws its own.
    draws = Draws(draws.permutations, draws.seed + 1)
    started = time.process_time()
    permutation_names(names.k[None], names.n, names.level, draws)
    mine = time.process_time() - started
    started = time.process_time()
    permutation_test(
        sides,
        lambda x, y, axis: np.mean(x, axis=axis) - np.mean(y, axis=axis),
        permutation_type="independent",
        vectorized=True,
        n_resamples=draws.permutations,
        batch=10_000,
        rng=np.random.default_rng(1),
    )
    theirs = time.process_time() - started
    print(
        f"the same for one outcome of two groups: {mine:.2f} s of one core, "
        f"scipy.stats.permutation_test {theirs:.2f} s, ratio {theirs / mine:.1f}",
        flush=True,
    )


def self_check() -> None:
    """2,000 simulated studies of the design, every method."""
    study = observations(0)
    design = next(iter(build_designs(study, "group", LEVELS, ANALYSIS.readings).values()))
    grid = grid_of(design)
    even = Latent(np.zeros(GROUPS), np.full(GROUPS, 0.2), 0.5, 0.02, 0.1, 0.18)
    with timed("self-check, 2,000 studies, one outcome by group", ", target 60 s"):
        null_verdicts(grid, even.with_rates(np.full(GROUPS, 0.2)), ANALYSIS)
    with timed(
        f"the same, {len(ANALYSIS.readings)} outcomes x 3 dimensions x 2 variances of names"
    ):
        selfcheck(study, ANALYSIS)


def large() -> None:
    """One model of 100,000 responses: every table, all outcomes by two dimensions."""
    study = observations(0, names=133, templates=250)
    two = ANALYSIS.model_copy(
        update={"dimensions": {key: ANALYSIS.dimensions[key] for key in ("group", "gender")}}
    )
    numbers = np.random.default_rng(1).random(10_000_000)
    started = time.process_time()
    np.sort(numbers)
    sorting = time.process_time() - started
    started = time.process_time()
    for compute in (rates, disparities, influences, selfcheck):
        with timed(f"  {compute.__name__} of {len(study):,} responses"):
            compute(study, two)
    whole = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"all of it: {whole:.1f} s of one core, target 30 s; {whole / sorting:.0f} times as long "
        f"as sorting ten million numbers; peak {peak:.2f} GB, target 2 GB",
        flush=True,
    )


class Cost(NamedTuple):
    """Seconds of one core, and the peak of a process's memory in GB."""

    seconds: float
    gigabytes: float


def statistics_of(model: int) -> Cost:
    """Rates, disparities and influence of one model."""
    study = observations(model)
    started = time.process_time()
    for compute in (rates, disparities, influences):
        compute(study, ANALYSIS)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return Cost(time.process_time() - started, peak)


def many(models: int) -> None:
    """The statistics of many models in two processes."""
    started = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        costs = pool.map(statistics_of, range(models), chunksize=1)
    print(
        f"statistics of {models} models x {GROUPS * NAMES * TEMPLATES * SAMPLES:,} rows, two "
        f"processes: {time.perf_counter() - started:.0f} s ({sum(c.seconds for c in costs):.0f} s "
        f"of one core), peak {max(c.gigabytes for c in costs):.2f} GB each, target for 50: 120 s"
    )


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=50)
    arguments = parser.parse_args()
    permutations()
    self_check()
    large()
    many(arguments.models)


if __name__ == "__main__":
    main()
