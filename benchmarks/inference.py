"""The inference job beside the bare engine and beside transformers.

Every measured part runs in a process of its own (`parts.py`), and what is
compared is measured in turn within one of them; the table has medians. A ratio
of CPU seconds stands beside each of wall seconds: on a busy machine it is the
steadier one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import gpu

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--only", choices=("tiny", "fixed", "small", "prefix", "gpu"))
    given = arguments.parse_args()

    def wanted(part: str) -> bool:
        return given.only in (None, part)

    if wanted("tiny"):
        tiny = run("tiny", repeats=given.repeats)
        title("demo-guarded, 1,792 prompts x 3 samples")
        print_throughput(tiny, target=12)
    if wanted("fixed"):
        title("a job of one response")
        print_fixed(run("fixed"))
    if wanted("small"):
        title("SmolLM2-135M-Instruct, 64 prompts x 1 sample")
        print_throughput(run("small", repeats=1), target=None)
    if wanted("prefix"):
        title("SmolLM2-135M-Instruct, 48 prompts, one system prompt of about 300 tokens")
        print_prefix(run("prefix", cached=0), run("prefix", cached=1))
    if wanted("gpu"):
        title("a model of 7B shape on a GPU, dummy weights")
        gpu.main()


def run(part: str, **settings: int) -> dict[str, Any]:
    """What a part measured, and how long its process took (`total_s`, `total_cpu_s`)."""
    began, before = time.perf_counter(), os.times()
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks/parts.py"), part, json.dumps(settings)],
        env=os.environ | {"LAUNCHED": str(time.time())},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{part} failed:\n{done.stderr[-3000:]}")
    after = os.times()
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured | {
        "total_s": time.perf_counter() - began,
        "total_cpu_s": after.children_user
        + after.children_system
        - before.children_user
        - before.children_system,
    }


def title(text: str) -> None:
    """A heading of the table."""
    print(f"\n{text}", flush=True)


def line(what: str, value: float, unit: str, *, note: str = "") -> None:
    """A line of the table."""
    print(f"  {what:<46}{value:>10,.2f} {unit}{f'  ({note})' if note else ''}", flush=True)


def print_throughput(measured: dict[str, Any], *, target: int | None) -> None:
    """Job against bare engine, and against the pipeline."""
    job, bare, one = measured["job"], measured["bare"], measured["pipeline"]
    rows = measured["rows"]
    line("engine: imports", measured["import_s"], "s")
    line("engine: start", measured["start_s"], "s")
    line("peak memory of the job", measured["peak_gb"], "GB")
    line("job", rows / job["wall"], "rows/s")
    line("job", measured["tokens"] / job["wall"], "tokens/s")
    line("bare vllm.LLM.generate", rows / bare["wall"], "rows/s")
    line("job / bare, wall", bare["wall"] / job["wall"], "x", note="to reach: 0.95")
    line("job / bare, CPU", bare["cpu"] / job["cpu"], "x")
    per_row = one["wall"] / measured["pipeline_rows"]
    note = f"one at a time, {measured['pipeline_rows']} rows"
    line("transformers pipeline", 1 / per_row, "rows/s", note=note)
    aim = f"to reach: {target}" if target else ""
    line("job / pipeline, wall", per_row * rows / job["wall"], "x", note=aim)
    cpu_per_row = one["cpu"] / measured["pipeline_rows"]
    line("job / pipeline, CPU", cpu_per_row * rows / job["cpu"], "x")
    print(f"  job and bare engine gave the same texts: {measured['same']}")


def print_fixed(measured: dict[str, Any]) -> None:
    """What a job costs that is neither import nor engine start."""
    rest = measured["total_s"] - measured["import_s"] - measured["start_s"]
    rest_cpu = measured["total_cpu_s"] - measured["import_cpu_s"] - measured["start_cpu_s"]
    line("start of the process and imports", measured["import_s"], "s")
    line("start of the engine", measured["start_s"], "s")
    line("start of the engine, CPU", measured["start_cpu_s"], "s")
    line("all else, to the end of the process", rest, "s")
    line("all else, CPU", rest_cpu, "s")


def print_prefix(without: dict[str, Any], cached: dict[str, Any]) -> None:
    """What prefix caching saves."""
    line("without prefix caching", without["rows"] / without["wall"], "rows/s")
    line("with", cached["rows"] / cached["wall"], "rows/s")
    line("with / without, wall", without["wall"] / cached["wall"], "x")
    line("with / without, CPU", without["cpu"] / cached["cpu"], "x")


if __name__ == "__main__":
    main()
