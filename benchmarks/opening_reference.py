"""SmolLM2's probabilities of five openings of refusals, against those of another program.

It wrote them, after 616 prompts of the study, to
`../shared/reference/weighed-openings/smollm2.json`.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
from opening_draws import ROOT, SMOLLM2, SYSTEM, job_of

from refusal_parity.inference.speaking import OwnSpeaker
from refusal_parity.openings.measuring import measure
from refusal_parity.openings.pilot import Pilot
from refusal_parity.openings.tree import key_of
from refusal_parity.tables import Openings, empty

REFERENCE = ROOT / "../shared/reference/weighed-openings/smollm2.json"
FIVE = ("I'm sorry", "I'm afraid", "As an AI", "I am not", "Unfortunately, the")


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
    nobody = Pilot.nobody()
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        found = measure(job, prompts, openings, nobody, Path(folder), say=print)
        print(f"{len(rows)} prompts in {time.monotonic() - began:.0f} s")
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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="of the prompts")
    against_reference(parser.parse_args().every)
