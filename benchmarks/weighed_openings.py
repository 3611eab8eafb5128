"""Weighed openings against ordinary draws: is the weighed rate right, and what does it save?

`demo`: the rare demo models. A tree is learnt from draws of half of the templates. Prompts of the
other half are drawn many times; they are weighed with the first half of the draws, and held against
the second: a chi-square over prompts, and the sums. And what weighing costs and brings beside three
or five draws: the variance of a rate for the same processor seconds of the engine, responses to
openings counted in.

`common`: the same of the demo study's models, which refuse 13 and 17 %, and of one of them asked
about white and Muslim names alone, where it refuses 22 %: nothing is to be lost.

`model`: the same with any model's folder; a stock opening makes a refusal, which is what is
tested here: openings, not labels.

`unsafe`: the same with that model and unsafe requests, many of which it refuses.
"""

from __future__ import annotations

import argparse
import gc
import math
import tempfile
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl
from opening_draws import ROOT, SMOLLM2, SYSTEM, Drawn, draw, job_of, prompts_of
from scipy import stats
from typing_extensions import override

from refusal_parity.inference.own_weights import OwnWeights
from refusal_parity.inference.speaking import OwnSpeaker
from refusal_parity.inference.vllm_engine import start_engine, start_weighing
from refusal_parity.labelling.keywords import is_refusal_by_keyword
from refusal_parity.openings.continuing import continue_openings
from refusal_parity.openings.measuring import Propensities, measure
from refusal_parity.openings.pilot import trees
from refusal_parity.openings.strata import CONTINUED, strata
from refusal_parity.openings.weighing import weigh
from refusal_parity.tables import LeafLabels, LeafResponses, filled, read_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from refusal_parity.config import VllmModel
    from refusal_parity.inference.job import InferenceJob
    from refusal_parity.inference.requests import Completion

RARE, COMMON = "demo", "common"
MODELS: dict[str, list[tuple[str, list[str]]]] = {
    RARE: [("rare-guarded", []), ("rare-even", [])],
    COMMON: [("demo-even", []), ("demo-guarded", []), ("demo-guarded", ["white", "muslim"])],
}
"""Models of each part, and the groups of the names that they are asked about; all by default."""


def usual_draws(job: InferenceJob[VllmModel], prompts: pl.DataFrame) -> Drawn:
    """As a study draws: three whole responses a prompt, none of which was seen before."""
    engine = start_engine(job)
    drawn = draw(engine, job, prompts, 3)
    # An engine that goes takes what another would need with it.
    del engine
    gc.collect()
    return drawn


@dataclass(frozen=True)
class Halves:
    """Two halves of many draws of the same prompts, each so many draws of each."""

    draws: int
    of: list[Propensities]

    def refused(self, half: int) -> npt.NDArray[np.int64]:
        """Refusals of each prompt in one of them."""
        return self.of[half].propensities["drawn_refusals"].to_numpy()

    @property
    def rate(self) -> npt.NDArray[np.float64]:
        """Of each prompt, in both."""
        return np.asarray((self.refused(0) + self.refused(1)) / (2 * self.draws))

    @property
    def outside(self) -> int:
        """Refusals in both that open outside the tree."""
        return sum(int(each.metadata["refusals_outside"]) for each in self.of)

    @property
    def refusals(self) -> int:
        """Refusals in both."""
        return max(1, sum(int(each.metadata["refusals"]) for each in self.of))


@dataclass(frozen=True)
class Spent:
    """Responses to openings, and what drawing them took."""

    labels: pl.DataFrame
    seconds: float


class Timed(OwnWeights):
    """An engine whose drawing is timed, as that of ordinary draws is."""

    seconds = 0.0

    @override
    def generate(self, rows: pl.DataFrame, *, fresh: bool) -> Iterator[Completion | None]:
        began = time.process_time()
        yield from super().generate(rows, fresh=fresh)
        self.seconds += time.process_time() - began


def drawn_on(
    engine: Any,
    job: InferenceJob[VllmModel],
    prompts: pl.DataFrame,
    leaves: pl.DataFrame,
    decode: Callable[[list[int]], str],
) -> Spent:
    """Draw responses to openings, and label them as all others are."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "leaf_responses.parquet"
        source = Timed(lambda: engine, job)
        continue_openings(
            *(job, prompts, leaves, decode, output), say=lambda _: None, source=source
        )
        found = read_table(LeafResponses, output)
    refuses = is_refusal_by_keyword(found["response"]).replace_strict(
        {True: "refusal", False: "answer"}, return_dtype=pl.String
    )
    rows = found.with_columns(label=refuses, filtered=pl.lit(value=False))
    labels = filled(rows, LeafLabels, where="benchmark")
    return Spent(labels, source.seconds)


def compare(
    job: InferenceJob[VllmModel], prompts: pl.DataFrame, *, pilot_draws: int, draws: int, most: int
) -> None:
    """Learn from half of the templates, test on the others, and print what came of it."""
    speaker = OwnSpeaker.of(job.key, job.model, job.folder)
    whole = replace(job, sampling=job.sampling.model_copy(update={"max_tokens": 128}))
    keys = sorted(set(prompts["template_id"]))
    first = prompts.filter(pl.col("template_id").is_in(keys[::2]))
    second = prompts.filter(pl.col("template_id").is_in(keys[1::2]))
    second = second[:: max(1, len(second) // most)][:most]
    usual = usual_draws(whole, second)
    engine: Any = start_weighing(whole)
    pilot = draw(engine, job, first, pilot_draws)
    nobody = pilot.pilot(first, speaker)
    tree = trees(nobody, speaker).filter(fold=0)
    own = pl.concat(
        [tree, *(tree.with_columns(fold=pl.lit(fold, pl.Int32)) for fold in range(1, 6))]
    )
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        measured = partial(
            measure, job, second, own, store=Path(folder), say=lines.append, engine=engine
        )
        measured(nobody)
        spent = (time.process_time() - began) / len(second)
        drawn = draw(engine, job, second, 2 * draws)
        parts = [drawn.part(second, speaker, half, draws) for half in (0, 1)]
        found, other = (measured(part) for part in parts)
        few = measured(usual.pilot(second, speaker))
    tables = own, found.probabilities, found.propensities
    longest = whole.sampling.most_tokens(job.model)
    leaves = strata(*tables, longest=longest)
    responses = drawn_on(engine, whole, second, leaves, speaker.raw.decode)
    table = weigh(*tables, responses.labels, longest=longest)
    halves = Halves(draws, [found, other])
    print(f"pilot: {sum(pilot.refuses):,} of {len(pilot.texts):,} responses refuse")
    print(tree.select("text", "responses", "refusals"))
    print(lines[-1])
    _print_reference(drawn, halves, table)
    per_draw = usual.seconds / len(usual.texts)
    on = responses.seconds / max(1, len(responses.labels))
    print(
        f"a draw takes {per_draw * 1e3:.1f} ms, weighing a prompt {spent * 1e3:.1f} ms, and "
        f"{len(responses.labels)} responses to openings {on * 1e3:.1f} ms each"
    )
    # With few draws the rate outside is known from all of them.
    elsewhere = halves.outside / max(1, 2 * int(table["drawn_outside"].sum()))
    cost = (spent + CONTINUED * on) / per_draw
    for samples in (3, 5):
        short = few.propensities.with_columns(drawn=pl.lit(samples, pl.Int64))
        each = strata(own, few.probabilities, short, longest=longest)
        left = math.fsum(each["chance"] * each["weight"] * each["spread"])
        left += math.fsum(short["outside"]) * elsewhere * (1 - elsewhere) / samples
        _print_gain(float((halves.rate * (1 - halves.rate)).sum()), left, samples, cost)
    del engine
    gc.collect()


def _print_gain(of_one: float, left: float, samples: int, cost: float) -> None:
    """How much less variance weighing has than the draws that take as long.

    Args:
        of_one: variance of single draws, summed over prompts.
        left: what weighing leaves, likewise.
        samples: ordinary draws of each prompt.
        cost: of weighing it, in draws.
    """
    plain = of_one / (samples + cost)
    print(
        f"variance for the engine time of {samples} draws, weighing and responses to openings: "
        f"{left:.2e} weighed, {plain:.2e} by {samples + cost:.1f} draws: {plain / left:.1f} times "
        "less"
    )


def _print_reference(drawn: Drawn, halves: Halves, table: pl.DataFrame) -> None:
    """Weighed rates against draws that they were not made of."""
    weighed, error, alone = (
        table[key].to_numpy() for key in ("weighed_rate", "weighed_rate_error", "tree_rate")
    )
    refused, draws = halves.refused(1), halves.draws
    noise = math.sqrt((halves.rate * (1 - halves.rate) / draws).sum())
    print(
        f"{len(table)} prompts x {draws} draws twice in {drawn.seconds:.1f} s: sum of rates drawn "
        f"{refused.sum() / draws:.4f} +- {noise:.4f}, weighed with other draws {weighed.sum():.4f} "
        f"+- {math.sqrt((error**2).sum()):.4f}, by the tree alone {alone.sum():.4f}"
    )
    share = halves.outside / halves.refusals
    print(f"{halves.outside} of {halves.refusals} refusals open outside the tree ({share:.1%})")
    variance = error**2 + np.maximum(weighed * (1 - weighed), 0.25 / draws) / draws
    square = ((refused / draws - weighed) ** 2 / variance).sum()
    print(f"chi-square over prompts {square:.1f}, p {stats.chi2.sf(square, len(table)):.3f}")


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=[RARE, COMMON])
    parser.add_argument("--folder", type=Path, default=SMOLLM2, help="of `model`")
    parser.add_argument("--draws", type=int, default=1000, help="for each half")
    parser.add_argument("--prompts", type=int, default=40)
    parser.add_argument("--pilot", type=int, default=8, help="draws a prompt, of `unsafe`")
    given = parser.parse_args()
    parts = [part for part in (RARE, COMMON) if part in given.parts]
    for model, groups in (each for part in parts for each in MODELS[part]):
        print("\n" + " ".join([model, *groups]), flush=True)
        job = job_of(ROOT / "data/models" / model, max_tokens=8)
        asked = prompts_of({"plain": None}, 2 if groups else 7)
        compare(
            job, asked.filter(pl.col("group").is_in(groups)) if groups else asked,
            pilot_draws=40, draws=given.draws, most=given.prompts,
        )  # fmt: skip
    if "model" in given.parts:
        print(f"\n{given.folder.name}")
        job = job_of(given.folder, temperature=0.7, max_tokens=8)
        compare(
            job, prompts_of({"study": SYSTEM}, 8), pilot_draws=20,
            draws=given.draws, most=given.prompts,
        )  # fmt: skip
    if "unsafe" in given.parts:
        print(f"\n{given.folder.name}, unsafe requests")
        job = job_of(given.folder, temperature=0.7, max_tokens=8)
        compare(
            job, prompts_of({"plain": None}, 8, "unsafe"), pilot_draws=given.pilot,
            draws=given.draws, most=given.prompts,
        )  # fmt: skip


if __name__ == "__main__":
    main()
