"""SmolLM2's openings, weighed by the tree that the workflow learns, against a great many draws.

`check`: the tree is learnt from the pilot of `many_draws.py`, weighs prompts to other templates,
and is held against a thousand draws of each: sums, and a chi-square over prompts whose p-value
is simulated, as most counts are small.

`groups`: the same tree gives odds ratios between groups for the prompts that another program
measured, held against those of the five openings that it was given.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from many_draws import COUNTS, TEMPERATURE, prompts_of, read_counts
from opening_draws import SMOLLM2, SYSTEM, job_of
from opening_reference import REFERENCE
from propensity_studies import SETTING, real_studies
from scipy import stats

from refusal_parity.inference.speaking import OwnSpeaker
from refusal_parity.openings import tree
from refusal_parity.openings.measuring import measure
from refusal_parity.openings.pilot import FOLDS, Pilot
from refusal_parity.openings.tree import Leaf, key_of, leaf_of, learn
from refusal_parity.statistics.methods.calibrated_linear import calibrated_linear
from refusal_parity.tables import Openings, empty

SIMULATED: Final = 20_000
NOBODY: Final = Pilot.nobody()
"""No draws: prompts are weighed by the tree alone."""


def learnt() -> list[Leaf]:
    """The tree that the workflow learns from the pilot."""
    return learn(
        [
            tree.Opened(one.tokens, one.refuses, template)
            for (template, _), opened in read_counts(COUNTS, "pilot").items()
            for one in opened
            for _ in range(one.draws)
        ]
    )


def squares(chance: np.ndarray, counts: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Chi-square of counts over prompts, of one study or of several."""
    expected = np.maximum(chance * draws, 1e-9)
    return np.asarray(((counts - expected) ** 2 / (expected * (1 - chance))).sum(axis=-1))


def table_of(leaves: list[Leaf], speaker: OwnSpeaker) -> pl.DataFrame:
    """The tree, as if it were that of every fold."""
    return pl.DataFrame(
        [
            {
                "model": speaker.key, "fold": fold, "opening": key_of(leaf.tokens),
                "token_ids": leaf.tokens, "text": speaker.written(leaf.tokens),
                "depth": len(leaf.tokens), "responses": leaf.responses,
                "refusals": leaf.refusals, "share": leaf.share,
            }
            for fold in range(FOLDS + 1)
            for leaf in leaves
        ],
        schema=empty(Openings).schema,
    )  # fmt: skip


def groups() -> None:
    """Odds ratios of the reference's prompts by the tree from the pilot, and by its openings."""
    job = job_of(SMOLLM2, temperature=TEMPERATURE, max_tokens=8)
    openings = table_of(learnt(), OwnSpeaker.of(job.key, job.model, job.folder))
    rows = json.loads(REFERENCE.read_text(encoding="utf-8"))
    prompts = pl.DataFrame(
        {
            "prompt_id": [f"p{at}" for at in range(len(rows))],
            "template_id": [row["t"] for row in rows],
            "prompt": [row["prompt"] for row in rows],
            "system_prompt": SYSTEM,
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        found = measure(job, prompts, openings, NOBODY, Path(folder), say=print)
        odds = found.propensities["log_odds"].to_list()
        own = [
            row | {"mass": 1 / (1 + math.exp(-each))} for row, each in zip(rows, odds, strict=True)
        ]
        path = Path(folder) / "own.json"
        path.write_text(json.dumps(own), encoding="utf-8")
        setting = SETTING._replace(deciding=False)
        studies = [real_studies(each) for each in (REFERENCE, path)]
    both = [calibrated_linear(each, setting)[0] for each in studies]
    theirs = both[0]
    for at, pair in enumerate(studies[0].pairs):
        if pair.reference == "white":
            low, high = (math.exp(theirs.values(key)[0][at]) for key in ("ci_low", "ci_high"))
            ratios = [math.exp(each.values("estimate")[0][at]) for each in both]
            print(
                f"{pair.group:10} odds ratio by five openings {ratios[0]:.2f} ({low:.2f} to "
                f"{high:.2f}), by the tree that was learnt {ratios[1]:.2f}"
                + " *"
                * (not low <= ratios[1] <= high)
            )
    estimates = [each.values("estimate")[0] for each in both]
    print(f"rank correlation of all pairs {stats.spearmanr(*estimates).statistic:.3f}")


def check() -> None:
    """Weigh what was drawn, and print how both agree."""
    leaves = learnt()
    counts = read_counts(COUNTS, "test")
    rows = [row for _, row in prompts_of("test") if (row["template_id"], row["name"]) in counts]
    job = job_of(SMOLLM2, temperature=TEMPERATURE, max_tokens=8)
    openings = table_of(leaves, OwnSpeaker.of(job.key, job.model, job.folder))
    print(openings.filter(fold=0).select("text", "responses", "refusals"))
    asked = pl.DataFrame(rows, infer_schema_length=None)
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        found = measure(job, asked, openings, NOBODY, Path(folder), say=print)
        print(f"{len(rows)} prompts weighed in {time.monotonic() - began:.0f} s")
    weighed = found.propensities["tree_rate"].to_numpy()
    paths = frozenset(leaf.tokens for leaf in leaves)
    opened = [counts[row["template_id"], row["name"]] for row in rows]
    draws = np.array([sum(one.draws for one in those) for those in opened])
    refusals = [[one for one in those if one.refuses] for those in opened]
    refused = np.array([sum(one.draws for one in those) for those in refusals])
    inside = np.array(
        [
            sum(one.draws for one in those if leaf_of(one.tokens, paths) is not None)
            for those in refusals
        ]
    )
    rate = refused / draws
    print(
        f"{len(rows)} prompts x {draws.min()} draws: sum of rates drawn {rate.sum():.3f} +- "
        f"{math.sqrt((rate * (1 - rate) / draws).sum()):.3f}, of which in the tree "
        f"{(inside / draws).sum():.3f}; weighed {weighed.sum():.3f}; "
        f"{1 - inside.sum() / refused.sum():.1%} of {refused.sum():,} refusals open outside it"
    )
    square = float(squares(weighed, inside, draws))
    random = np.random.default_rng(1)
    chance = squares(weighed, random.binomial(draws, weighed, (SIMULATED, len(rows))), draws)
    print(
        f"chi-square over prompts {square:.1f}, by chance {chance.mean():.1f} +- "
        f"{chance.std():.1f}, p {(chance >= square).mean():.3f}; correlation of rates in the tree "
        f"{np.corrcoef(weighed, inside)[0, 1]:.3f}"
    )


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["check", "groups"])
    given = parser.parse_args()
    if not SMOLLM2.is_dir():
        print(f"needs {SMOLLM2.name} (config/smollm2.yaml makes it)")
        return
    if "check" in given.parts:
        check()
    if "groups" in given.parts and REFERENCE.is_file():
        groups()


if __name__ == "__main__":
    main()
