"""The false discovery rate over models that got the same prompts, some of which differ.

Studies of several models are drawn from probit models whose true rates have a closed form.
Half of the variance of names, templates and templates within groups is of effects that all
models share, so that their tests hang together. In some models the first group's rate lies
above the others'; everything else is alike. For each scenario it prints

- the false discovery rate: the mean share, of the models called different, of those in which
  a difference is shown that is none; with each model by itself, by `fdr_bh` and by `fdr_by`,
- the share of the models that differ whose difference is shown, likewise,
- of the intervals in models called different the mean share that misses the truth.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from scipy.special import ndtr, ndtri

from refusal_parity.config import AnalysisConfig
from refusal_parity.statistics.adjust import adjust
from refusal_parity.statistics.agreeing import OF_NO_TABLE, agreeing
from refusal_parity.statistics.answering.across_models import share_out
from refusal_parity.statistics.answering.finding import Finding
from refusal_parity.statistics.designs.grid import Grid
from refusal_parity.statistics.designs.studies import Studies
from refusal_parity.statistics.methods import METHODS
from refusal_parity.statistics.methods.calibrated import NAMES, TEMPLATES, calibrated
from refusal_parity.statistics.methods.wilson_two_way import wilson_two_way
from refusal_parity.statistics.registry import Setting
from refusal_parity.statistics.resampling.bootstrap import Resamples
from refusal_parity.statistics.resampling.randomisation import Draws
from refusal_parity.statistics.results import to_row

if TYPE_CHECKING:
    from refusal_parity.statistics.answering.finding import Row

ALPHA: Final = 0.05
SHARED: Final = 0.5
DESIGNS: Final = {"6x12": ((4, 4, 4), 6), "12x24": ((8, 8, 8), 12), "20x24": ((8, 8, 8), 20)}
VARIANCES: Final = (0.35, 0.7, 0.1, 0.17)
"""Of names, templates, templates within groups, and cells (MILD); that of responses is 1."""
CHOICES: Final = ("none", "fdr_bh", "fdr_by")
FLOATS: Final = (
    "estimate", "std_error", "df", "p_value", "effective_group", "effective_reference",
    *OF_NO_TABLE,
)  # fmt: skip


@dataclass(frozen=True)
class Scenario:
    """Studies of some models, a few of which treat the first group differently."""

    design: str
    models: int
    differ: int
    rate: float
    more: float

    def words(self) -> str:
        """How it stands in the table."""
        planted = f"{self.differ} of {self.models} by {100 * self.more:g}"
        return f"{self.design}, {100 * self.rate:g} %, {planted}"


def draw(scenario: Scenario, random: np.random.Generator) -> Studies:
    """One study of each model; the first ones differ."""
    sizes, templates = DESIGNS[scenario.design]
    level = np.repeat(np.arange(len(sizes)), sizes)
    models = scenario.models
    name, template, within, cell = VARIANCES
    rates = np.full((models, len(sizes)), scenario.rate)
    rates[: scenario.differ, 1] += scenario.more
    score = ndtri(rates)[:, level, None] * np.sqrt(name + template + within + cell + 1)

    def effects(variance: float, *shape: int) -> np.ndarray:
        shared = random.standard_normal((1, *shape))
        own = random.standard_normal((models, *shape))
        mixed: np.ndarray = np.sqrt(SHARED) * shared + np.sqrt(1 - SHARED) * own
        return np.asarray(mixed * np.sqrt(variance))

    score = score + effects(name, len(level), 1) + effects(template, 1, templates)
    score += effects(within, len(sizes), templates)[:, level]
    score += np.sqrt(cell) * random.standard_normal(score.shape)
    k = random.binomial(3, ndtr(score)).astype(float)
    names = tuple(f"g{at}" for at in range(len(sizes)))
    return Studies(Grid(names, level, np.full(score.shape[1:], 3.0)), k)


def table_of(studies: Studies, analysis: AnalysisConfig) -> pl.DataFrame:
    """The rows of disparity.parquet that decide, of each model."""
    large = len(studies.grid.level) >= NAMES and studies.grid.n.shape[1] >= TEMPLATES
    setting = Setting(ALPHA, 0.05, Draws(1, 1), Resamples(1, 1), across_models=True)
    (answers,) = (calibrated if large else wilson_two_way)(studies, setting)
    level, n = studies.grid.level, studies.grid.n.sum(axis=1)
    rows = []
    for at in range(len(studies)):
        k = studies.k[at].sum(axis=1)
        sums = {
            name: (int(n[level == code].sum()), int(k[level == code].sum()))
            for code, name in enumerate(studies.grid.levels)
        }
        for row in answers.of_study(at):
            ours, others = sums[row.group or ""], sums[row.reference or ""]
            counts = {"n_group": ours[0], "k_group": ours[1]}
            counts |= {"n_reference": others[0], "k_reference": others[1]}
            of_model = {"model": f"m{at}", "outcome": "refusal", "dimension": "group"}
            rows.append(of_model | counts | to_row(row))
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(
        pl.col("scope", "estimand").cast(pl.String), pl.col(FLOATS).cast(pl.Float64)
    )
    return agreeing(adjust(frame, analysis))


def decided(scenario: Scenario, table: pl.DataFrame, across: str) -> tuple[float, float, float]:
    """Share of wrong ones among models called different, of planted ones found, and of misses."""
    analysis = analysis_of(across)
    rows: list[Row] = table.to_dicts()
    if across != "none":
        families = {
            str(model): [
                Finding(
                    model=str(model), outcome="refusal", dimension="group", group=row["group"],
                    reference=row["reference"], method=METHODS[row["method"]],
                    p_adjusted=row["p_adjusted"], family=row["family"],
                )
                for row in part.to_dicts()
            ]
            for (model,), part in table.group_by("model", maintain_order=True)
        }  # fmt: skip
        shared = share_out(families, table, analysis)
        rows = [shared.held(row["model"], row) for row in rows]
    called: dict[str, list[Row]] = {}
    for row in rows:
        called.setdefault(row["model"], []).append(row)
    shown = {
        model: [row for row in found if (row["p_adjusted"] or 1) < ALPHA]
        for model, found in called.items()
        if any(row["p_adjusted"] is not None and row["p_adjusted"] < ALPHA for row in found)
    }

    def truth(row: Row) -> float:
        differs = int(row["model"][1:]) < scenario.differ and row["group"] == "g1"
        return scenario.more if differs else 0.0

    wrong = sum(any(not truth(row) for row in found) for found in shown.values())
    right = sum(any(truth(row) for row in found) for found in shown.values())
    ends = [row for model in shown for row in called[model] if row["adjusted_low"] is not None]
    missed = [not row["adjusted_low"] <= truth(row) <= row["adjusted_high"] for row in ends]
    return (
        wrong / max(len(shown), 1),
        right / max(scenario.differ, 1),
        float(np.mean(missed)) if missed else 0.0,
    )


def analysis_of(across: str) -> AnalysisConfig:
    """What the study declares."""
    return AnalysisConfig.model_validate(
        {"dimensions": {"group": {"reference": "g0"}}, "alpha": ALPHA, "across_models": across}
    )


def run(scenario: Scenario, count: int, seed: int = 1) -> dict[str, np.ndarray]:
    """False discoveries, power and misses by each choice, shape (count, 3)."""
    random = np.random.default_rng([seed, *map(ord, scenario.words())])
    seen: dict[str, list[tuple[float, float, float]]] = {across: [] for across in CHOICES}
    for _ in range(count):
        table = table_of(draw(scenario, random), analysis_of("none"))
        for across, of_choice in seen.items():
            of_choice.append(decided(scenario, table, across))
    return {across: np.array(of_choice) for across, of_choice in seen.items()}


SCENARIOS: Final = (
    Scenario("12x24", 10, 0, 0.2, 0.25),
    Scenario("12x24", 10, 3, 0.2, 0.25),
    Scenario("12x24", 10, 8, 0.2, 0.25),
    Scenario("6x12", 30, 6, 0.5, 0.35),
    Scenario("20x24", 10, 0, 0.02, 0.06),
    Scenario("20x24", 10, 3, 0.02, 0.06),
)


def main() -> None:
    """Print one line for each scenario and choice."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--design", choices=DESIGNS)
    arguments = parser.parse_args()
    print(f"{'scenario':32s}{'':10s}{'wrong':>15s}{'found':>15s}{'missed':>15s}")
    for scenario in SCENARIOS:
        if arguments.design not in {None, scenario.design}:
            continue
        started = time.perf_counter()
        for across, values in run(scenario, arguments.studies).items():
            errors = values.std(axis=0) / np.sqrt(len(values))
            cells = [
                f"{100 * mean:.1f} ({100 * error:.1f})"
                for mean, error in zip(values.mean(axis=0), errors, strict=True)
            ]
            line = f"{scenario.words():32s}{across:10s}" + "".join(f"{each:>15s}" for each in cells)
            print(line, flush=True)
        print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
