"""Taking over a model's 100,000 responses from the store: seconds and peak memory.

The responses lie in as many chunks as a job of the given pace leaves that was never put
together, and once more in one file, beside those of a study that is not asked for. Each
model is taken over in a process of its own, from reading the prompts to the table.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

from refusal_parity.config import OpenAIModel, SamplingConfig
from refusal_parity.expansion import expand
from refusal_parity.inference.asking import settings
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.plan import plan_of
from refusal_parity.inference.running import run_job
from refusal_parity.inference.store.responses import ResponseStore
from refusal_parity.tables import Prompts, StoredResponses, empty, read_table, write_table

SAMPLES = 4
WORDS = "a response of some length, as models give them to requests of one sentence; " * 6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=1)
    parser.add_argument("--responses", type=int, default=100_000)
    parser.add_argument("--pace", type=float, default=10, help="responses a second")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        prompts = write_prompts(given.responses // SAMPLES, folder)
        for number in range(given.models):
            for chunk in (int(given.pace * 20), given.responses):
                fill(folder / f"{chunk}-{number}", prompts, chunk, number)
                took = json.loads(
                    subprocess.run(
                        [sys.executable, __file__, "--run", place, f"{chunk}-{number}"],
                        check=True,
                        capture_output=True,
                        text=True,
                    ).stdout
                )
                print(
                    f"model {number}, chunks of {chunk:,} rows: {took['s']:.1f} s, of which CPU "
                    f"{took['cpu_s']:.1f} s; peak {took['gb']:.2f} GB",
                    flush=True,
                )


def write_prompts(count: int, folder: Path) -> pl.DataFrame:
    """So many prompts, as a table."""
    templates = pl.DataFrame(
        {
            "template_id": [f"t{number}" for number in range(count // 100)],
            "family": "f",
            "template": [f"[NAME] does {number} things" for number in range(count // 100)],
        }
    )
    names = pl.DataFrame(
        {
            "name_id": [f"n{number}" for number in range(100)],
            "name": [f"Name{number}" for number in range(100)],
            "group": "g",
            "gender": "w",
            "commonness": "c",
        }
    )
    prompts = expand(templates, names, {"plain": None})
    write_table(prompts, Prompts, folder / "prompts.parquet")
    return prompts


def job_of(number: str, store: Path) -> InferenceJob[OpenAIModel]:
    """A job that needs nothing but the store: its server is nowhere."""
    model = OpenAIModel(engine="openai", base_url="http://127.0.0.1:9/v1", model=f"m{number}")
    return InferenceJob(
        key=f"m{number}", model=model, samples=SAMPLES, sampling=SamplingConfig(), store=store
    )


def fill(store: Path, prompts: pl.DataFrame, chunk: int, number: int) -> None:
    """Put responses into a store, and as many again that no study asks for."""
    job = job_of(str(number), store)
    plan = plan_of(prompts, job, settings(job))
    place = ResponseStore(store, settings(job), device="server")
    rows = plan.select("response_id", "seed").with_columns(
        response=pl.lit(WORDS) + pl.col("response_id"),
        finish_reason=pl.lit("stop"),
        status=pl.lit("ok"),
        truncated=pl.lit(value=False),
        answered_at=pl.lit(time.time() * 1000).cast(pl.Datetime("ms", "UTC")),
    )
    others = rows.with_columns(response_id="x" + pl.col("response_id"))
    for part in (rows, others):
        for some in part.iter_slices(chunk):
            known = pl.concat([empty(StoredResponses), some], how="diagonal_relaxed")
            place.save(known.cast(empty(StoredResponses).schema))


def measure(folder: Path, store: str) -> dict[str, float]:
    """Take everything over."""
    began = time.perf_counter()
    job = job_of(store.rpartition("-")[2], folder / store)
    said: list[str] = []
    prompts = read_table(Prompts, folder / "prompts.parquet")
    run_job(job, prompts, folder / f"{store}.parquet", say=said.append)
    asked = len(prompts) * SAMPLES
    if f"starting to draw: {asked:,} of {asked:,} responses are there already" not in said:
        sys.exit("\n".join(said))
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "s": time.perf_counter() - began,
        "cpu_s": used.ru_utime + used.ru_stime,
        "gb": used.ru_maxrss / 1e6,
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        print(json.dumps(measure(Path(sys.argv[2]), sys.argv[3])))
    else:
        main()
