"""How long 100,000 responses take to label, and how much memory: `make bench-labelling`.

Responses are put together from the starter labels, a few to each, so that
nearly all are distinct and of the length of a chat model's. Time and memory are
printed beside those of 40,000 rows, two parts of the five: the ratio of the times
should be near 2.5, that of the memory near one.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from refusal_parity.expansion import expand
from refusal_parity.labelling.classifier import train
from refusal_parity.labelling.gold import read_gold
from refusal_parity.labelling.labels import Labeller
from refusal_parity.labelling.starter import starter_files
from refusal_parity.labelling.storage import load, save
from refusal_parity.prompts import read_names, read_templates
from refusal_parity.tables import (
    Labels,
    Prompts,
    Responses,
    filled,
    read_parts,
    read_table,
    write_parts,
    write_table,
)

ROWS = (40_000, 100_000)
PART = 20_000


def make(folder: Path) -> None:
    """Write prompts, classifier and responses."""
    gold = read_gold(starter_files())
    save(train(gold, 1), folder / "classifier.skops")
    names = read_names(Path("data/names-56.csv"))
    prompts = expand(read_templates(Path("data/templates.csv")), names, {"plain": None})
    write_table(prompts, Prompts, folder / "prompts.parquet")
    random = np.random.default_rng(1)
    texts = gold["response"].to_list()
    for rows in ROWS:
        picked = random.integers(len(texts), size=(rows, 3))
        frame = pl.DataFrame(
            {
                "model": "m",
                "prompt_id": np.resize(prompts["prompt_id"].to_numpy(), rows),
                "sample": np.arange(rows) // len(prompts),
                "response": [" ".join(texts[at] for at in row) for row in picked],
                "status": "ok",
                "truncated": False,
            }
        )
        full = filled(frame, Responses, where="benchmark")
        write_table(full, Responses, folder / f"responses-{rows}.parquet")


def label(folder: Path, rows: int) -> None:
    """Label one table, as the rule does, and print time and peak memory."""
    import resource

    began, used = time.monotonic(), time.process_time()
    labeller = Labeller(
        prompts=read_table(Prompts, folder / "prompts.parquet"),
        classifier=load(folder / "classifier.skops"),
        method="classifier",
    )
    parts = read_parts(Responses, folder / f"responses-{rows}.parquet", PART)
    write_parts(map(labeller.label, parts), Labels, folder / f"labels-{rows}.parquet")
    seconds = time.monotonic() - began
    processor = time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": rows, "seconds": seconds, "processor": processor, "mb": peak}))


def _run(*arguments: str) -> str:
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> None:
    """Make the responses and label both tables, each in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        # What a process holds when it starts another counts as the other's peak too:
        # this one holds nothing.
        _run(name)
        found = [json.loads(_run(name, str(rows)).splitlines()[-1]) for rows in ROWS]
    print("responses  seconds  of a processor  MB of memory")
    for each in found:
        print(
            f"{each['rows']:9,}  {each['seconds']:7.1f}  {each['processor']:14.1f}  "
            f"{each['mb']:12,.0f}"
        )
    few, many = found
    times = many["seconds"] / few["seconds"]
    memory = many["mb"] / few["mb"]
    print(f"ratio of the times {times:.1f}, of the memory {memory:.2f}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case [folder, rows]:
            label(Path(folder), int(rows))
        case [folder]:
            make(Path(folder))
        case _:
            main()
